// SPDX-License-Identifier: Apache-2.0
/*
 * Makes a segment: takes entries in order, seals blocks, hands each to the
 * caller, who puts it into a pack and tells where (spec/20-pack.md, Index).
 */
#ifndef SKERRY_OBJECT_SEGWRITE_H
#define SKERRY_OBJECT_SEGWRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "object/index.h"
#include "object/seal.h"
#include "object/segment.h"

/* Stores one sealed block (borrowed for the call) and sets *out to its place.
 * 0 or a FAULT_*, which is passed on. */
struct segwrite_sink {
	int (*put)(void *arg, struct bytes sealed, struct place *out);
	void *arg;
};

struct segwrite;

/* A segment of exactly entries entries; borrows s for its life.  FAULT_LIMIT
 * for 0 or too many, FAULT_MEMORY. */
int segwrite_new(struct seal *s, uint64_t entries, struct segwrite_sink sink,
    struct segwrite **out) must_check;
void segwrite_free(struct segwrite *w);
void segwrite_freep(struct segwrite **w);

/* Ids strictly ascending.  FAULT_INTERNAL for one out of order or too many;
 * what the sink returned. */
int segwrite_add(struct segwrite *w, const struct index_entry *e) must_check;

/* Seals the last block and sets *out (caller wipes).  FAULT_INTERNAL where
 * entries are missing. */
int segwrite_finish(struct segwrite *w, struct segment *out) must_check;

/* All of it for an array, which index_sort sorts in place; n >= 1. */
int segwrite_array(struct seal *s, struct index_entry *e, size_t n,
    struct segwrite_sink sink, struct segment *out) must_check;

#endif
