// SPDX-License-Identifier: Apache-2.0
/*
 * Content lists (spec/30-tree.md): the chunks and holes of a file in order.  A
 * list over INLINE_MAX bytes is cut into pieces of CHUNK_MAX, stored as kind 2,
 * and replaced by a list of those (level + 1), until it fits.
 */
#ifndef SKERRY_OBJECT_LIST_H
#define SKERRY_OBJECT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "object/limits.h"

struct list_item {
	bool hole;
	uint8_t id[CHUNK_ID_LEN]; /* of data */
	uint64_t length;          /* data: 1..CHUNK_MAX; hole: >= 1 */
};

struct list_iter {
	struct bytes left;
	bool was_hole;
	bool data_only;
};

/* Borrows list.  level 0 is the file's own list, which may be given in
 * consecutive parts that end between items; above it are data items only. */
struct list_iter list_begin(struct bytes list, unsigned level);

/* 1 and *out; 0 at the end; FAULT_MALFORMED. */
int list_next(struct list_iter *it, struct list_item *out) must_check;

/* Checks a whole list against the entry's level and size: at level 0 the sum
 * is size; above, all pieces but the last are CHUNK_MAX and together they are
 * more than INLINE_MAX. */
bool list_valid(struct bytes list, unsigned level, uint64_t size);

struct list_builder {
	struct buf b;  /* owned; the list so far, without a pending hole */
	uint64_t size; /* sum of all lengths, with the pending hole */
	uint64_t hole; /* pending; joined with the next */
};

/* An empty list of at most max bytes. */
struct list_builder list_build(size_t max);
void list_builder_wipe(struct list_builder *l);

/* length 1..CHUNK_MAX.  FAULT_LIMIT, FAULT_MEMORY. */
int list_add_data(struct list_builder *l,
    const uint8_t id[static CHUNK_ID_LEN], uint32_t length) must_check;

/* Any length; holes that follow each other become one. */
int list_add_hole(struct list_builder *l, uint64_t length) must_check;

/* Writes a pending hole; *out is borrowed from l. */
int list_finish(struct list_builder *l, struct bytes *out) must_check;

#endif
