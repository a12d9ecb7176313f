// SPDX-License-Identifier: Apache-2.0
#include "client/engine/reseal.h"

#include <string.h>

#include "client/engine/fetch.h"
#include "object/node.h"

#define ANY_LEVEL 255u

void
reseal_init(struct reseal *r, struct stow *stow)
{
	memset(r, 0, sizeof(*r));
	r->stow = stow;
	r->source = reader_nodes(stow_reader(stow));
	r->done = idmap_init(sizeof(struct reseal_done));
}

void
reseal_wipe(struct reseal *r)
{
	idmap_wipe(&r->done);
}

void
reseal_again(struct reseal *r)
{
	idmap_wipe(&r->done);
}

void
reseal_drop_old(const struct reseal *r, const struct cache *c)
{
	const size_t step = IDMAP_KEY_LEN + r->done.len;

	for (size_t i = 0; i < r->done.cap; i++) {
		struct reseal_done d;

		if (!r->done.used[i])
			continue;
		memcpy(&d, r->done.p + i * step + IDMAP_KEY_LEN, sizeof(d));
		cache_drop(c, &d.was);
	}
}

static int
failed(struct reseal *r, int rc, struct fault *f)
{
	const struct fault *inner = &stow_reader(r->stow)->fault;

	if (inner->code == rc)
		*f = *inner;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return fault_add(f, rc, "tree");
}

static int
leaf(struct reseal *r, struct bytes node, struct fault *f)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	int rc;

	if (r->entry == NULL) {
		rc = node_check(node, 0, NULL);
		return rc == 0 ? 0 : failed(r, rc, f);
	}
	rc = node_begin(&it, node, 0);
	while (rc == 0 && (rc = node_next(&it)) == 1) {
		rc = r->entry(r->arg, &it.entry, f);
		if (rc != 0)
			return rc;
	}
	return rc == 0 ? 0 : failed(r, rc, f);
}

/* A node, as what is above names it; level ANY for the root. */
struct at {
	const struct ref *ref;
	unsigned level;
	struct bytes key;
	uint64_t entries; /* 0: not known */
};

static int one(struct reseal *r, const struct at *at, struct ref *out,
    struct fault *f);

/* An inner node with its children's new refs, into w. */
static int
inner(struct reseal *r, struct bytes node, unsigned level,
    struct node_writer *w, struct fault *f)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	int rc = node_begin(&it, node, level);

	if (rc == 0)
		rc = node_start(w, level);
	while (rc == 0 && (rc = node_next(&it)) == 1) {
		struct node_child c = it.child;

		rc = one(r, &(struct at){ .ref = &it.child.ref,
		    .level = level - 1, .key = buf_bytes(&it.key),
		    .entries = it.child.entries }, &c.ref, f);
		if (rc != 0)
			return rc;
		rc = node_add_child(w, buf_bytes(&it.key), &c);
	}
	return rc == 0 ? 0 : failed(r, rc, f);
}

static int
load(struct reseal *r, const struct at *at, unsigned *level,
    struct buf *plain, struct fault *f)
{
	int rc = r->source.load(r->source.arg, at->ref, at->level, plain);

	if (rc == 0 && plain->n < NODE_HEADER_LEN)
		rc = FAULT_MALFORMED;
	if (rc != 0)
		return failed(r, rc, f);
	*level = at->level == ANY_LEVEL ? plain->p[1] : at->level;
	return *level <= TREE_LEVEL_MAX ? 0 : failed(r, FAULT_MALFORMED, f);
}

static int
again(struct reseal *r, struct bytes node, unsigned level, struct ref *out,
    struct fault *f)
{
	struct node_writer w defer(node_writer_wipe) = { 0 };
	int rc = level == 0 ? leaf(r, node, f) : inner(r, node, level, &w, f);

	if (rc != 0)
		return rc;
	r->nodes++;
	return stow_ref(r->stow, SEAL_NODE,
	    level == 0 ? node : buf_bytes(&w.b), out, f);
}

/* The depth is bounded: each level is one below. */
static int
one(struct reseal *r, const struct at *at, struct ref *out, struct fault *f)
{
	struct buf plain defer(buf_wipe) = buf_init(NODE_MAX);
	struct reseal_done *memo = idmap_find(&r->done, at->ref->hash);
	struct reseal_done done = { .now = *at->ref, .was = at->ref->place };
	unsigned level = 0;
	int rc;

	if (memo != NULL) {
		*out = memo->now;
		return 0;
	}
	rc = load(r, at, &level, &plain, f);
	if (rc == 0) {
		rc = again(r, buf_bytes(&plain), level, &done.now, f);
	} else if (r->lost != NULL && fetch_is_lost(rc)) {
		r->lost(r->arg, at->key, at->entries, f);
		*f = (struct fault){ 0 };
		rc = 0;
	}
	if (rc != 0)
		return rc;
	memo = idmap_add(&r->done, at->ref->hash);
	if (memo == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	*memo = done;
	*out = done.now;
	return 0;
}

int
reseal_tree(struct reseal *r, const struct ref *root, struct ref *out,
    struct fault *f)
{
	return one(r, &(struct at){ .ref = root, .level = ANY_LEVEL }, out, f);
}
