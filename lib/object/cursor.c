// SPDX-License-Identifier: Apache-2.0
#include "object/cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/secret.h"
#include "object/key.h"

#define STAGES (TREE_LEVEL_MAX + 1u)

/* The node of one level on the way to the position.  From level low up to top,
 * each iterator has read the item that leads there. */
struct stage {
	bool loaded;
	struct ref ref; /* of the node in buf */
	struct buf buf;
	struct node_iter it;
};

struct cursor {
	struct node_source source;
	bool has_root;
	struct ref root;
	unsigned top; /* level of the root; CURSOR_LEVEL_ANY: not known yet */
	unsigned low; /* lowest level with a node on the way */
	bool placed;  /* a seek was made */
	bool end;
	struct buf next; /* key for cursor_node.next */
	struct stage stage[STAGES];
};

int
cursor_new(const struct ref *root, unsigned level, struct node_source source,
    struct cursor **out)
{
	struct cursor *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return FAULT_MEMORY;
	c->source = source;
	c->has_root = root != NULL;
	if (root != NULL)
		c->root = *root;
	c->top = level;
	for (size_t i = 0; i < STAGES; i++)
		c->stage[i].buf = buf_init(NODE_MAX);
	*out = c;
	return 0;
}

void
cursor_free(struct cursor *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < STAGES; i++) {
		buf_wipe(&c->stage[i].buf);
		node_iter_wipe(&c->stage[i].it);
	}
	buf_wipe(&c->next);
	secret_wipe(c, sizeof(*c));
	free(c);
}

void
cursor_freep(struct cursor **c)
{
	cursor_free(*c);
	*c = NULL;
}

static bool
same_ref(const struct ref *a, const struct ref *b)
{
	return memcmp(a->hash, b->hash, HASH_LEN) == 0;
}

/* Loads into s, where it is not there yet, the node of ref. */
static int
load(struct cursor *c, struct stage *s, const struct ref *ref, unsigned level)
{
	int rc;

	if (s->loaded && same_ref(&s->ref, ref))
		return 0;
	s->loaded = false;
	s->buf.n = 0;
	rc = c->source.load(c->source.arg, ref, level, &s->buf);
	if (rc != 0)
		return rc;
	s->ref = *ref;
	s->loaded = true;
	return 0;
}

/* Stands before the first item of the node of this level. */
static int
rewind_to(struct cursor *c, unsigned level)
{
	struct stage *s = &c->stage[level];
	int rc = node_begin(&s->it, buf_bytes(&s->buf), level);

	if (rc == 0)
		rc = node_next(&s->it);
	if (rc < 0) {
		s->loaded = false;
		return rc;
	}
	return rc == 1 ? 0 : FAULT_MALFORMED;
}

/* [tree]: what the parent says of its child is so. */
static int
check_child(const struct node_iter *up, struct stage *s, unsigned level)
{
	struct node_child sum = { .entries = s->it.count };
	int rc = 0;

	if (level > 0)
		rc = node_check(buf_bytes(&s->buf), level, &sum);
	if (rc != 0)
		return rc;
	if (bytes_cmp(buf_bytes(&s->it.key), buf_bytes(&up->key)) != 0 ||
	    sum.entries != up->child.entries ||
	    (level > 0 && sum.bytes != up->child.bytes))
		return FAULT_MALFORMED;
	return 0;
}

/* Goes down from low to the child of its current item. */
static int
descend(struct cursor *c)
{
	const struct node_iter *up = &c->stage[c->low].it;
	struct stage *s = &c->stage[c->low - 1];
	int rc = load(c, s, &up->child.ref, c->low - 1);

	if (rc == 0)
		rc = rewind_to(c, c->low - 1);
	if (rc == 0)
		rc = check_child(up, s, c->low - 1);
	if (rc != 0) {
		s->loaded = false;
		return rc;
	}
	c->low--;
	return 0;
}

/* Loads the root; learns its level where that is not known. */
static int
load_root(struct cursor *c)
{
	struct stage *s = &c->stage[TREE_LEVEL_MAX];
	unsigned level;
	int rc;

	if (c->top != CURSOR_LEVEL_ANY) {
		if (c->top > TREE_LEVEL_MAX)
			return FAULT_MALFORMED;
		return load(c, &c->stage[c->top], &c->root, c->top);
	}
	rc = load(c, s, &c->root, c->top);
	if (rc != 0)
		return rc;
	level = s->buf.n < NODE_HEADER_LEN ? 0 : s->buf.p[1];
	if (level > TREE_LEVEL_MAX)
		return FAULT_MALFORMED;
	if (level != TREE_LEVEL_MAX) {
		struct stage t = c->stage[level];

		c->stage[level] = *s;
		*s = t;
	}
	c->top = level;
	return 0;
}

static struct bytes
key_at(const struct cursor *c, unsigned level)
{
	return buf_bytes(&c->stage[level].it.key);
}

/* Goes to the next item of level, or of the first level above that has one. */
static int
climb(struct cursor *c, unsigned level)
{
	for (; level <= c->top; level++) {
		int rc = node_next(&c->stage[level].it);

		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		/* [tree]: keys ascend from node to node too */
		for (unsigned i = c->low; i < level; i++) {
			if (bytes_cmp(key_at(c, i), key_at(c, level)) >= 0)
				return FAULT_MALFORMED;
		}
		c->low = level;
		return 1;
	}
	c->end = true;
	return 0;
}

/* In the inner node at low: to the last item whose key is not above key, or
 * the first item. */
static int
find_item(struct cursor *c, struct bytes key)
{
	struct node_iter *it = &c->stage[c->low].it;
	int rc;

	while ((rc = node_peek(it, &c->next)) == 1 &&
	    bytes_cmp(buf_bytes(&c->next), key) <= 0) {
		rc = node_next(it);
		if (rc != 1)
			break;
	}
	return rc < 0 ? rc : 0;
}

/* Stands at the first item of low's node, unless it is at one that is not
 * above key already. */
static int
settle(struct cursor *c, bool kept, struct bytes key)
{
	const struct node_iter *it = &c->stage[c->low].it;

	if (kept && it->at != 0 && bytes_cmp(buf_bytes(&it->key), key) <= 0)
		return 0;
	return rewind_to(c, c->low);
}

/* Down one level on the way to key; a node that is the right one already is
 * not read anew from its start. */
static int
step_down(struct cursor *c, struct bytes key)
{
	const struct node_iter *up = &c->stage[c->low].it;
	struct stage *s = &c->stage[c->low - 1];

	if (!s->loaded || !same_ref(&s->ref, &up->child.ref))
		return descend(c);
	c->low--;
	return settle(c, true, key);
}

int
cursor_seek(struct cursor *c, struct bytes key)
{
	bool kept = c->placed;
	int rc;

	c->placed = true;
	c->end = !c->has_root;
	if (c->end)
		return 0;
	rc = load_root(c);
	if (rc == 0) {
		c->low = c->top;
		rc = settle(c, kept, key);
	}
	while (rc == 0 && c->low > 0) {
		rc = find_item(c, key);
		if (rc == 0 && bytes_cmp(key_at(c, c->low), key) >= 0)
			return 1;
		if (rc == 0)
			rc = step_down(c, key);
	}
	if (rc != 0)
		return rc;
	while (bytes_cmp(key_at(c, 0), key) < 0) {
		rc = climb(c, 0);
		if (rc != 1 || c->low > 0)
			return rc;
	}
	return 1;
}

/* Loads down to the leaf of the position. */
static int
reach_leaf(struct cursor *c)
{
	int rc = 0;

	while (rc == 0 && c->low > 0)
		rc = descend(c);
	return rc;
}

int
cursor_next(struct cursor *c)
{
	int rc;

	assert(c->placed);
	if (c->end)
		return 0;
	rc = reach_leaf(c);
	return rc != 0 ? rc : climb(c, 0);
}

bool
cursor_end(const struct cursor *c)
{
	return c->placed && c->end;
}

struct bytes
cursor_key(const struct cursor *c)
{
	assert(c->placed && !c->end);
	return key_at(c, c->low);
}

int
cursor_entry(struct cursor *c, struct bytes *raw, const struct tree_entry **e)
{
	int rc;

	assert(c->placed && !c->end);
	rc = reach_leaf(c);
	if (rc != 0)
		return rc;
	if (raw != NULL)
		*raw = c->stage[0].it.raw;
	if (e != NULL)
		*e = &c->stage[0].it.entry;
	return 0;
}

bool
cursor_at_node(struct cursor *c, unsigned level, struct cursor_node *out)
{
	const struct node_iter *up;

	if (!c->placed || c->end || level >= c->top || level + 1 < c->low)
		return false;
	for (unsigned i = c->low; i <= level; i++) {
		if (c->stage[i].it.at != 1)
			return false;
	}
	up = &c->stage[level + 1].it;
	out->child = up->child;
	out->first = buf_bytes(&up->key);
	out->last = true;
	out->next = bytes_of(NULL, 0);
	for (unsigned i = level + 1; out->last && i <= c->top; i++) {
		if (node_peek(&c->stage[i].it, &c->next) == 1) {
			out->last = false;
			out->next = buf_bytes(&c->next);
		}
	}
	return true;
}

uint32_t
cursor_leaf(const struct cursor *c)
{
	return !c->placed || c->end || c->low > 0 || c->top == 0 ? 0 :
	    c->stage[1].it.at;
}

size_t
cursor_ahead(const struct cursor *c, struct bytes base, struct place *out,
    size_t max)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	const struct node_iter *up;
	size_t n = 0;

	if (cursor_leaf(c) == 0)
		return 0;
	up = &c->stage[1].it;
	it = *up;
	it.key = buf_init(KEY_BYTES_MAX);
	if (buf_append(&it.key, up->key.p, up->key.n) != 0)
		return 0;
	while (n < max && node_next(&it) == 1 &&
	    key_within(buf_bytes(&it.key), base))
		out[n++] = it.child.ref.place;
	return n;
}

int
cursor_skip_node(struct cursor *c, unsigned level)
{
	assert(c->placed && !c->end && level < c->top && level + 1 >= c->low);
	c->low = level + 1;
	return climb(c, level + 1);
}

/* Hands the greatest node at the position that b takes and that ends below
 * until to b.  1 if one was taken and passed, 0 if none, or a FAULT_*. */
static int
graft(struct cursor *c, struct builder *b, struct bytes until)
{
	unsigned least = c->low == 0 ? 0 : c->low - 1;
	struct cursor_node node;

	if (c->low == 0 && c->stage[0].it.at != 1)
		return 0;
	for (unsigned i = c->top; i-- > least;) {
		int rc;

		if (!cursor_at_node(c, i, &node) || node.last ||
		    (until.n != 0 && bytes_cmp(node.next, until) > 0))
			continue;
		rc = builder_add_node(b, i, node.first, &node.child);
		if (rc == 0)
			continue;
		if (rc == 1)
			rc = cursor_skip_node(c, i);
		return rc < 0 ? rc : 1;
	}
	return 0;
}

int
cursor_copy(struct cursor *c, struct builder *b, struct bytes until)
{
	int rc = c->placed ? 1 : cursor_seek(c, bytes_of(NULL, 0));

	while (rc >= 0 && !c->end &&
	    (until.n == 0 || bytes_cmp(cursor_key(c), until) < 0)) {
		const struct node_iter *it = &c->stage[0].it;

		rc = graft(c, b, until);
		if (rc != 0)
			continue;
		if (c->low > 0) {
			rc = descend(c);
			continue;
		}
		rc = builder_add_checked(b, buf_bytes(&it->key), it->raw,
		    it->entry.size);
		if (rc == 0)
			rc = climb(c, 0);
	}
	return rc < 0 ? rc : 0;
}
