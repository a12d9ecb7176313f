// SPDX-License-Identifier: Apache-2.0
/* A segment of the index as the commit describes it: spec/20-pack.md. */
#ifndef SKERRY_OBJECT_SEGMENT_H
#define SKERRY_OBJECT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/keys.h"
#include "object/index.h"
#include "object/limits.h"
#include "object/place.h"

struct segment_run {
	uint8_t object[ID_LEN];
	uint32_t offset;
	uint32_t count; /* blocks, >= 1 */
};

struct segment {
	struct seal_key key;
	uint64_t entries; /* >= 1 */
	uint32_t blocks;  /* ceil(entries / BLOCK_ENTRIES) */
	uint32_t runs;
	struct segment_run *run; /* owned */
	uint32_t *first;         /* owned; number of each run's first block */
	uint64_t *fence;         /* owned; one per block, not descending */
};

/* Frees all and wipes the key; fit for defer().  A zeroed one is fine. */
void segment_wipe(struct segment *s);

/* A deep copy.  FAULT_MEMORY. */
int segment_copy(const struct segment *s, struct segment *out) must_check;

/* Reads and checks one.  FAULT_MALFORMED, FAULT_MEMORY; r is past it on
 * success only. */
int segment_read(struct rd *r, struct segment *out) must_check;
void segment_write(struct wr *w, const struct segment *s);

/* Bytes that segment_write appends. */
size_t segment_len(const struct segment *s);

/* The blocks that can hold id: *first..*last, nearly always one; look from
 * the last to the first.  false: id is not in the segment. */
bool segment_find_block(const struct segment *s,
    const uint8_t id[static CHUNK_ID_LEN], uint32_t *first, uint32_t *last);

/* Where block number block lies, and how to open it. */
struct place segment_block_place(const struct segment *s, uint32_t block);
struct index_where segment_block_where(const struct segment *s,
    uint32_t block);

#endif
