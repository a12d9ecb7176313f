// SPDX-License-Identifier: Apache-2.0
#include "client/engine/tour.h"

#include <stdlib.h>

#include "client/engine/fetch.h"
#include "client/engine/leaves.h"
#include "object/key.h"

struct tour {
	struct reader *r;
	struct cursor *c;
	struct buf base, prev, next, end;
	bool prev_folder, lost_some, at_end;
	bool given; /* the cursor still stands before what was given */
	struct fault torn; /* base's own entry is lost, but not all below */
	struct leaves leaves;
};

static int
no_memory(struct fault *f, int rc)
{
	return fault_set(f, rc, "%s", fault_text(rc));
}

/* A failure of the cursor: the reader has the text if a load failed. */
static int
node_fault(const struct tour *t, int rc, struct fault *f)
{
	if (t->r->fault.code == rc && t->r->fault.text[0] != '\0')
		*f = t->r->fault;
	else
		*f = (struct fault){ 0 };
	return fault_add(f, rc, "a node of the tree");
}

/* Before a node that is lost, and that base's entry may be in: whether what
 * follows it is below base, so that it was. */
static bool
goes_on_below(struct tour *t)
{
	struct cursor_node node;

	for (unsigned i = 0; !cursor_end(t->c) && i < TREE_LEVEL_MAX; i++)
		if (cursor_at_node(t->c, i, &node))
			return !node.last &&
			    key_within(node.next, buf_bytes(&t->base));
	return false;
}

int
tour_open(struct reader *r, struct bytes base, struct tour **out,
    struct fault *f)
{
	struct tour *t defer(tour_closep) = calloc(1, sizeof(*t));
	const struct commit *commit = r->commit;
	int rc;

	if (t == NULL)
		return no_memory(f, FAULT_MEMORY);
	t->r = r;
	t->base = buf_init(KEY_BYTES_MAX);
	t->prev = buf_init(KEY_BYTES_MAX);
	t->next = buf_init(KEY_BYTES_MAX);
	t->end = buf_init(KEY_BYTES_MAX + 1);
	r->fault = (struct fault){ 0 };
	rc = buf_append(&t->base, base.p, base.n);
	if (rc == 0)
		rc = cursor_new(commit->has_root ? &commit->root : NULL,
		    CURSOR_LEVEL_ANY, reader_nodes(r), &t->c);
	if (rc != 0)
		return no_memory(f, rc);
	rc = cursor_seek(t->c, base);
	if (rc >= 0) {
		t->at_end = rc == 0;
		if (base.n != 0 &&
		    (t->at_end || bytes_cmp(cursor_key(t->c), base) != 0))
			return fault_set(f, FAULT_NOT_FOUND,
			    "not in the commit");
		rc = base.n == 0 ? 0 : cursor_entry(t->c, NULL, NULL);
	}
	if (rc < 0) {
		(void)node_fault(t, rc, f);
		if (base.n == 0 || !fetch_is_local(rc) || !goes_on_below(t))
			return rc;
		t->torn = *f;
		*f = (struct fault){ 0 };
	}
	*out = take(t);
	return 0;
}

static void
keep(struct buf *b, struct bytes key, int *rc)
{
	b->n = 0;
	if (*rc == 0)
		*rc = buf_append(b, key.p, key.n);
}

/* Past a node that cannot be read, as f says.  How much of it was below base is
 * known only where all of it was. */
static int
pass_node(struct tour *t, struct tour_item *out, struct fault *f)
{
	struct bytes base = buf_bytes(&t->base), key = cursor_key(t->c);
	bool below = key_within(key, base);
	struct cursor_node node;
	int rc = 0;

	*out = (struct tour_item){ 0 };
	keep(&t->prev, below ? key : base, &rc);
	if (rc != 0)
		return no_memory(f, rc);
	out->key = buf_bytes(&t->prev);
	t->lost_some = true;
	t->prev_folder = false;
	for (unsigned i = 0; i < TREE_LEVEL_MAX; i++) {
		if (!cursor_at_node(t->c, i, &node))
			continue;
		if (base.n == 0 ||
		    (below && !node.last && key_within(node.next, base)))
			out->lost = node.child.entries;
		t->at_end = cursor_skip_node(t->c, i) != 1;
		return TOUR_LOST;
	}
	/* In the midst of a leaf, or at the root. */
	rc = t->next.n == 0 ? 0 : cursor_seek(t->c, buf_bytes(&t->next));
	if (rc < 0 && !fetch_is_local(rc))
		return node_fault(t, rc, f);
	t->next.n = 0;
	t->at_end = rc == 0 || cursor_end(t->c);
	return TOUR_LOST;
}

/* What the cursor met: a node to pass, or the end of the tour. */
static int
met(struct tour *t, int rc, struct tour_item *out, struct fault *f)
{
	(void)node_fault(t, rc, f);
	return fetch_is_local(rc) ? pass_node(t, out, f) : rc;
}

/* Notes where the leaf ends whose start is ahead. */
static int
note_leaf(struct tour *t)
{
	struct cursor_node node;
	int rc = 0;

	if (cursor_at_node(t->c, 0, &node))
		keep(&t->next, node.next, &rc);
	return rc;
}

int
tour_next(struct tour *t, struct tour_item *out, struct fault *f)
{
	struct bytes key;
	bool first = t->prev.n == 0;
	int rc;

	t->r->fault = (struct fault){ 0 };
	if (t->torn.code != 0) {
		*f = t->torn;
		t->torn.code = 0;
		return pass_node(t, out, f);
	}
	if (t->given && !t->at_end) {
		t->given = false;
		rc = cursor_next(t->c);
		if (rc < 0)
			return met(t, rc, out, f);
		t->at_end = rc == 0;
	}
	if (t->at_end || !key_within(cursor_key(t->c), buf_bytes(&t->base)))
		return TOUR_END;
	rc = note_leaf(t);
	if (rc != 0)
		return no_memory(f, rc);
	rc = cursor_entry(t->c, &out->raw, &out->e);
	if (rc < 0)
		return met(t, rc, out, f);
	leaves_ahead(&t->leaves, t->r, t->c, buf_bytes(&t->base));
	key = cursor_key(t->c);
	out->orphan = !(first && t->base.n != 0) &&
	    !key_follows(buf_bytes(&t->prev), t->prev_folder, key);
	out->after_lost = t->lost_some;
	out->lost = 0;
	/* What stands beside or below an orphan is one too. */
	if (!out->orphan || t->lost_some) {
		keep(&t->prev, key, &rc);
		t->prev_folder = out->e->type == ENTRY_FOLDER;
	}
	if (rc != 0)
		return no_memory(f, rc);
	out->key = key;
	t->given = true;
	return TOUR_ENTRY;
}

int
tour_skip_below(struct tour *t, struct fault *f)
{
	int rc;

	if (!t->given || t->at_end)
		return 0;
	rc = key_end(cursor_key(t->c), &t->end);
	if (rc != 0)
		return no_memory(f, rc);
	t->r->fault = (struct fault){ 0 };
	rc = cursor_seek(t->c, buf_bytes(&t->end));
	t->given = false;
	/* It then stands before the node that cannot be read. */
	if (rc < 0 && fetch_is_local(rc) && !cursor_end(t->c))
		return 0;
	if (rc < 0)
		return node_fault(t, rc, f);
	t->at_end = rc == 0;
	return 0;
}

void
tour_close(struct tour *t)
{
	if (t == NULL)
		return;
	cursor_free(t->c);
	buf_wipe(&t->base);
	buf_wipe(&t->prev);
	buf_wipe(&t->next);
	buf_wipe(&t->end);
	free(t);
}

void
tour_closep(struct tour **t)
{
	tour_close(*t);
}
