// SPDX-License-Identifier: Apache-2.0
/*
 * What the parts of a restore share.  restore.c: the whole; restore_walk.c: one
 * entry after another; restore_file.c: the content of files, by many threads;
 * restore_link.c: hard links; restore_found.c: what was there before.
 */
#ifndef SKERRY_CLIENT_ENGINE_RESTORE_IMPL_H
#define SKERRY_CLIENT_ENGINE_RESTORE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/engine/fetch.h"
#include "client/engine/folder.h"
#include "client/engine/restore.h"
#include "client/engine/restore_meta.h"
#include "client/engine/restore_temp.h"
#include "client/engine/tour.h"
#include "object/key.h"

struct restore_level {
	struct folder *d;
	size_t key_len; /* of the folder's key, the start of restore.at */
	bool resting;
	bool found; /* was there before */
};

enum restore_link_state {
	RESTORE_LINK_PENDING,
	RESTORE_LINK_DONE,
	RESTORE_LINK_FAILED,
};

/* The first path of a hard link. */
struct restore_link {
	uint8_t hash[HASH_LEN]; /* of its entry, the link id included */
	atomic_int state;
	size_t n;
	uint8_t rel[]; /* its key in the target */
};

struct restore_links {
	struct restore_link **slot; /* owned; open addressing */
	size_t n, cap;
	struct buf later; /* paths to link at the end; restore_link.c */
};

struct restore {
	struct space *space;
	const struct restore_options *o;
	struct reader *reader; /* the walk's */
	struct fetch *fetch;
	struct folders folders;
	bool root;    /* may set owners and make devices */
	size_t strip; /* bytes of a key that are not in the target's path */

	struct restore_level *level; /* owned; [0] is the target */
	size_t nlevels, levels_cap;
	struct buf at;   /* key of the innermost folder */
	struct buf dead; /* key of a folder that could not be made; or empty */
	struct buf list, attrs; /* scratch */
	struct restore_links links;

	/* What waits in the fetch's open batch: each holds descriptors or
	 * memory until its batch is done. */
	const struct folder *last_dir;
	unsigned waiting_dirs, waiting_large;
	size_t waiting_attrs;

	pthread_mutex_t lock; /* over res, and while warning */
	struct restore_result *res;
};

/* restore.c */

/* Warns, and counts n entries as left out, or one as incomplete if n is 0. */
void restore_warn(struct restore *rs, struct bytes key, uint64_t n,
    const char *text);

/* Why a path was left out, from an errno: what, and the system's text; or that
 * something is there already.  The code. */
int restore_fault(struct fault *f, int err, const char *what);

/* One entry is there; kept: it was before. */
void restore_count(struct restore *rs, uint64_t bytes);
void restore_kept(struct restore *rs, uint64_t bytes);

/* The last name of key, with a NUL. */
void restore_name(struct bytes key, char out[static KEY_NAME_MAX + 1]);

/* What a folder needs when all in it is done; frees with it.  found: it was
 * there before. */
int restore_set_folder(struct restore *rs, struct folder *d, bool found,
    struct bytes key, const struct tree_entry *e, struct fault *f) must_check;

/* restore_found.c */

enum restore_found {
	RESTORE_NOTHING,
	RESTORE_SAME, /* of its type, size and time; target; device */
	RESTORE_OTHER,
};

/* What is at the place of key in dir, and is not to be replaced by e, which is
 * no folder.  It is counted, or named. */
enum restore_found restore_found(struct restore *rs, int dir,
    struct bytes key, const struct tree_entry *e);

/* restore_walk.c: restores base (empty: all).  0 or what ended it. */
int restore_walk(struct restore *rs, struct bytes base,
    struct fault *f) must_check;

/* Makes what is neither file nor folder; a failure costs only that, but no
 * space.  link: NULL, or is told. */
int restore_special(struct restore *rs, int dir, struct bytes key,
    const struct tree_entry *e, struct restore_link *link,
    struct fault *f) must_check;

/* restore_file.c */
int restore_file_plan(struct restore *rs, struct folder *dir, struct bytes key,
    const struct tree_entry *e, struct restore_link *link,
    struct fault *f) must_check;
int restore_file_chunks(void *arg, const struct fetch_want *const *w,
    struct iovec *data, size_t n, int rc, struct fault *f); /* fetch_sink */

/* restore_link.c */

/* Sets *out to what an entry with a link id should tell when it is there, and
 * returns 0; or 1 where it is put off, to be linked at the end; or a
 * FAULT_*. */
int restore_link_begin(struct restore *rs, struct bytes key,
    struct bytes raw, struct restore_link **out) must_check;

/* Makes what was put off. */
int restore_link_finish(struct restore *rs, struct fault *f) must_check;

void restore_link_wipe(struct restore_links *l);

#endif
