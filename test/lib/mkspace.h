// SPDX-License-Identifier: Apache-2.0
/*
 * Spaces for tests: objects written into a depot's folder with the library's
 * own writers, and a session filled by hand.  Everything asserts.
 */
#ifndef SKERRY_TEST_MKSPACE_H
#define SKERRY_TEST_MKSPACE_H

#include <stdatomic.h>

#include "client/engine/reader.h"
#include "object/builder.h"
#include "object/entry.h"
#include "object/list.h"
#include "object/pack.h"
#include "object/seal.h"

struct mkspace_entry {
	uint8_t *key, *entry; /* owned */
	size_t key_len, entry_len;
	uint64_t size;
};

struct mkspace {
	char dir[64];   /* of the test; removed at the end */
	char depot[96]; /* in it */
	char out[96];   /* in it: an empty folder to restore to */
	uint8_t prefix[ID_LEN];
	struct store *store;
	struct seal *seal;
	struct dedup_key dedup;
	struct pack pack;

	struct index_entry *index; /* owned; new ones */
	size_t nindex, index_cap;
	struct mkspace_entry *entry; /* owned */
	size_t nentries, entries_cap;
	struct commit commit; /* the last one */

	struct space_key *key;
	struct sign_key *sign;
	struct sign_pub sign_pub;
	struct chain_device device;
	struct chain chain;
	struct session_epoch epoch;
	struct session ses;
	struct space *space; /* of mkspace_open */
	atomic_bool stop;
};

/* What session_seen_head() of fake_session.c gives. */
extern const uint8_t *fake_seen_head;

struct mkspace *mkspace_new(void);
void mkspace_free(struct mkspace *m);

/* For cmocka: a space of its own for each test. */
int mkspace_setup(void **state);
int mkspace_teardown(void **state);

/* A new object for what comes; the id of the one that is open. */
void mkspace_cut(struct mkspace *m);
const uint8_t *mkspace_object(const struct mkspace *m);

/* Stores a chunk. */
void mkspace_chunk(struct mkspace *m, enum seal_kind kind, struct bytes plain,
    uint8_t id[static CHUNK_ID_LEN]);

/* Adds an entry as it is; path with slashes, not checked. */
void mkspace_add(struct mkspace *m, const char *path,
    const struct tree_entry *e);

/* The plain kinds: mode 0644 and 0755, mtime 1000000000. */
struct tree_entry mkspace_plain(enum entry_type type);
void mkspace_folder(struct mkspace *m, const char *path);
void mkspace_symlink(struct mkspace *m, const char *path, const char *target);

/* A file in chunks of `piece` bytes (0: one); e gives all but the list; NULL:
 * mkspace_plain. */
void mkspace_file(struct mkspace *m, const char *path, struct bytes data,
    size_t piece, const struct tree_entry *e);
void mkspace_text(struct mkspace *m, const char *path, const char *text);

/* Seals a node as given; tree and sums are the caller's. */
struct ref mkspace_node(struct mkspace *m, struct bytes node);

/* Makes a commit of all entries added since the last one; or of a root. */
void mkspace_commit(struct mkspace *m, const char *message);
void mkspace_commit_root(struct mkspace *m, const struct ref *root,
    uint64_t entries, uint64_t bytes);

/* Opens m->space, or again after a commit. */
struct space *mkspace_open(struct mkspace *m);

/* What happens to objects at bad depots. */
void mkspace_flip(struct mkspace *m, const uint8_t object[static ID_LEN],
    uint64_t at);
void mkspace_truncate(struct mkspace *m, const uint8_t object[static ID_LEN],
    uint64_t size);
void mkspace_remove(struct mkspace *m, const uint8_t object[static ID_LEN]);

#endif
