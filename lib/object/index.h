// SPDX-License-Identifier: Apache-2.0
/*
 * Index entries and blocks of them (spec/20-pack.md, Index): chunk id to place
 * and key.  A block is up to BLOCK_ENTRIES entries, sealed as kind 6.
 */
#ifndef SKERRY_OBJECT_INDEX_H
#define SKERRY_OBJECT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/bulk.h"
#include "crypt/keys.h"
#include "object/limits.h"
#include "object/place.h"

#define INDEX_ENTRY_LEN 96u
#define INDEX_BLOCK_LEN (INDEX_ENTRY_LEN * BLOCK_ENTRIES) /* plain, at most */
#define INDEX_SEALED_LEN (INDEX_BLOCK_LEN + BULK_TAG_LEN) /* sealed, at most */

struct index_entry {
	uint8_t id[CHUNK_ID_LEN];
	struct place place;
	uint32_t plain_len; /* 1..CHUNK_MAX; kind 3: 1..XATTR_MAX */
	uint8_t kind;       /* SEAL_DATA, SEAL_LIST or SEAL_ATTRS */
	struct seal_key key;
};

/* Of exactly INDEX_ENTRY_LEN bytes.  FAULT_MALFORMED. */
int index_entry_decode(struct bytes in, struct index_entry *out) must_check;

/* Writes INDEX_ENTRY_LEN bytes. */
void index_entry_encode(const struct index_entry *e,
    uint8_t out[static INDEX_ENTRY_LEN]);

/* Which block of which segment: the AAD and the counter of its sealing. */
struct index_where {
	uint32_t block;   /* number in the segment, < blocks */
	uint32_t blocks;  /* of the segment */
	uint64_t entries; /* of the segment */
};

/* Entries in block w->block: BLOCK_ENTRIES or the rest. */
size_t index_block_count(const struct index_where *w);

/* Seals plain (index_block_count entries), opens it again and compares.
 * Writes plain.n + BULK_TAG_LEN bytes to out; scratch has INDEX_BLOCK_LEN
 * bytes.  FAULT_INTERNAL where the two differ. */
int index_block_seal(struct bulk *b, const struct seal_key *key,
    const struct index_where *w, struct bytes plain, uint8_t *scratch,
    uint8_t *out) must_check;

/* Opens one into out (INDEX_BLOCK_LEN bytes), and checks its length, each
 * entry and their order.  FAULT_TAMPERED, FAULT_MALFORMED. */
int index_block_open(struct bulk *b, const struct seal_key *key,
    const struct index_where *w, struct bytes sealed, uint8_t *out) must_check;

/* Checks n entries of a block's plaintext and their order; plain.n must be a
 * multiple of INDEX_ENTRY_LEN from 1 to BLOCK_ENTRIES.  FAULT_MALFORMED. */
int index_block_check(struct bytes plain) must_check;

/* The entry of id in a checked block.  FAULT_NOT_FOUND. */
int index_block_find(struct bytes plain, const uint8_t id[static CHUNK_ID_LEN],
    struct index_entry *out) must_check;

/* Sorts by id and drops all but one entry of each id; returns how many are
 * left. */
size_t index_sort(struct index_entry *e, size_t n);

#endif
