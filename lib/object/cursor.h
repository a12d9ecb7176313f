// SPDX-License-Identifier: Apache-2.0
/*
 * Walks a tree (spec/30-tree.md).  Each node that is loaded is checked: level,
 * first key against the item that led there, order.  A cursor stands before an
 * entry, or before a whole node that is not loaded yet, so that a node can be
 * skipped or taken over without being loaded.
 */
#ifndef SKERRY_OBJECT_CURSOR_H
#define SKERRY_OBJECT_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "object/builder.h"
#include "object/node.h"

struct cursor;

/* Sets *out; loads nothing yet.  root NULL: the empty tree.  level is that of
 * the root; CURSOR_LEVEL_ANY takes it from the node itself.  Copies ref and
 * source.  FAULT_MEMORY. */
#define CURSOR_LEVEL_ANY 255u
int cursor_new(const struct ref *root, unsigned level,
    struct node_source source, struct cursor **out) must_check;
void cursor_free(struct cursor *c);
void cursor_freep(struct cursor **c);

/* Stands before the first entry whose key is >= key (empty: the first of all;
 * not borrowed from c).  Any direction; nodes that are loaded are used again.
 * 1, 0 at the end, or FAULT_MALFORMED, FAULT_VERSION, the source's. */
int cursor_seek(struct cursor *c, struct bytes key) must_check;

/* Goes past one entry; the same results. */
int cursor_next(struct cursor *c) must_check;

/* Past the last entry. */
bool cursor_end(const struct cursor *c);

/* Key of the entry ahead, known without loading its leaf; borrowed until the
 * cursor moves.  Not at the end. */
struct bytes cursor_key(const struct cursor *c);

/* The entry ahead, loading what is needed: its bytes in *raw and decoded in
 * *e (either may be NULL); borrowed until the cursor moves. */
int cursor_entry(struct cursor *c, struct bytes *raw,
    const struct tree_entry **e) must_check;

/* Which item of the node above the leaf of the position is, from 1 on; 0 where
 * no leaf is loaded, or it is the root. */
uint32_t cursor_leaf(const struct cursor *c);

/* Places of the leaves behind that of the position, as far as the node above
 * knows them and their first keys are within base: n of them, at most max.
 * None where cursor_leaf is 0. */
size_t cursor_ahead(const struct cursor *c, struct bytes base,
    struct place *out, size_t max);

/* A node at whose start the cursor stands. */
struct cursor_node {
	struct node_child child;
	struct bytes first; /* key; borrowed until the cursor moves */
	bool last;          /* the last of its level */
	struct bytes next;  /* first key after the node, unless last; same */
};

/* Is the cursor before the first entry of a node of this level, whose ref is
 * known?  (Nodes below one that is not loaded are not known.) */
bool cursor_at_node(struct cursor *c, unsigned level,
    struct cursor_node *out);

/* Goes past the whole node of that level; cursor_at_node was true.  1, 0 at
 * the end, or a FAULT_*. */
int cursor_skip_node(struct cursor *c, unsigned level) must_check;

/*
 * Adds all entries ahead with keys below until (all if empty) to b, taking over
 * whole nodes wherever that keeps the shape, and stands after them.  To edit a
 * tree: copy up to each key that changes, add or pass over it, and copy the
 * rest.  until is not borrowed from c.  0 or a FAULT_*.
 */
int cursor_copy(struct cursor *c, struct builder *b,
    struct bytes until) must_check;

#endif
