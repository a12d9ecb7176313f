// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a path and all below it in key order, as far as it can be read: a node
 * that is missing or bad is reported and passed, and what follows it is still
 * given.  spec/30-tree.md.
 */
#ifndef SKERRY_CLIENT_ENGINE_TOUR_H
#define SKERRY_CLIENT_ENGINE_TOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/reader.h"
#include "object/cursor.h"

struct tour;

enum tour_result {
	TOUR_END = 0,
	TOUR_ENTRY,
	TOUR_LOST, /* entries from item.key on cannot be read; f says why */
};

struct tour_item {
	struct bytes key; /* borrowed until the next call, as the rest */
	const struct tree_entry *e;
	struct bytes raw;
	bool orphan;   /* its folder has no entry: [tree] forbids it, but after
	                * lost entries it can be */
	bool after_lost;
	uint64_t lost; /* TOUR_LOST: how many; 0: not known */
};

/* base empty: the whole tree; else base's entry and all below; where its own
 * entry cannot be read, but some below it may, that begins with TOUR_LOST.
 * Borrows r, whose commit has the tree.  FAULT_NOT_FOUND, FAULT_MEMORY, as
 * reader_nodes. */
int tour_open(struct reader *r, struct bytes base, struct tour **out,
    struct fault *f) must_check;

/* An enum tour_result, or a FAULT_* that ends the tour. */
int tour_next(struct tour *t, struct tour_item *out,
    struct fault *f) must_check;

/* Passes everything below the entry given last, mostly without loading it. */
int tour_skip_below(struct tour *t, struct fault *f) must_check;

void tour_close(struct tour *t);
void tour_closep(struct tour **t);

#endif
