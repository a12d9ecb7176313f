// SPDX-License-Identifier: Apache-2.0
/* One node of the tree as bytes: spec/30-tree.md, Node. */
#ifndef SKERRY_OBJECT_NODE_H
#define SKERRY_OBJECT_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/rd.h"
#include "object/entry.h"
#include "object/limits.h"
#include "object/ref.h"

#define NODE_HEADER_LEN 8u

/* What an inner item says of its child. */
struct node_child {
	uint64_t entries; /* leaf items below */
	uint64_t bytes;   /* sizes of files below */
	struct ref ref;
};

/* Reads the items of a node one after another. */
struct node_iter {
	struct rd r;
	unsigned level;
	uint32_t count; /* items in the node */
	uint32_t at;    /* items read */
	struct buf key; /* owned; of the item read last */

	struct bytes raw;        /* leaf: the entry's bytes; borrowed */
	struct tree_entry entry; /* leaf */
	struct node_child child; /* inner */
};

/* it is zeroed or was used before; its key buffer is used again.  Borrows
 * node, whose level must be level.  FAULT_VERSION, FAULT_MALFORMED,
 * FAULT_MEMORY. */
int node_begin(struct node_iter *it, struct bytes node,
    unsigned level) must_check;

/* 1 and the item in it->key and raw, entry or child; 0 at the end;
 * FAULT_MALFORMED. */
int node_next(struct node_iter *it) must_check;

/* Frees the key buffer; fit for defer(). */
void node_iter_wipe(struct node_iter *it);

/* Key of the item after the one read last, into *out (emptied first); 1, 0 at
 * the end, FAULT_MALFORMED. */
int node_peek(const struct node_iter *it, struct buf *out) must_check;

/* The whole node is well formed; *sum (may be NULL) gets the totals of its
 * items, and no ref.  FAULT_VERSION, FAULT_MALFORMED, FAULT_MEMORY. */
int node_check(struct bytes node, unsigned level,
    struct node_child *sum) must_check;

/* A node that is being written. */
struct node_writer {
	struct buf b;     /* owned; the encoded node, count in place */
	struct buf first; /* owned; key of the first item */
	struct buf last;  /* owned; key of the last item */
	unsigned level;
	uint32_t count;
	struct node_child sum; /* totals of the items; no ref */
};

/* Begins an empty node; w is zeroed or was used before. */
int node_start(struct node_writer *w, unsigned level) must_check;
void node_writer_wipe(struct node_writer *w);

/* Appends one item with a key above the last.  size: of the file, or 0.
 * FAULT_INTERNAL for a key out of order, FAULT_LIMIT, FAULT_MEMORY; w is then
 * fit for node_start and node_writer_wipe only. */
int node_add_entry(struct node_writer *w, struct bytes key, struct bytes entry,
    uint64_t size) must_check;
int node_add_child(struct node_writer *w, struct bytes key,
    const struct node_child *c) must_check;

#endif
