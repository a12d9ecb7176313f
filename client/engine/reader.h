// SPDX-License-Identifier: Apache-2.0
/* One thread's way into a space: from a ref or a chunk id to the content. */
#ifndef SKERRY_CLIENT_ENGINE_READER_H
#define SKERRY_CLIENT_ENGINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/ahead.h"
#include "client/engine/space.h"
#include "object/commit.h"
#include "object/cursor.h"
#include "object/index.h"
#include "object/seal.h"

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

/* Where a chunk is, by the index of r->commit; by the head's where that has it
 * not any more, or is lost.  FAULT_NOT_FOUND without text; else as
 * reader_commit. */
int reader_find(struct reader *r, const uint8_t id[static CHUNK_ID_LEN],
    struct index_entry *out, struct fault *f) must_check;

/* Fetches and opens one chunk into out[0..e->plain_len); where it is lost at
 * that place, as reader_elsewhere.  Not cached.  FAULT_MISSING, FAULT_TAMPERED,
 * FAULT_MALFORMED, FAULT_DEPOT, FAULT_DENIED. */
int reader_chunk(struct reader *r, const struct index_entry *e, uint8_t *out,
    struct fault *f) must_check;

/* The same chunk from another place, which the index of r->commit or the head's
 * has for it: it was stored again.  FAULT_NOT_FOUND without text where there is
 * none that can be read; FAULT_DEPOT, FAULT_DENIED. */
int reader_elsewhere(struct reader *r, const struct index_entry *e,
    uint8_t *out, struct fault *f) must_check;

/* Fetches and opens the commit of a ref; caller wipes *out. */
int reader_commit(struct reader *r, const struct ref *ref, struct commit *out,
    struct fault *f) must_check;

/* For struct cursor: loads nodes through the cache.  A failure leaves its text
 * in r->fault. */
struct node_source reader_nodes(struct reader *r);

/* For struct merge_blocks: load with arg = r. */
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
