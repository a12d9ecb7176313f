// SPDX-License-Identifier: Apache-2.0
#include "client/engine/draft.h"

#include <string.h>

#include "client/engine/fetch.h"
#include "client/engine/mend.h"
#include "client/engine/tour.h"
#include "object/cursor.h"
#include "object/key.h"

void
draft_init(struct draft *d, struct reader *r)
{
	memset(d, 0, sizeof(*d));
	d->reader = r;
	d->nodes = reader_nodes(r);
	d->made = idmap_init(sizeof(struct buf));
}

void
draft_wipe(struct draft *d)
{
	for (size_t i = 0; i < d->made.cap; i++) {
		struct buf b;

		if (!d->made.used[i])
			continue;
		memcpy(&b, d->made.p + i * (IDMAP_KEY_LEN + sizeof(b)) +
		    IDMAP_KEY_LEN, sizeof(b));
		buf_wipe(&b);
	}
	idmap_wipe(&d->made);
}

/* A ref that only this draft understands: it is known by its hash. */
static int
store(void *arg, unsigned level, struct bytes node, struct ref *out)
{
	struct draft *d = arg;
	struct ref ref = { .plain_len = (uint32_t)node.n };
	struct buf b = buf_init(NODE_MAX);
	void *at;
	int rc = seal_hash(d->reader->seal, &node, 1, &ref.hash);

	(void)level;
	ref.place.length = SEAL_OVERHEAD;
	if (rc == 0 && idmap_find(&d->made, ref.hash) == NULL) {
		rc = buf_append(&b, node.p, node.n);
		at = rc == 0 ? idmap_add(&d->made, ref.hash) : NULL;
		if (at == NULL) {
			buf_wipe(&b);
			return FAULT_MEMORY;
		}
		memcpy(at, &b, sizeof(b));
	}
	if (rc == 0)
		*out = ref;
	return rc;
}

static int
load(void *arg, const struct ref *ref, unsigned level, struct buf *out)
{
	struct draft *d = arg;
	const void *at = idmap_find(&d->made, ref->hash);
	struct buf b;

	if (at == NULL)
		return d->nodes.load(d->nodes.arg, ref, level, out);
	memcpy(&b, at, sizeof(b));
	return buf_append(out, b.p, b.n);
}

struct node_source
draft_nodes(struct draft *d)
{
	return (struct node_source){ .load = load, .arg = d };
}

static int
failed(struct draft *d, int rc, struct fault *f)
{
	if (d->reader->fault.code == rc)
		*f = d->reader->fault;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return fault_add(f, rc, "tree");
}

/* 1 if the tree has one of the keys, 0, or a fault. */
static int
has_any(struct cursor *c, const struct bytes *key, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = cursor_seek(c, key[i]);

		if (rc < 0)
			return rc;
		if (rc == 1 && key_within(cursor_key(c), key[i]))
			return 1;
	}
	return 0;
}

static int
copy_rest(struct cursor *c, struct builder *b, const struct bytes *key,
    size_t n)
{
	int rc = cursor_seek(c, bytes_of(NULL, 0));

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		struct buf end defer(buf_wipe) = buf_init(KEY_BYTES_MAX + 1);

		rc = cursor_end(c) ? 0 : cursor_copy(c, b, key[i]);
		if (rc == 0)
			rc = key_end(key[i], &end);
		if (rc == 0)
			rc = cursor_seek(c, buf_bytes(&end));
	}
	if (rc >= 0)
		rc = cursor_end(c) ? 0 : cursor_copy(c, b, bytes_of(NULL, 0));
	return rc;
}

int
draft_without(struct draft *d, const struct dedup_key *dedup,
    const struct bytes *key, size_t n, struct builder_tree *tree,
    struct fault *f)
{
	struct builder *b defer(builder_freep) = NULL;
	struct cursor *c defer(cursor_freep) = NULL;
	struct node_source nodes = draft_nodes(d);
	struct builder_tree out;
	int rc = cursor_new(&tree->root, CURSOR_LEVEL_ANY, d->nodes, &c);

	if (rc == 0)
		rc = has_any(c, key, n);
	if (rc == 0)
		return 0;
	if (rc == 1)
		rc = builder_new(dedup, (struct builder_sink){ .store = store,
		    .arg = d }, &b);
	if (rc == 0)
		rc = copy_rest(c, b, key, n);
	if (rc == 0)
		rc = builder_finish(b, &nodes, &out);
	if (rc != 0)
		return failed(d, rc, f);
	*tree = out;
	return 0;
}

/* Makes the folders above key that are not there; last: the key before it. */
static int
add_folders(struct builder *b, struct bytes key, struct bytes last)
{
	size_t depth = key_depth(key);
	int rc = 0;

	for (size_t d = 1; rc == 0 && d < depth; d++) {
		struct bytes up = key;

		for (size_t i = depth; i > d; i--)
			up = key_parent(up);
		if (last.n == 0 || !key_within(last, up))
			rc = mend_folder(b, up);
	}
	return rc;
}

static int
salvage_one(struct builder *b, struct draft_out *out,
    const struct tour_item *it, struct buf *last, struct fault *f)
{
	int rc = 0;

	for (size_t k = 0; k < out->n; k++) {
		if (!key_within(it->key, out->key[k]))
			continue;
		out->removed++;
		return out->taken(out->arg, it->e, f);
	}
	out->entries++;
	if (it->after_lost)
		rc = add_folders(b, it->key, buf_bytes(last));
	if (rc == 0)
		rc = builder_add(b, it->key, it->raw);
	last->n = 0;
	if (rc == 0)
		rc = buf_append(last, it->key.p, it->key.n);
	return rc == 0 ? 0 : fault_set(f, rc, "tree: %s", fault_text(rc));
}

static int
salvage_all(struct tour *t, struct builder *b, struct draft_out *out,
    struct fault *f)
{
	struct buf last defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct tour_item it = { 0 };
	struct fault why = { 0 };
	int rc;

	while ((rc = tour_next(t, &it, &why)) > 0) {
		if (rc == TOUR_LOST) {
			out->lost(out->arg, it.key, it.lost, &why);
			why = (struct fault){ 0 };
			continue;
		}
		rc = salvage_one(b, out, &it, &last, f);
		if (rc != 0)
			return rc;
	}
	if (rc != 0)
		*f = why;
	return rc;
}

int
draft_salvage(struct draft *d, const struct dedup_key *dedup,
    struct draft_out *out, struct builder_tree *tree, struct fault *f)
{
	const struct commit *was = d->reader->commit;
	const struct commit this = { .has_root = true, .root = tree->root };
	struct builder *b defer(builder_freep) = NULL;
	struct tour *t defer(tour_closep) = NULL;
	struct builder_tree made;
	int rc = builder_new(dedup, (struct builder_sink){ .store = store,
	    .arg = d }, &b);

	out->entries = out->removed = 0;
	if (rc != 0)
		return failed(d, rc, f);
	/* Whose tree; entries are looked up in the index of before. */
	d->reader->commit = &this;
	rc = tour_open(d->reader, bytes_of(NULL, 0), &t, f);
	d->reader->commit = was;
	if (fetch_is_lost(rc)) {
		out->lost(out->arg, bytes_of(NULL, 0), 0, f);
		*f = (struct fault){ 0 };
	} else if (rc == 0) {
		rc = salvage_all(t, b, out, f);
		if (rc != 0)
			return rc;
	} else {
		return rc;
	}
	rc = builder_finish(b, NULL, &made);
	if (rc != 0)
		return failed(d, rc, f);
	*tree = made;
	return 0;
}
