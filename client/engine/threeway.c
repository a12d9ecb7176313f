// SPDX-License-Identifier: Apache-2.0
#include "client/engine/threeway.h"

#include <stdio.h>
#include <string.h>

#include "client/engine/changes.h"
#include "client/engine/compare.h"
#include "net/text.h"
#include "object/cursor.h"
#include "object/entry.h"
#include "object/key.h"

/* What a merge works with; all cursors belong to one thread. */
struct merging {
	struct threeway *t;
	struct cursor *base, *ours, *theirs;
	struct changes mine;  /* ours against base; sorted */
	struct changes apply; /* what is to be done to theirs */
	struct changes beside; /* what both keep, under new names; unsorted */
};

static void
merging_wipe(struct merging *m)
{
	cursor_free(m->base);
	cursor_free(m->ours);
	cursor_free(m->theirs);
	changes_wipe(&m->mine);
	changes_wipe(&m->apply);
	changes_wipe(&m->beside);
}

static int
open_cursors(struct merging *m)
{
	struct node_source nodes = reader_nodes(stow_reader(m->t->stow));
	int rc;

	rc = cursor_new(m->t->base, CURSOR_LEVEL_ANY, nodes, &m->base);
	if (rc == 0)
		rc = cursor_new(m->t->ours, CURSOR_LEVEL_ANY, nodes, &m->ours);
	if (rc == 0)
		rc = cursor_new(m->t->theirs, CURSOR_LEVEL_ANY, nodes,
		    &m->theirs);
	return rc;
}

/* One change of ours: what is gone needs no look at what it was. */
static int
note_mine(void *arg, struct bytes key, struct cursor *base, struct cursor *ours)
{
	struct merging *m = arg;
	struct bytes raw = { 0 };
	int rc = ours == NULL ? 0 : cursor_entry(ours, &raw, NULL);

	(void)base;
	return rc != 0 ? rc : changes_add(&m->mine, key, raw);
}

static int
diff(struct merging *m)
{
	const struct compare_sink sink = { note_mine, m };

	return compare_trees(m->base, m->ours, bytes_of(NULL, 0), &sink);
}

/* The entry of key in c: 1, or 0 where there is none. */
static int
lookup(struct cursor *c, struct bytes key, struct bytes *raw,
    const struct tree_entry **e)
{
	int rc = cursor_seek(c, key);

	if (rc <= 0)
		return rc;
	if (bytes_cmp(cursor_key(c), key) != 0)
		return 0;
	rc = cursor_entry(c, raw, e);
	return rc < 0 ? rc : 1;
}

static bool
is_beside(const struct merging *m, struct bytes key)
{
	for (size_t i = 0; i < m->beside.n; i++)
		if (bytes_cmp(changes_key(&m->beside, &m->beside.p[i]), key) ==
		    0)
			return true;
	return false;
}

/* 1: nobody has key, nor will have it.  longest: a name may be cut to it. */
static int
is_free(struct merging *m, struct bytes key, bool longest)
{
	struct bytes found;
	int rc = lookup(m->theirs, key, &found, NULL);

	if (rc == 0)
		rc = lookup(m->ours, key, &found, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return !(longest && is_beside(m, key));
}

/* Adds raw under a name next to key that is free. */
static int
add_renamed(struct merging *m, struct bytes key, struct bytes raw)
{
	struct buf other defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct bytes name = key_name(key);
	char hex[9], tail[40];
	int rc;

	text_hex(m->t->device, 4, hex, sizeof(hex));
	for (unsigned i = 1;; i++) {
		size_t keep = name.n, n;

		(void)snprintf(tail, sizeof(tail), ".conflict-%s-%u", hex, i);
		n = strlen(tail);
		if (keep > KEY_NAME_MAX - n)
			keep = KEY_NAME_MAX - n;
		other.n = 0;
		rc = buf_append(&other, key.p, key.n - name.n + keep);
		if (rc == 0)
			rc = buf_append(&other, tail, n);
		if (rc != 0)
			return rc;
		rc = is_free(m, buf_bytes(&other), keep + n == KEY_NAME_MAX);
		if (rc < 0)
			return rc;
		if (rc == 1)
			break;
	}
	m->t->renamed++;
	return changes_add(&m->beside, buf_bytes(&other), raw);
}

/* Ours set key to raw, which theirs has changed too, to other. */
static int
both_set(struct merging *m, struct bytes key, struct bytes raw,
    struct bytes other)
{
	struct tree_entry a, b;
	int rc = entry_decode(raw, &a);

	if (rc == 0)
		rc = entry_decode(other, &b);
	if (rc != 0)
		return rc;
	if (a.type != ENTRY_FOLDER)
		return add_renamed(m, key, raw);
	rc = changes_add(&m->apply, key, raw);
	if (rc == 0 && b.type != ENTRY_FOLDER) {
		struct buf copy defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);

		/* The cursor moves when a free name is looked for. */
		rc = buf_append(&copy, other.p, other.n);
		if (rc == 0)
			rc = add_renamed(m, key, buf_bytes(&copy));
	}
	return rc;
}

/* Decides what one change of ours does to theirs. */
static int
decide(struct merging *m, struct bytes key, struct bytes raw)
{
	struct bytes was, now;
	int in_base, in_theirs;

	in_base = lookup(m->base, key, &was, NULL);
	if (in_base < 0)
		return in_base;
	in_theirs = lookup(m->theirs, key, &now, NULL);
	if (in_theirs < 0)
		return in_theirs;
	if (in_theirs && bytes_cmp(now, raw) == 0)
		return 0;
	if (in_base == in_theirs && (!in_base || bytes_cmp(was, now) == 0))
		return changes_add(&m->apply, key, raw);
	if (raw.n == 0)
		return 0; /* a deletion loses against a change */
	if (!in_theirs)
		return changes_add(&m->apply, key, raw);
	return both_set(m, key, raw, now);
}

/* Something below folder stays, or comes: 1. */
static int
stays_below(struct merging *m, struct bytes folder)
{
	struct buf from defer(buf_wipe) = buf_init(KEY_BYTES_MAX + 1);
	int rc = buf_append(&from, folder.p, folder.n);

	if (rc == 0)
		rc = buf_append(&from, "", 1);
	if (rc == 0)
		rc = cursor_seek(m->theirs, buf_bytes(&from));
	while (rc == 1 && key_within(cursor_key(m->theirs), folder)) {
		const struct change *c = changes_find(&m->apply,
		    cursor_key(m->theirs));

		if (c == NULL || c->raw_len != 0 || c->dropped)
			return 1;
		rc = cursor_next(m->theirs);
	}
	if (rc < 0)
		return rc;
	for (size_t i = changes_below(&m->apply, buf_bytes(&from));
	    i < m->apply.n; i++) {
		const struct change *c = &m->apply.p[i];

		if (!key_within(changes_key(&m->apply, c), folder))
			break;
		if (c->raw_len != 0)
			return 1;
	}
	return 0;
}

/* Ours deletes a folder, or puts something else in its place, that is not empty
 * afterwards: it stays, and what ours has goes beside it. */
static int
keep_folder(struct merging *m, struct change *c)
{
	struct bytes raw, key = changes_key(&m->apply, c);
	struct tree_entry mine = { 0 };
	const struct tree_entry *e;
	int rc = 0;

	if (c->raw_len != 0)
		rc = entry_decode(changes_raw(&m->apply, c), &mine);
	if (rc != 0 || mine.type == ENTRY_FOLDER)
		return rc;
	rc = lookup(m->theirs, key, &raw, &e);
	if (rc < 0)
		return rc;
	if (rc == 0 || e->type != ENTRY_FOLDER)
		return 0;
	rc = stays_below(m, key);
	if (rc <= 0)
		return rc;
	c->dropped = true;
	return c->raw_len == 0 ? 0 :
	    add_renamed(m, key, changes_raw(&m->apply, c));
}

static int
keep_folders(struct merging *m)
{
	/* From below: a folder that stays keeps its parents. */
	for (size_t i = m->apply.n; i-- > 0;) {
		int rc = keep_folder(m, &m->apply.p[i]);

		if (rc != 0)
			return rc;
	}
	changes_drop(&m->apply);
	return 0;
}

/* Sees to it that one folder exists in the result. */
static int
need_folder(struct merging *m, struct bytes key, struct changes *more)
{
	const struct change *c = changes_find(&m->apply, key);
	const struct tree_entry *e;
	struct bytes raw;
	int rc;

	if (c != NULL && c->raw_len != 0)
		return 0;
	rc = lookup(m->theirs, key, &raw, &e);
	if (rc < 0 || (rc == 1 && e->type == ENTRY_FOLDER && c == NULL))
		return rc < 0 ? rc : 0;
	if (rc == 1 && e->type != ENTRY_FOLDER && c == NULL) {
		struct buf copy defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);

		rc = buf_append(&copy, raw.p, raw.n);
		if (rc == 0)
			rc = add_renamed(m, key, buf_bytes(&copy));
		if (rc != 0)
			return rc;
	}
	rc = lookup(m->ours, key, &raw, NULL);
	if (rc != 1)
		return rc < 0 ? rc : FAULT_INTERNAL;
	return changes_add(more, key, raw);
}

static int
add_all(struct changes *to, const struct changes *from)
{
	int rc = 0;

	for (size_t i = 0; i < from->n && rc == 0; i++)
		rc = changes_add(to, changes_key(from, &from->p[i]),
		    changes_raw(from, &from->p[i]));
	return rc;
}

/* Folders that theirs deleted, or replaced, above what ours set. */
static int
need_parents(struct merging *m)
{
	struct changes more defer(changes_wipe) = changes_init();
	struct buf last defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	int rc = 0;

	for (size_t i = 0; i < m->apply.n && rc == 0; i++) {
		struct bytes parent, up;

		if (m->apply.p[i].raw_len == 0)
			continue;
		parent = key_parent(changes_key(&m->apply, &m->apply.p[i]));
		/* In key order, what the last one is below was seen to. */
		for (up = parent; up.n != 0 && rc == 0 &&
		    !key_within(buf_bytes(&last), up); up = key_parent(up))
			rc = need_folder(m, up, &more);
		last.n = 0;
		if (rc == 0)
			rc = buf_append(&last, parent.p, parent.n);
	}
	return rc == 0 ? add_all(&m->apply, &more) : rc;
}

static int
rebuild(struct merging *m, struct builder_tree *out)
{
	struct node_source nodes = reader_nodes(stow_reader(m->t->stow));
	struct builder *b defer(builder_freep) = NULL;
	int rc;

	rc = builder_new(m->t->dedup, stow_nodes(m->t->stow), &b);
	if (rc == 0)
		rc = cursor_seek(m->theirs, bytes_of(NULL, 0));
	for (size_t i = 0; i < m->apply.n && rc >= 0; i++) {
		struct bytes key = changes_key(&m->apply, &m->apply.p[i]);
		struct bytes raw = changes_raw(&m->apply, &m->apply.p[i]);

		rc = cursor_copy(m->theirs, b, key);
		if (rc >= 0 && !cursor_end(m->theirs) &&
		    bytes_cmp(cursor_key(m->theirs), key) == 0)
			rc = cursor_next(m->theirs);
		if (rc >= 0 && raw.n != 0)
			rc = builder_add(b, key, raw);
	}
	if (rc >= 0)
		rc = cursor_copy(m->theirs, b, bytes_of(NULL, 0));
	return rc < 0 ? rc : builder_finish(b, &nodes, out);
}

static int
merge_all(struct merging *m, struct builder_tree *out)
{
	int rc = open_cursors(m);

	if (rc == 0)
		rc = diff(m);
	if (rc == 0)
		changes_sort(&m->mine);
	for (size_t i = 0; i < m->mine.n && rc == 0; i++)
		rc = decide(m, changes_key(&m->mine, &m->mine.p[i]),
		    changes_raw(&m->mine, &m->mine.p[i]));
	changes_sort(&m->apply);
	if (rc == 0)
		rc = keep_folders(m);
	if (rc == 0)
		rc = need_parents(m);
	if (rc == 0)
		rc = add_all(&m->apply, &m->beside);
	changes_sort(&m->apply);
	return rc == 0 ? rebuild(m, out) : rc;
}

int
threeway_merge(struct threeway *t, struct builder_tree *out, struct fault *f)
{
	struct merging m defer(merging_wipe) = { .t = t,
		.mine = changes_init(), .apply = changes_init(),
		.beside = changes_init() };
	struct reader *r = stow_reader(t->stow);
	int rc;

	r->fault = (struct fault){ 0 };
	rc = merge_all(&m, out);
	if (rc == 0)
		return 0;
	if (r->fault.code == rc)
		*f = r->fault;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return rc;
}
