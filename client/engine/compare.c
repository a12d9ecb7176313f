// SPDX-License-Identifier: Apache-2.0
#include "client/engine/compare.h"

#include <string.h>

#include "object/key.h"

enum compare_kind
compare_entries(const struct tree_entry *was, const struct tree_entry *is)
{
	if (was == NULL)
		return COMPARE_ADDED;
	if (is == NULL)
		return COMPARE_REMOVED;
	if (was->type != is->type)
		return COMPARE_TYPE;
	if (was->size != is->size || was->level != is->level ||
	    was->major != is->major || was->minor != is->minor ||
	    bytes_cmp(was->list, is->list) != 0 ||
	    bytes_cmp(was->target, is->target) != 0)
		return COMPARE_CONTENT;
	return COMPARE_METADATA;
}

/* Both cursors stand before the same node: passes it.  1 if so. */
static int
skip_equal(struct cursor *a, struct cursor *b)
{
	struct cursor_node x, y;

	for (unsigned level = TREE_LEVEL_MAX + 1; level-- > 0;) {
		int rc;

		if (!cursor_at_node(a, level, &x) ||
		    !cursor_at_node(b, level, &y))
			continue;
		if (memcmp(&x.child.ref.place, &y.child.ref.place,
		    sizeof(x.child.ref.place)) != 0)
			continue;
		rc = cursor_skip_node(a, level);
		if (rc >= 0)
			rc = cursor_skip_node(b, level);
		return rc < 0 ? rc : 1;
	}
	return 0;
}

static bool
ended(const struct cursor *c, struct bytes base)
{
	return cursor_end(c) || !key_within(cursor_key(c), base);
}

/* 1: the entries ahead, of one key, are not the same. */
static int
differ(struct cursor *was, struct cursor *is)
{
	struct bytes x, y;
	int rc = cursor_entry(is, &x, NULL);

	if (rc == 0)
		rc = cursor_entry(was, &y, NULL);
	return rc != 0 ? rc : bytes_cmp(x, y) != 0;
}

static int
go_on(struct cursor *c)
{
	int rc = cursor_next(c);

	return rc < 0 ? rc : 0;
}

/* One step over two cursors that are not before the same node. */
static int
step(struct cursor *was, struct cursor *is, struct bytes base,
    const struct compare_sink *sink)
{
	int cmp, rc = 1;

	if (ended(is, base))
		cmp = 1;
	else if (ended(was, base))
		cmp = -1;
	else
		cmp = bytes_cmp(cursor_key(is), cursor_key(was));
	if (cmp == 0)
		rc = differ(was, is);
	if (rc == 1)
		rc = sink->each(sink->arg, cursor_key(cmp > 0 ? was : is),
		    cmp < 0 ? NULL : was, cmp > 0 ? NULL : is);
	if (rc == 0 && cmp >= 0)
		rc = go_on(was);
	if (rc == 0 && cmp <= 0)
		rc = go_on(is);
	return rc;
}

int
compare_trees(struct cursor *was, struct cursor *is, struct bytes base,
    const struct compare_sink *sink)
{
	int rc = cursor_seek(was, base);

	if (rc >= 0)
		rc = cursor_seek(is, base);
	if (rc > 0)
		rc = 0;
	while (rc == 0 && !(ended(was, base) && ended(is, base))) {
		rc = skip_equal(was, is);
		if (rc == 0)
			rc = step(was, is, base, sink);
		else if (rc > 0)
			rc = 0;
	}
	return rc;
}

struct comparing {
	const struct compare_sink *sink;
	const atomic_bool *stop;
};

static int
each(void *arg, struct bytes key, struct cursor *was, struct cursor *is)
{
	const struct comparing *c = arg;

	if (c->stop != NULL && atomic_load(c->stop))
		return FAULT_INTERRUPTED;
	return c->sink->each(c->sink->arg, key, was, is);
}

int
compare_commits(struct reader *r, const struct commit *was,
    const struct commit *is, struct bytes base,
    const struct compare_sink *sink, struct fault *f)
{
	struct comparing c = { sink, r->space->ses->stop };
	struct compare_sink mine = { each, &c };
	struct cursor *a defer(cursor_freep) = NULL;
	struct cursor *b defer(cursor_freep) = NULL;
	const bool had = was != NULL && was->has_root;
	int rc;

	r->fault = (struct fault){ 0 };
	rc = cursor_new(had ? &was->root : NULL, CURSOR_LEVEL_ANY,
	    reader_nodes(r), &a);
	if (rc == 0)
		rc = cursor_new(is->has_root ? &is->root : NULL,
		    CURSOR_LEVEL_ANY, reader_nodes(r), &b);
	if (rc == 0)
		rc = compare_trees(a, b, base, &mine);
	if (rc >= 0)
		return rc;
	if (r->fault.code != rc)
		return fault_set(f, rc, "%s", fault_text(rc));
	*f = r->fault;
	return fault_add(f, rc, "tree");
}
