// SPDX-License-Identifier: Apache-2.0
/* What the parts of a check share. */
#ifndef SKERRY_CLIENT_ENGINE_CHECK_IMPL_H
#define SKERRY_CLIENT_ENGINE_CHECK_IMPL_H

#include <pthread.h>

#include "client/engine/check.h"
#include "client/engine/fetch.h"
#include "object/segment.h"

/* A segment whose blocks were read.  Ascending, as far as they were good. */
struct check_segment {
	struct seal_key key; /* tells it from others */
	struct place first;
	size_t from, n; /* entries in check.entry */
};

/* Hashes of nodes, or ids of objects. */
struct check_set {
	uint8_t (*p)[HASH_LEN]; /* owned; open addressing, zero: free */
	size_t n, cap;
};

struct check {
	struct space *space;
	const struct check_options *o;
	struct reader *reader;
	struct check_result *res;

	struct index_entry *entry; /* owned; of all segments */
	size_t entries, entries_cap;
	uint8_t *bad; /* owned; one per entry: 0, or -FAULT_*; any thread */
	struct buf hidden; /* u32, of entries that are bad, and that the head's
	                    * index has elsewhere */

	struct check_segment *segment; /* owned */
	size_t segments, segments_cap;
	struct check_uses {
		size_t segment[SEGMENTS_MAX]; /* newest first */
		size_t n;
	} uses, head; /* the commit's at hand, the head's */

	struct check_set nodes, objects;
	struct buf list, attrs; /* scratch */
	struct buf lost;        /* places, for lost_note */
	int cache;              /* the space's, which is not asked */
	bool cut;               /* it was said that the way back is lost */
	bool unknown;           /* check_unknown was called */

	pthread_mutex_t lock; /* over res, worst, objects, lost, hidden,
	                       * found() */
	int worst;
};

/* check.c */

/* Reports; any thread. */
void check_found(struct check *c, const struct check_finding *x);

/* Puts 32 bytes in: 1 where they are new, 0 where they were there, or
 * FAULT_MEMORY. */
int check_set_add(struct check_set *s,
    const uint8_t v[static HASH_LEN]) must_check;
void check_set_wipe(struct check_set *s);

/* A sealing that could not be fetched or opened, in its commit. */
int check_object(struct check *c, uint64_t commit, const struct place *p,
    int code, const char *what) must_check;

/* Notes that there are entries whose chunks the index does not have. */
int check_unknown(struct check *c) must_check;

/* 0, or FAULT_INTERRUPTED. */
int check_stopped(const struct check *c, struct fault *f) must_check;

/* check_index.c: reads the commit's segments that were not read yet. */
int check_index(struct check *c, const struct commit *commit,
    struct fault *f) must_check;

/* The entry of an id in the commit's index; NULL. */
const struct index_entry *check_find(const struct check *c,
    const uint8_t id[static CHUNK_ID_LEN]);

/* The same in the head's index: of what was stored again since. */
const struct index_entry *check_newest(const struct check *c,
    const uint8_t id[static CHUNK_ID_LEN]);

/* check_tree.c: reads the commit's nodes that were not read yet.  affected:
 * only to name the paths that need bad chunks. */
int check_tree(struct check *c, const struct commit *commit, bool affected,
    struct fault *f) must_check;

/* check_chunks.c */
int check_chunks(struct check *c, const struct commit *commit,
    struct fault *f) must_check;

#endif
