// SPDX-License-Identifier: Apache-2.0
/*
 * The tree (spec/30-tree.md): every node, its sums, every key's folder, and
 * that every chunk it names is in the index.
 */
#include "client/engine/check_impl.h"

#include <stdlib.h>
#include <string.h>

#include "object/key.h"
#include "object/list.h"
#include "object/node.h"

struct level {
	struct buf buf;
	struct node_iter it;
};

struct visit {
	struct check *c;
	const struct commit *commit;
	bool affected; /* only names paths that need bad chunks */
	struct buf prev;
	bool prev_folder;
	bool gap; /* entries before were not read now */
	unsigned copies; /* nodes above of which only the cache has a copy */
	struct level level[TREE_LEVEL_MAX + 1];
};

static void
found(struct visit *v, enum check_what what, struct bytes key, int code,
    const char *text)
{
	/* All that is below such a node was named with it. */
	if (v->copies != 0)
		return;
	check_found(v->c, &(struct check_finding){ .what = what, .code = code,
	    .commit = v->commit->number, .key = key, .text = text });
}

/* A chunk of an entry; 0, or what is wrong with it. */
static int
chunk_state(struct visit *v, const uint8_t *id, uint64_t length,
    enum seal_kind kind)
{
	const struct check *c = v->c;
	const struct index_entry *e = check_find(c, id), *again;

	/* As a reader: what is lost may have been stored again. */
	again = e == NULL || c->bad[e - c->entry] != 0 ?
	    check_newest(c, id) : NULL;
	if (again != NULL)
		e = again;
	if (v->affected)
		return e == NULL ? 0 : -(int)c->bad[e - c->entry];
	if (e == NULL)
		return FAULT_MISSING;
	return e->kind == kind && e->plain_len == length ? 0 :
	                                                   FAULT_MALFORMED;
}

/* The data chunks in c->list. */
static int
list_state(struct visit *v, const struct tree_entry *e)
{
	struct list_iter it = list_begin(buf_bytes(&v->c->list), 0);
	struct list_item item;
	uint64_t size = 0;
	int rc, one;

	while ((rc = list_next(&it, &item)) == 1) {
		one = item.hole ? 0 :
		    chunk_state(v, item.id, item.length, SEAL_DATA);
		if (one != 0)
			return one;
		size += item.length;
	}
	return rc != 0 || size != e->size ? FAULT_MALFORMED : 0;
}

/* What is wrong with the chunks of an entry, or what ends the check. */
static int
entry_state(struct visit *v, const struct tree_entry *e, struct fault *f)
{
	struct check *c = v->c;
	int rc;

	if (e->attrs_chunk_len != 0) {
		rc = chunk_state(v, e->attrs_id, e->attrs_chunk_len,
		    SEAL_ATTRS);
		if (rc != 0)
			return rc;
	}
	if (e->type != ENTRY_FILE)
		return 0;
	c->list.n = 0;
	rc = reader_list(c->reader, e, &c->list, f);
	/* The second time, this was said already. */
	if (rc != 0)
		return v->affected && fetch_is_local(rc) ? 0 : rc;
	return list_state(v, e);
}

static const char *
why(const struct visit *v, int code)
{
	if (v->affected)
		return "its content at the depot is missing or was altered";
	if (code == FAULT_MISSING)
		return "the index does not have a chunk that the tree names";
	return "index and tree do not agree";
}

static int
visit_entry(struct visit *v, const struct node_iter *it, struct fault *f)
{
	struct bytes key = buf_bytes(&it->key);
	int rc;

	if (!v->affected) {
		v->c->res->entries++;
		if (!v->gap && !key_follows(buf_bytes(&v->prev),
			v->prev_folder, key))
			found(v, CHECK_PATH, key, FAULT_MALFORMED,
			    "its folder is not in the tree");
	}
	v->gap = false;
	v->prev.n = 0;
	v->prev_folder = it->entry.type == ENTRY_FOLDER;
	rc = buf_append(&v->prev, key.p, key.n);
	if (rc != 0)
		return fault_set(f, rc, "out of memory");
	*f = (struct fault){ 0 };
	rc = entry_state(v, &it->entry, f);
	if (rc == 0 || !fetch_is_local(rc))
		return rc;
	if (!v->affected && check_unknown(v->c) != 0)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	found(v, CHECK_PATH, key, rc, f->text[0] != '\0' ? f->text :
	    why(v, rc));
	*f = (struct fault){ 0 };
	return 0;
}

static int visit_node(struct visit *v, const struct ref *ref, unsigned level,
    struct bytes first, struct node_child *sum, struct fault *f);

/* A child, and what its parent says of it. */
static int
visit_child(struct visit *v, const struct node_iter *up, unsigned level,
    struct fault *f)
{
	struct bytes key = buf_bytes(&up->key);
	struct node_child sum = { 0 };
	int rc = check_set_add(&v->c->nodes, up->child.ref.hash);

	if (rc == 0)
		v->gap = true; /* read before, in a later commit */
	if (rc <= 0)
		return rc == 0 ? 0 : fault_set(f, rc, "out of memory");
	rc = visit_node(v, &up->child.ref, level, key, &sum, f);
	if (rc == 1) {
		if (!v->affected && v->copies == 0)
			check_found(v->c, &(struct check_finding){
			    .what = CHECK_PATHS, .code = f->code,
			    .commit = v->commit->number, .key = key,
			    .entries = up->child.entries, .text = f->text });
		*f = (struct fault){ 0 };
		v->gap = true;
		return 0;
	}
	if (rc != 0 || v->affected)
		return rc;
	if (sum.entries != up->child.entries || sum.bytes != up->child.bytes)
		found(v, CHECK_PATHS, key, FAULT_MALFORMED,
		    "the sums of a node are wrong");
	return 0;
}

/* The root's level is in the node itself. */
static unsigned
level_of(const struct buf *b)
{
	return b->n < NODE_HEADER_LEN ? TREE_LEVEL_MAX + 1 : b->p[1];
}

/* Loads a node into v->level[*level]; level ANY for the root. */
static int
load(struct visit *v, const struct ref *ref, unsigned *level, struct fault *f)
{
	struct node_source src = reader_nodes(v->c->reader);
	unsigned at = *level == CURSOR_LEVEL_ANY ? TREE_LEVEL_MAX : *level;
	struct level *l = &v->level[at];
	int rc;

	l->buf.n = 0;
	rc = src.load(src.arg, ref, at, &l->buf);
	if (rc != 0) {
		*f = v->c->reader->fault;
		return fault_add(f, rc, "a node of the tree");
	}
	v->c->res->nodes += !v->affected;
	if (*level == CURSOR_LEVEL_ANY) {
		*level = level_of(&l->buf);
		if (*level > TREE_LEVEL_MAX)
			return fault_set(f, FAULT_MALFORMED,
			    "a node of the tree is malformed");
		if (*level != at) {
			struct level t = v->level[*level];

			v->level[*level] = *l;
			*l = t;
		}
	}
	return 0;
}

/* The same from the cache, so that what is lost below is found, too. */
static int
load_copy(struct visit *v, const struct ref *ref, unsigned *level)
{
	struct fault scrap = { 0 };
	int rc;

	v->c->space->cache.dir = v->c->cache;
	rc = load(v, ref, level, &scrap);
	v->c->space->cache.dir = -1;
	return rc;
}

/* first: the key of the item that led here; empty for the root. */
static int
visit_items(struct visit *v, unsigned level, struct bytes first,
    struct node_child *sum, struct fault *f)
{
	struct node_iter *it = &v->level[level].it;
	int rc;

	while ((rc = node_next(it)) == 1) {
		/* [tree] */
		if (it->at == 1 && first.n != 0 &&
		    bytes_cmp(buf_bytes(&it->key), first) != 0)
			break;
		rc = check_stopped(v->c, f);
		if (rc == 0 && level == 0)
			rc = visit_entry(v, it, f);
		else if (rc == 0)
			rc = visit_child(v, it, level - 1, f);
		if (rc != 0)
			return rc;
		sum->entries += level == 0 ? 1 : it->child.entries;
		sum->bytes += level == 0 ? it->entry.size : it->child.bytes;
	}
	if (rc == 0)
		return 0;
	(void)fault_set(f, FAULT_MALFORMED, "a node of the tree is malformed");
	return 1;
}

/* Of the node in v->level[level]; as visit_node. */
static int
visit_loaded(struct visit *v, unsigned level, struct bytes first,
    struct node_child *sum, struct fault *f)
{
	struct level *l = &v->level[level];
	int rc = node_begin(&l->it, buf_bytes(&l->buf), level);

	if (rc != 0) {
		(void)fault_set(f, rc, "a node of the tree is malformed");
		return 1;
	}
	return visit_items(v, level, first, sum, f);
}

/* A node that the depot has not; as visit_node. */
static int
lost_node(struct visit *v, const struct ref *ref, unsigned level,
    struct bytes first, struct fault *f)
{
	struct fault why = *f, scrap = { 0 };
	struct node_child sum = { 0 };
	int rc = 0;

	if (!v->affected)
		rc = check_object(v->c, v->commit->number, &ref->place,
		    why.code, "a node of the tree");
	if (rc == 0 && load_copy(v, ref, &level) == 0) {
		v->copies++;
		rc = visit_loaded(v, level, first, &sum, &scrap);
		v->copies--;
	}
	*f = rc < 0 ? scrap : why;
	return rc < 0 ? rc : 1;
}

/* 0; 1 where it cannot be read, f says why; or what ends the check. */
static int
visit_node(struct visit *v, const struct ref *ref, unsigned level,
    struct bytes first, struct node_child *sum, struct fault *f)
{
	int rc = load(v, ref, &level, f);

	if (rc != 0 && fetch_is_local(rc))
		return lost_node(v, ref, level, first, f);
	return rc != 0 ? rc : visit_loaded(v, level, first, sum, f);
}

int
check_tree(struct check *c, const struct commit *commit, bool affected,
    struct fault *f)
{
	struct node_child sum = { 0 };
	struct visit *v;
	int rc = 0;

	if (!commit->has_root ||
	    (rc = check_set_add(&c->nodes, commit->root.hash)) == 0)
		return 0;
	v = rc < 0 ? NULL : calloc(1, sizeof(*v));
	if (v == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	v->c = c;
	v->commit = commit;
	v->affected = affected;
	v->prev = buf_init(KEY_BYTES_MAX);
	for (size_t i = 0; i <= TREE_LEVEL_MAX; i++)
		v->level[i].buf = buf_init(NODE_MAX);
	rc = visit_node(v, &commit->root, CURSOR_LEVEL_ANY,
	    bytes_of(NULL, 0), &sum, f);
	if (rc == 1 && !affected)
		check_found(c, &(struct check_finding){ .what = CHECK_PATHS,
		    .code = f->code, .commit = commit->number,
		    .entries = commit->entries, .text = f->text });
	else if (rc == 0 && !affected && (sum.entries != commit->entries ||
	    sum.bytes != commit->bytes))
		found(v, CHECK_OTHER, bytes_of(NULL, 0), FAULT_MALFORMED,
		    "the sums of a commit are wrong");
	for (size_t i = 0; i <= TREE_LEVEL_MAX; i++) {
		buf_wipe(&v->level[i].buf);
		node_iter_wipe(&v->level[i].it);
	}
	buf_wipe(&v->prev);
	free(v);
	if (rc == 1)
		*f = (struct fault){ 0 };
	return rc == 1 ? 0 : rc;
}
