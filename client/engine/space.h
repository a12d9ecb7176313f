// SPDX-License-Identifier: Apache-2.0
/*
 * A space as a command sees it: the verified head and commit of its session,
 * and what readers share.  A struct reader is one thread's way into it.
 */
#ifndef SKERRY_CLIENT_ENGINE_SPACE_H
#define SKERRY_CLIENT_ENGINE_SPACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/ahead.h"
#include "client/engine/cache.h"
#include "client/session.h"
#include "object/commit.h"
#include "object/cursor.h"
#include "object/head.h"
#include "object/index.h"
#include "object/seal.h"

/* Open index blocks in memory: a direct-mapped table, filled as they are used.
 * A million entries; beyond, each lookup opens a block of the cache. */
#define SPACE_BLOCKS 2048u

/* What is fetched with the head's commit, of that which lies before it: after
 * a small put, the new index block and the upper nodes of the tree. */
#define SPACE_TAIL 131072u

struct space_block;

struct space {
	struct session *ses; /* borrowed */
	struct cache cache;  /* owned */

	bool has_head;        /* false: nothing was ever put */
	struct head head;     /* verified */
	struct commit commit; /* the head's; without head: zeroed but dedup */
	bool anew; /* that is lost: anew.h has what there is instead */

	/* Bytes of the pack with the head's commit, up to its end; sealed.
	 * Without any where the commit was in the cache. */
	struct buf tail;
	struct place tail_place;

	struct buf lost; /* lost.h, where content is stored; else empty */

	pthread_mutex_t lock;       /* over block */
	struct space_block **block; /* SPACE_BLOCKS, each NULL or owned */
};

/*
 * Verifies the session's head (spec/30-tree.md, Head: also against what this
 * device saw last), opens its commit, remembers it as last seen.
 * FAULT_ROLLBACK, FAULT_TRUST, FAULT_TAMPERED, FAULT_VERSION, FAULT_MISSING,
 * FAULT_DEPOT.
 */
int space_open(struct session *ses, struct space **out,
    struct fault *f) must_check;

/* The same for a writer who is to go on where the head's commit is lost, by an
 * earlier one, or with none: anew.h. */
int space_open_anew(struct session *ses, struct space **out,
    struct fault *f) must_check;

/* As space_open again, after the session's head changed. */
int space_reopen(struct space *sp, struct fault *f) must_check;

/* The dedup key of a space's first commit.  FAULT_DENIED where the key that it
 * comes of is no more. */
int space_first_dedup(const struct session *ses,
    struct dedup_key *out) must_check;

void space_close(struct space *sp);
void space_closep(struct space **sp);

struct reader {
	struct space *space;        /* borrowed */
	const struct commit *commit; /* for reader_find; borrowed */
	struct store *store;        /* owned */
	struct seal *seal;          /* owned */
	struct buf sealed;          /* scratch */
	uint8_t *plain;             /* scratch, INDEX_BLOCK_LEN */
	struct ahead *ahead; /* owned, or NULL */
	uint64_t missed; /* sealings that were not in the cache */
	bool head; /* for the head's commit: fetch the tail with it */
	bool bulk; /* many lookups to come: fetch index blocks in long runs */
	bool gaps; /* a block of the index that is lost has nothing */
	struct fault fault;         /* of the last callback that failed */
};

/* A reader of the space's current commit.  FAULT_MEMORY, FAULT_DEPOT. */
int reader_new(struct space *sp, struct reader **out,
    struct fault *f) must_check;
void reader_free(struct reader *r);
void reader_freep(struct reader **r);

/* Where a chunk is, by the index of r->commit.  FAULT_NOT_FOUND without text;
 * else as reader_commit. */
int reader_find(struct reader *r, const uint8_t id[static CHUNK_ID_LEN],
    struct index_entry *out, struct fault *f) must_check;

/* Fetches and opens one chunk into out[0..e->plain_len).  Not cached.
 * FAULT_MISSING, FAULT_TAMPERED, FAULT_MALFORMED, FAULT_DEPOT, FAULT_DENIED. */
int reader_chunk(struct reader *r, const struct index_entry *e, uint8_t *out,
    struct fault *f) must_check;

/* Fetches and opens the commit of a ref; caller wipes *out. */
int reader_commit(struct reader *r, const struct ref *ref, struct commit *out,
    struct fault *f) must_check;

/* For struct cursor: loads nodes through the cache.  A failure leaves its text
 * in r->fault. */
struct node_source reader_nodes(struct reader *r);

/* For struct merge_segment: load with arg = r. */
int reader_block(void *r, const struct place *place, bool again,
    struct bytes *out) must_check;

/*
 * The content list of a file's entry at level 0, whatever its level: appends to
 * out (which the caller wipes).  out->max bounds it.
 */
int reader_list(struct reader *r, const struct tree_entry *e, struct buf *out,
    struct fault *f) must_check;

/* Every chunk that an entry needs: attributes, content, and the lists between.
 * Stops at each's first nonzero result. */
int reader_ids(struct reader *r, const struct tree_entry *e,
    int (*each)(void *arg, const uint8_t id[static CHUNK_ID_LEN]), void *arg,
    struct fault *f) must_check;

/* The attributes of an entry, inline or from their chunk: appends to out. */
int reader_attrs(struct reader *r, const struct tree_entry *e, struct buf *out,
    struct fault *f) must_check;

#endif
