// SPDX-License-Identifier: Apache-2.0
/*
 * Builds a tree from entries in ascending order (spec/30-tree.md, Shape); equal
 * maps give equal nodes.  Whole nodes of an old tree can be taken over.
 *
 * When that keeps the shape: where a node ends depends on nothing but the items
 * since its own start.  So an old node gives the same nodes as its items would,
 * if (1) nothing is pending in the builder at its level and below, so that it
 * begins where the builder's next node begins, and (2) it and its last
 * descendants ended by the hash or the size rule, which is so if it is not the
 * last node of its level.  (1) is checked by builder_add_node; (2) is the
 * caller's part, and cursor_copy does it.
 */
#ifndef SKERRY_OBJECT_BUILDER_H
#define SKERRY_OBJECT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "object/node.h"

/* Stores a finished node (borrowed for the call) and sets *out: seal_ref, and
 * place.  0 or a FAULT_*, which is passed on. */
struct builder_sink {
	int (*store)(void *arg, unsigned level, struct bytes node,
	    struct ref *out);
	void *arg;
};

/* Appends the plaintext of a node to out, which comes empty: seal_open_ref.
 * level is for information, and above TREE_LEVEL_MAX where it is not known. */
struct node_source {
	int (*load)(void *arg, const struct ref *ref, unsigned level,
	    struct buf *out);
	void *arg;
};

struct builder;

/* The result: an empty tree has no root. */
struct builder_tree {
	bool has_root;
	unsigned level; /* of the root */
	struct ref root;
	uint64_t entries, bytes;
};

/* Derives the tree key from dedup.  Sets *out.  FAULT_MEMORY,
 * FAULT_INTERNAL. */
int builder_new(const struct dedup_key *dedup, struct builder_sink sink,
    struct builder **out) must_check;
void builder_free(struct builder *b);
void builder_freep(struct builder **b);

/* Adds one encoded entry (it is decoded and checked).  key above all before.
 * FAULT_MALFORMED, FAULT_INTERNAL for the order, FAULT_LIMIT; the sink's. */
int builder_add(struct builder *b, struct bytes key,
    struct bytes entry) must_check;

/* The same for an entry that the caller has checked; size: of a file, or 0. */
int builder_add_checked(struct builder *b, struct bytes key,
    struct bytes entry, uint64_t size) must_check;

/* Takes over a whole node: 1 if it was taken, 0 if the builder is not at a
 * boundary of that level (then add its items one by one), or a FAULT_*. */
int builder_add_node(struct builder *b, unsigned level, struct bytes first_key,
    const struct node_child *node) must_check;

/* Stores what is pending.  old is asked only where the root would be a node
 * that was taken over, to see that it has more than one item; may be NULL if
 * none was. */
int builder_finish(struct builder *b, const struct node_source *old,
    struct builder_tree *out) must_check;

#endif
