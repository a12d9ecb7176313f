// SPDX-License-Identifier: Apache-2.0
#include "object/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/hash.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "object/key.h"

#define STAGES (TREE_LEVEL_MAX + 1u)

/* One level.  Its first node is held back from the level above until something
 * follows it, for if nothing does, it is the root. */
struct stage {
	struct node_writer w; /* pending where w.count != 0 */
	bool open;            /* w was started */
	bool held;
	bool taken;     /* the first node was taken over */
	uint64_t nodes; /* finished; of those below a taken one, 2 at least */
	struct buf key; /* first key of the held node */
	struct node_child child;
};

struct builder {
	struct builder_sink sink;
	uint8_t *tree_key; /* secret memory */
	struct buf last;   /* last key; of a taken node, its first */
	struct buf text;   /* what the shape rule hashes */
	struct stage stage[STAGES];
};

int
builder_new(const struct dedup_key *dedup, struct builder_sink sink,
    struct builder **out)
{
	struct builder *b defer(builder_freep) = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL)
		return FAULT_MEMORY;
	b->sink = sink;
	b->last = buf_init(KEY_BYTES_MAX);
	b->text = buf_init(KEY_BYTES_MAX + 1);
	for (size_t i = 0; i < STAGES; i++)
		b->stage[i].key = buf_init(KEY_BYTES_MAX);
	b->tree_key = secret_new(HASH_SIP_KEY_LEN);
	if (b->tree_key == NULL)
		return FAULT_MEMORY;
	rc = kdf_hkdf(bytes_of(dedup->b, KEY_LEN), bytes_of(NULL, 0),
	    "skerry/1 tree", b->tree_key, HASH_SIP_KEY_LEN);
	if (rc != 0)
		return rc;
	*out = take(b);
	return 0;
}

void
builder_free(struct builder *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < STAGES; i++) {
		node_writer_wipe(&b->stage[i].w);
		buf_wipe(&b->stage[i].key);
		secret_wipe(&b->stage[i].child, sizeof(struct node_child));
	}
	buf_wipe(&b->last);
	buf_wipe(&b->text);
	secret_free(b->tree_key);
	free(b);
}

void
builder_freep(struct builder **b)
{
	builder_free(*b);
	*b = NULL;
}

/* [tree]: does the pending node of this level end after its last item? */
static int
ends(struct builder *b, unsigned level)
{
	const struct node_writer *w = &b->stage[level].w;
	const uint8_t lev = (uint8_t)level;
	int rc;

	if (w->b.n >= NODE_CUT)
		return 1;
	b->text.n = 0;
	rc = buf_append(&b->text, &lev, 1);
	if (rc == 0)
		rc = buf_append(&b->text, w->last.p, w->last.n);
	if (rc != 0)
		return rc;
	return hash_sip(b->tree_key, buf_bytes(&b->text)) % 256 == 0;
}

static int
start(struct builder *b, unsigned level)
{
	struct stage *s = &b->stage[level];
	int rc = s->open ? 0 : node_start(&s->w, level);

	if (rc == 0)
		s->open = true;
	return rc;
}

/* Stores the pending node of this level; its first key stays in w.first until
 * the next item comes. */
static int
store(struct builder *b, unsigned level, struct node_child *out)
{
	struct stage *s = &b->stage[level];
	int rc;

	*out = s->w.sum;
	rc = b->sink.store(b->sink.arg, level, buf_bytes(&s->w.b), &out->ref);
	s->w.count = 0;
	s->open = false;
	return rc;
}

/* Adds an item for a child.  1: that ended the node, and *out is its ref. */
static int
push(struct builder *b, unsigned level, struct bytes key,
    const struct node_child *child, struct node_child *out)
{
	int rc;

	if (level >= STAGES)
		return FAULT_LIMIT;
	rc = start(b, level);
	if (rc == 0)
		rc = node_add_child(&b->stage[level].w, key, child);
	if (rc == 0)
		rc = ends(b, level);
	if (rc != 1)
		return rc;
	rc = store(b, level, out);
	return rc != 0 ? rc : 1;
}

/* A node of this level is complete: hold it, or tell the level above. */
static int
finished(struct builder *b, unsigned level, struct bytes key,
    struct node_child child)
{
	struct node_child up;
	int rc;

	for (;; level++) {
		struct stage *s = &b->stage[level];

		if (s->nodes++ == 0) {
			s->held = true;
			s->child = child;
			s->key.n = 0;
			return buf_append(&s->key, key.p, key.n);
		}
		rc = push(b, level + 1, key, &child, &up);
		if (rc != 1)
			return rc;
		key = buf_bytes(&b->stage[level + 1].w.first);
		child = up;
	}
}

/* Something follows, so no node that is held is the root. */
static int
release(struct builder *b)
{
	struct node_child up;

	for (unsigned i = 0; i < STAGES; i++) {
		struct stage *s = &b->stage[i];
		int rc;

		if (!s->held)
			continue;
		s->held = false;
		rc = push(b, i + 1, buf_bytes(&s->key), &s->child, &up);
		if (rc == 1)
			rc = finished(b, i + 1,
			    buf_bytes(&b->stage[i + 1].w.first), up);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
follow(struct builder *b, struct bytes key)
{
	if (!key_valid(key))
		return FAULT_MALFORMED;
	if (bytes_cmp(buf_bytes(&b->last), key) >= 0)
		return FAULT_INTERNAL;
	b->last.n = 0;
	return buf_append(&b->last, key.p, key.n);
}

int
builder_add_checked(struct builder *b, struct bytes key, struct bytes entry,
    uint64_t size)
{
	struct node_child done;
	int rc = follow(b, key);

	if (rc == 0)
		rc = release(b);
	if (rc == 0)
		rc = start(b, 0);
	if (rc == 0)
		rc = node_add_entry(&b->stage[0].w, key, entry, size);
	if (rc == 0)
		rc = ends(b, 0);
	if (rc != 1)
		return rc;
	rc = store(b, 0, &done);
	if (rc != 0)
		return rc;
	return finished(b, 0, buf_bytes(&b->stage[0].w.first), done);
}

int
builder_add(struct builder *b, struct bytes key, struct bytes entry)
{
	struct tree_entry e;
	int rc = entry_decode(entry, &e);

	return rc != 0 ? rc : builder_add_checked(b, key, entry, e.size);
}

int
builder_add_node(struct builder *b, unsigned level, struct bytes first_key,
    const struct node_child *node)
{
	int rc;

	if (level > TREE_LEVEL_MAX)
		return FAULT_LIMIT;
	rc = release(b);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i <= level; i++) {
		if (b->stage[i].w.count != 0)
			return 0;
	}
	rc = follow(b, first_key);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < level; i++)
		b->stage[i].nodes += 2;
	b->stage[level].taken |= b->stage[level].nodes == 0;
	rc = finished(b, level, first_key, *node);
	return rc != 0 ? rc : 1;
}

/* A node that was taken over may have one item only; then its child was the
 * only node of its own level, and is the root. */
static int
descend(const struct node_source *old, struct builder_tree *t)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	struct buf node defer(buf_wipe) = buf_init(NODE_MAX);
	int rc = 0;

	if (old == NULL)
		return FAULT_INTERNAL;
	while (rc == 0 && t->level > 0) {
		node.n = 0;
		rc = old->load(old->arg, &t->root, t->level, &node);
		if (rc == 0)
			rc = node_begin(&it, buf_bytes(&node), t->level);
		if (rc == 0 && it.count > 1)
			break;
		if (rc == 0)
			rc = node_next(&it);
		if (rc < 0)
			return rc;
		t->root = it.child.ref;
		t->level--;
		rc = 0;
	}
	return rc;
}

int
builder_finish(struct builder *b, const struct node_source *old,
    struct builder_tree *out)
{
	struct builder_tree t = { 0 };
	struct node_child done;
	int rc = 0;

	for (unsigned i = 0; i < STAGES; i++) {
		struct stage *s = &b->stage[i];

		if (s->w.count != 0) {
			rc = store(b, i, &done);
			if (rc == 0)
				rc = finished(b, i, buf_bytes(&s->w.first),
				    done);
		}
		if (rc != 0)
			return rc;
		if (s->nodes != 1)
			continue;
		t = (struct builder_tree){ .has_root = true, .level = i,
			.root = s->child.ref, .entries = s->child.entries,
			.bytes = s->child.bytes };
		if (s->taken && i > 0)
			rc = descend(old, &t);
		break;
	}
	if (rc == 0)
		*out = t;
	return rc;
}
