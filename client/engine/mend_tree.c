// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/noun.h"
#include "client/engine/fetch.h"
#include "client/engine/history.h"
#include "client/engine/lost.h"
#include "client/engine/mend.h"
#include "client/path.h"
#include "object/key.h"

/* Keys from first up to next, which is empty where the gap goes to the end. */
struct gap {
	struct buf first, next;
	uint64_t entries; /* 0: not known */
};

struct tree {
	struct mend *m;
	struct node_source nodes;
	struct fault lost; /* why the first gap is one */
	struct gap *gap;   /* owned; ascending */
	size_t n, cap;
};

static void
tree_wipe(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		buf_wipe(&t->gap[i].first);
		buf_wipe(&t->gap[i].next);
	}
	free(t->gap);
}

static int
memory(struct fault *f)
{
	return fault_set(f, FAULT_MEMORY, "out of memory");
}

static int
failed(struct tree *t, int rc, struct fault *f)
{
	const struct fault *inner = &stow_reader(t->m->stow)->fault;

	if (inner->code == rc)
		*f = *inner;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return fault_add(f, rc, "tree");
}

/* A node on the way down, and what its parent says of it. */
struct at {
	const struct ref *ref;
	unsigned level; /* CURSOR_LEVEL_ANY for the root */
	struct bytes first, next; /* as of a gap */
	uint64_t entries;
};

static int
add_gap(struct tree *t, const struct at *at, int why, struct fault *f)
{
	struct gap *g;

	if (t->n == 0)
		(void)failed(t, why, &t->lost);
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 16 : 2 * t->cap;

		g = reallocarray(t->gap, cap, sizeof(*g));
		if (g == NULL)
			return memory(f);
		t->gap = g;
		t->cap = cap;
	}
	g = &t->gap[t->n++];
	*g = (struct gap){ .first = buf_init(KEY_BYTES_MAX),
		.next = buf_init(KEY_BYTES_MAX), .entries = at->entries };
	if (buf_append(&g->first, at->first.p, at->first.n) != 0 ||
	    buf_append(&g->next, at->next.p, at->next.n) != 0)
		return memory(f);
	return 0;
}

static int one(struct tree *t, const struct at *at, struct ref *out,
    struct fault *f);

/* An inner node's children; w gets it with their new refs.  1 where there are
 * any. */
static int
inner(struct tree *t, struct bytes node, const struct at *at,
    struct node_writer *w, struct fault *f)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	struct buf next defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	bool any = false;
	int rc = node_begin(&it, node, at->level);

	if (rc == 0)
		rc = node_start(w, at->level);
	while (rc == 0 && (rc = node_next(&it)) == 1) {
		struct at down = { .ref = &it.child.ref,
			.level = at->level - 1, .first = buf_bytes(&it.key),
			.next = at->next, .entries = it.child.entries };
		struct node_child c = it.child;

		rc = node_peek(&it, &next);
		if (rc < 0)
			break;
		if (rc == 1)
			down.next = buf_bytes(&next);
		rc = one(t, &down, &c.ref, f);
		if (rc < 0)
			return rc;
		any |= rc == 1;
		rc = node_add_child(w, buf_bytes(&it.key), &c);
	}
	return rc != 0 ? failed(t, rc, f) : any;
}

/* 1 where it, or what is below, was sealed anew as *out; else 0.  The depth is
 * bounded: each level is one below. */
static int
one(struct tree *t, const struct at *at, struct ref *out, struct fault *f)
{
	struct buf plain defer(buf_wipe) = buf_init(NODE_MAX);
	struct node_writer w defer(node_writer_wipe) = { 0 };
	bool lost = lost_has(buf_bytes(&t->m->space->lost), &at->ref->place);
	struct bytes content;
	struct at here = *at;
	int rc;

	if (at->level == 0 && !lost)
		return 0;
	rc = t->nodes.load(t->nodes.arg, at->ref, at->level, &plain);
	if (rc != 0 && fetch_is_local(rc))
		return add_gap(t, at, rc, f);
	if (rc == 0 && plain.n < NODE_HEADER_LEN)
		rc = FAULT_MALFORMED;
	if (rc == 0 && at->level == CURSOR_LEVEL_ANY)
		here.level = plain.p[1];
	if (rc == 0 && here.level > TREE_LEVEL_MAX)
		rc = FAULT_MALFORMED;
	if (rc != 0)
		return failed(t, rc, f);
	content = buf_bytes(&plain);
	if (here.level != 0) {
		rc = inner(t, content, &here, &w, f);
		if (rc == 1)
			content = buf_bytes(&w.b);
	}
	if (rc < 0 || (rc == 0 && !lost))
		return rc;
	rc = stow_ref(t->m->stow, SEAL_NODE, content, out, f);
	return rc == 0 ? 1 : rc;
}

/* Whether all keys of g are at or below key. */
static bool
covers(struct bytes key, const struct gap *g)
{
	struct buf end defer(buf_wipe) = buf_init(KEY_BYTES_MAX + 1);

	if (key.n == 0)
		return true;
	return g->next.n != 0 && key_within(buf_bytes(&g->first), key) &&
	    key_end(key, &end) == 0 &&
	    bytes_cmp(buf_bytes(&g->next), buf_bytes(&end)) <= 0;
}

static bool
is_before(struct bytes key, const struct buf *bound)
{
	return bound->n == 0 || bytes_cmp(key, buf_bytes(bound)) < 0;
}

/* Whether g may have key, one below it, or a folder above it. */
static bool
meets(struct bytes key, const struct gap *g)
{
	struct buf end defer(buf_wipe) = buf_init(KEY_BYTES_MAX + 1);
	struct bytes up = key_parent(key);

	if (key.n == 0 || key_end(key, &end) != 0)
		return true;
	for (; up.n != 0; up = key_parent(up))
		if (is_before(up, &g->next) &&
		    bytes_cmp(buf_bytes(&g->first), up) <= 0)
			return true;
	return is_before(key, &g->next) &&
	    bytes_cmp(buf_bytes(&g->first), buf_bytes(&end)) < 0;
}

static int
say_gap(struct tree *t, const struct gap *g, struct fault *f)
{
	char from[PATH_SHOW_MAX], to[PATH_SHOW_MAX], many[32] = "all";

	path_show(buf_bytes(&g->first), from);
	path_show(buf_bytes(&g->next), to);
	if (g->entries != 0)
		(void)snprintf(many, sizeof(many), "%llu",
		    (unsigned long long)g->entries);
	*f = t->lost;
	return fault_add(f, f->code, "%s %s %s%s%s%s %s lost, and not "
	    "known to be all of what is put; put --repair takes "
	    "the rest from an earlier commit", many,
	    noun_for(g->entries, "entry", "entries"),
	    g->first.n == 0 ? "of the tree" : "from ",
	    g->first.n == 0 ? "" : from, g->next.n == 0 ? "" : " to before ",
	    g->next.n == 0 ? "" : to, noun_for(g->entries, "is", "are"));
}

/* Leaves those gaps that are to be closed. */
static int
choose(struct tree *t, struct fault *f)
{
	const struct mend *m = t->m;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		bool met = false, covered = false;
		struct gap g = t->gap[i];

		for (size_t k = 0; k < m->n; k++) {
			met |= meets(m->key[k], &g);
			covered |= covers(m->key[k], &g);
		}
		if (met && !covered && !m->repair)
			return say_gap(t, &g, f);
		if (!covered && !m->repair)
			continue;
		t->gap[i] = t->gap[n];
		t->gap[n++] = g;
	}
	for (size_t i = n; i < t->n; i++) {
		buf_wipe(&t->gap[i].first);
		buf_wipe(&t->gap[i].next);
	}
	t->n = n;
	return 0;
}

/* Part of a tree that fills a gap. */
struct fill {
	struct builder *to;
	const struct gap *gap;
	unsigned up; /* which folder above gap->next may come next */
};

int
mend_folder(struct builder *to, struct bytes key)
{
	struct buf raw defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	struct tree_entry e = { .type = ENTRY_FOLDER, .mode = 0755,
		.uid = getuid(), .gid = getgid(), .mtime_sec = time(NULL) };
	int rc = entry_encode(&e, &raw);

	return rc == 0 ? builder_add(to, key, buf_bytes(&raw)) : rc;
}

/* The folder above gap->next that is the first one in the gap and not there
 * yet; empty: there is none. */
static struct bytes
wanted(struct fill *x)
{
	struct bytes next = buf_bytes(&x->gap->next);
	unsigned depth = (unsigned)key_depth(next);

	for (; x->up + 1 < depth; x->up++) {
		struct bytes up = next;

		for (unsigned i = depth; i > x->up + 1; i--)
			up = key_parent(up);
		if (bytes_cmp(up, buf_bytes(&x->gap->first)) >= 0)
			return up;
	}
	return bytes_of(NULL, 0);
}

/* [tree] Keys: what follows the gap has its folders. */
static int
add_wanted(struct fill *x, struct bytes before)
{
	struct bytes up;
	int rc = 0;

	while (rc == 0 && (up = wanted(x)).n != 0 &&
	    (before.n == 0 || bytes_cmp(up, before) < 0)) {
		rc = mend_folder(x->to, up);
		x->up++;
	}
	return rc;
}

static int
add_one(struct fill *x, struct cursor *c)
{
	struct bytes key = cursor_key(c), raw;
	const struct tree_entry *e;
	int rc = cursor_entry(c, &raw, &e);

	if (rc == 0)
		rc = add_wanted(x, key);
	if (rc != 0)
		return rc;
	if (bytes_cmp(wanted(x), key) == 0) {
		if (e->type != ENTRY_FOLDER)
			return 0; /* the next key wants a folder here */
		x->up++;
	}
	return builder_add(x->to, key, raw);
}

/* Goes through what the tree of root has of the gap; into x unless that is
 * NULL. */
static int
pass(struct tree *t, const struct ref *root, const struct gap *g,
    struct fill *x)
{
	struct cursor *c defer(cursor_freep) = NULL;
	int rc = cursor_new(root, CURSOR_LEVEL_ANY, t->nodes, &c);

	if (rc == 0)
		rc = cursor_seek(c, buf_bytes(&g->first));
	while (rc == 1 && is_before(cursor_key(c), &g->next)) {
		rc = x == NULL ? 0 : add_one(x, c);
		if (rc == 0)
			rc = cursor_next(c);
	}
	return rc < 0 ? rc : 0;
}

static void
warn(struct tree *t, const struct gap *g, uint64_t commit)
{
	struct mend *m = t->m;
	char text[128];

	if (commit != 0)
		(void)snprintf(text, sizeof(text), "was lost from here on: "
		    "taken from commit %llu", (unsigned long long)commit);
	else
		(void)snprintf(text, sizeof(text), "was lost from here on, "
		    "and is in no commit that can be read");
	if (m->warn != NULL)
		m->warn(m->arg, buf_bytes(&g->first), text);
}

/* From the latest commit before the head's that has all of the gap. */
static int
fill(struct tree *t, struct builder *to, const struct gap *g,
    struct fault *f)
{
	struct reader *r = stow_reader(t->m->stow);
	const struct commit *at = &t->m->space->commit;
	struct commit c defer(commit_wipe) = { 0 };
	struct fill x = { .to = to, .gap = g };
	uint64_t from = 0;
	int rc = 0;

	while (from == 0 && at->has_parent) {
		struct commit up = { 0 };

		rc = history_parent(r, at, &up, f);
		if (rc != 0 && fetch_is_local(rc))
			break;
		if (rc != 0)
			return rc;
		commit_wipe(&c);
		c = up;
		at = &c;
		rc = pass(t, c.has_root ? &c.root : NULL, g, NULL);
		if (rc == 0)
			from = c.number;
		else if (!fetch_is_local(rc))
			return failed(t, rc, f);
	}
	*f = (struct fault){ 0 };
	rc = from == 0 ? 0 : pass(t, c.has_root ? &c.root : NULL, g, &x);
	if (rc == 0)
		rc = add_wanted(&x, bytes_of(NULL, 0));
	if (rc == 0)
		warn(t, g, from);
	return rc == 0 ? 0 : failed(t, rc, f);
}

/* Copies the tree around the gaps. */
static int
copy(struct tree *t, struct builder *b, struct fault *f)
{
	struct cursor *c defer(cursor_freep) = NULL;
	bool end = false;
	int rc = cursor_new(&t->m->space->commit.root, CURSOR_LEVEL_ANY,
	    t->nodes, &c);

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		const struct gap *g = &t->gap[i];

		if (g->first.n != 0)
			rc = cursor_copy(c, b, buf_bytes(&g->first));
		if (rc == 0 && t->m->repair) {
			rc = fill(t, b, g, f);
			if (rc != 0)
				return rc;
		}
		end = g->next.n == 0;
		if (rc == 0 && !end)
			rc = cursor_seek(c, buf_bytes(&g->next));
		rc = rc < 0 ? rc : 0;
	}
	if (rc == 0 && !end)
		rc = cursor_copy(c, b, bytes_of(NULL, 0));
	return rc == 0 ? 0 : failed(t, rc, f);
}

static int
close_gaps(struct tree *t, struct fault *f)
{
	struct commit *c = &t->m->space->commit;
	struct builder *b defer(builder_freep) = NULL;
	struct builder_tree out;
	int rc = builder_new(&c->dedup, stow_nodes(t->m->stow), &b);

	if (rc != 0)
		return failed(t, rc, f);
	rc = copy(t, b, f);
	if (rc != 0)
		return rc;
	rc = builder_finish(b, &t->nodes, &out);
	if (rc != 0)
		return failed(t, rc, f);
	c->has_root = out.has_root;
	c->root = out.root;
	c->entries = out.entries;
	c->bytes = out.bytes;
	return 0;
}

int
mend_tree(struct mend *m, struct fault *f)
{
	struct commit *c = &m->space->commit;
	struct tree t defer(tree_wipe) = { .m = m,
		.nodes = reader_nodes(stow_reader(m->stow)) };
	struct ref root;
	int rc;

	if (!c->has_root)
		return 0;
	rc = one(&t, &(struct at){ .ref = &c->root,
	    .level = CURSOR_LEVEL_ANY }, &root, f);
	if (rc == 1)
		c->root = root;
	m->mended |= rc == 1;
	rc = rc < 0 ? rc : choose(&t, f);
	if (rc != 0 || t.n == 0)
		return rc;
	m->mended = true;
	return close_gaps(&t, f);
}
