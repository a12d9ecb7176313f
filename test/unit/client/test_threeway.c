// SPDX-License-Identifier: Apache-2.0
/*
 * Merges of small trees, written as text: words "name=version" for files and
 * "name/" or "name/=version" for folders, in any order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "client/engine/threeway.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "object/cursor.h"
#include "object/key.h"

#define PATHS 64

struct bed {
	struct mkspace *m;
	struct packer_stats stats;
	struct packer *packer;
	struct fresh *fresh;
	struct stow *stow;
};

/* A path and what is there: version 0 is nothing. */
struct item {
	char path[300];
	bool folder;
	unsigned version;
};

struct model {
	struct item item[PATHS];
	size_t n;
};

static int
setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct fault f = { 0 };

	assert_non_null(b);
	b->m = mkspace_new();
	mkspace_commit(b->m, "");
	(void)mkspace_open(b->m);
	assert_int_equal(packer_new(b->m->store, NULL, &b->stats,
			     EFFORT_AUTO, &b->packer,
	    &f), 0);
	b->fresh = fresh_new();
	assert_int_equal(stow_new(b->m->space, b->packer, b->fresh, &b->stow,
	    &f), 0);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *b = *state;

	stow_free(b->stow);
	packer_free(b->packer);
	fresh_free(b->fresh);
	mkspace_free(b->m);
	free(b);
	return 0;
}

static struct item *
find(struct model *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->item[i].path, path) == 0)
			return &t->item[i];
	return NULL;
}

static void
put(struct model *t, const char *path, bool folder, unsigned version)
{
	struct item *i = &t->item[t->n++];

	assert_true(t->n <= PATHS);
	(void)snprintf(i->path, sizeof(i->path), "%s", path);
	i->folder = folder;
	i->version = version;
}

static struct model
parse(const char *text)
{
	struct model t = { .n = 0 };
	char copy[2048], *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	    w = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(w, '=');
		unsigned v = eq == NULL ? 1 : (unsigned)strtoul(eq + 1, NULL,
		    10);
		size_t n = eq == NULL ? strlen(w) : (size_t)(eq - w);
		bool folder = w[n - 1] == '/';

		w[folder ? n - 1 : n] = '\0';
		put(&t, w, folder, v);
	}
	return t;
}

static void
key_of(const char *path, struct buf *out)
{
	assert_int_equal(key_from_path(bytes_of(path, strlen(path)), out), 0);
}

static int
by_key(const void *a, const void *b)
{
	struct buf x defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct buf y defer(buf_wipe) = buf_init(KEY_BYTES_MAX);

	key_of(((const struct item *)a)->path, &x);
	key_of(((const struct item *)b)->path, &y);
	return bytes_cmp(buf_bytes(&x), buf_bytes(&y));
}

static struct builder_tree
build(struct bed *bed, struct model *t)
{
	struct builder *b defer(builder_freep) = NULL;
	struct buf key defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct buf raw defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	struct builder_tree out;
	struct fault f;

	qsort(t->item, t->n, sizeof(t->item[0]), by_key);
	assert_int_equal(builder_new(&bed->m->dedup, stow_nodes(bed->stow),
	    &b), 0);
	for (size_t i = 0; i < t->n; i++) {
		struct tree_entry e = mkspace_plain(t->item[i].folder ?
		    ENTRY_FOLDER : ENTRY_FILE);

		e.uid = t->item[i].version;
		key_of(t->item[i].path, &key);
		raw.n = 0;
		assert_int_equal(entry_encode(&e, &raw), 0);
		assert_int_equal(builder_add(b, buf_bytes(&key),
		    buf_bytes(&raw)), 0);
	}
	assert_int_equal(builder_finish(b, NULL, &out), 0);
	assert_int_equal(packer_flush(bed->packer, &f), 0);
	return out;
}

/* Reads a tree back; asserts that every entry has its folder. */
static struct model
read_back(struct bed *bed, const struct builder_tree *tree)
{
	struct cursor *c defer(cursor_freep) = NULL;
	struct buf prev defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct model t = { .n = 0 };
	bool folder = false;
	int rc;

	assert_int_equal(cursor_new(tree->has_root ? &tree->root : NULL,
	    CURSOR_LEVEL_ANY, reader_nodes(stow_reader(bed->stow)), &c), 0);
	for (rc = cursor_seek(c, bytes_of(NULL, 0)); rc == 1;
	    rc = cursor_next(c)) {
		struct buf path defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
		const struct tree_entry *e;

		assert_true(key_follows(buf_bytes(&prev), folder,
		    cursor_key(c)));
		assert_int_equal(cursor_entry(c, NULL, &e), 0);
		folder = e->type == ENTRY_FOLDER;
		prev.n = 0;
		assert_int_equal(buf_append(&prev, cursor_key(c).p,
		    cursor_key(c).n), 0);
		assert_int_equal(key_to_path(cursor_key(c), &path), 0);
		assert_int_equal(buf_append(&path, "", 1), 0);
		put(&t, (char *)path.p, folder, e->uid);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(t.n, tree->entries);
	return t;
}

static struct model
merge(struct bed *bed, struct model *base, struct model *ours,
    struct model *theirs, uint64_t *renamed)
{
	struct builder_tree b = build(bed, base), o = build(bed, ours),
		t = build(bed, theirs), out;
	struct threeway w = { .stow = bed->stow, .dedup = &bed->m->dedup,
		.base = b.has_root ? &b.root : NULL,
		.ours = o.has_root ? &o.root : NULL,
		.theirs = t.has_root ? &t.root : NULL,
		.device = { 0xab, 0xcd, 0xef, 0x01 } };
	struct fault f = { 0 };
	int rc = threeway_merge(&w, &out, &f);

	if (rc != 0)
		print_error("%s\n", f.text);
	assert_int_equal(rc, 0);
	assert_int_equal(packer_flush(bed->packer, &f), 0);
	*renamed = w.renamed;
	return read_back(bed, &out);
}

/* Text of a model in key order; "~" stands for ".conflict-abcdef01-". */
static const char *
show(const struct model *t)
{
	static char out[65536];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < t->n; i++) {
		const struct item *x = &t->item[i];
		const char *mark = strstr(x->path, ".conflict-abcdef01-");
		int head = mark == NULL ? (int)strlen(x->path) :
		    (int)(mark - x->path);

		n += (size_t)snprintf(out + n, sizeof(out) - n,
		    "%s%.*s%s%s%s=%u", n == 0 ? "" : " ", head, x->path,
		    mark == NULL ? "" : "~", mark == NULL ? "" : mark + 19,
		    x->folder ? "/" : "", x->version);
	}
	return out;
}

static const struct {
	const char *what, *base, *ours, *theirs, *result;
	unsigned renamed;
} cases[] = {
	{ "nothing anywhere", "", "", "", "", 0 },
	{ "ours alone", "a", "a=2 b", "a", "a=2 b=1", 0 },
	{ "theirs alone", "a", "a", "a=2 b", "a=2 b=1", 0 },
	{ "both add", "", "a", "b", "a=1 b=1", 0 },
	{ "both add the same", "", "a", "a", "a=1", 0 },
	{ "both add, unlike", "", "a=1", "a=2", "a=2 a~1=1", 1 },
	{ "both change, unlike", "a=1", "a=2", "a=3", "a=3 a~1=2", 1 },
	{ "both change alike", "a=1", "a=2", "a=2", "a=2", 0 },
	{ "both delete", "a b", "b", "b", "b=1", 0 },
	{ "ours deletes", "a b", "b", "a b", "b=1", 0 },
	{ "theirs deletes", "a b", "a b", "b", "b=1", 0 },
	{ "ours deletes, theirs changes", "a", "", "a=2", "a=2", 0 },
	{ "ours changes, theirs deletes", "a", "a=2", "", "a=2", 0 },
	{ "file against folder", "", "a=1", "a/=2 a/x",
	    "a/=2 a/x=1 a~1=1", 1 },
	{ "folder against file", "", "a/=1 a/x", "a=2",
	    "a/=1 a/x=1 a~1=2", 1 },
	{ "folder and folder, unlike", "a/", "a/=2", "a/=3", "a/=2", 0 },
	{ "both add to a folder", "a/", "a/=2 a/x", "a/=3 a/y",
	    "a/=2 a/x=1 a/y=1", 0 },
	{ "ours deletes a folder, theirs adds to it", "a/ a/x", "",
	    "a/ a/x a/y", "a/=1 a/y=1", 0 },
	{ "ours deletes folders, theirs changes below", "a/ a/b/ a/b/c a/d",
	    "", "a/ a/b/ a/b/c=2 a/d", "a/=1 a/b/=1 a/b/c=2", 0 },
	{ "theirs deletes a folder, ours adds to it", "a/ a/x",
	    "a/ a/x a/y", "", "a/=1 a/y=1", 0 },
	{ "ours replaces a folder, theirs changes in it", "a/ a/x a/z",
	    "a=2", "a/ a/x=3 a/z", "a/=1 a/x=3 a~1=2", 1 },
	{ "ours replaces a folder, theirs leaves it", "a/ a/x", "a=2",
	    "a/ a/x b", "a=2 b=1", 0 },
	{ "theirs replaces a folder, ours changes in it", "a/ a/x a/z",
	    "a/ a/x=3 a/z", "a=2", "a/=1 a/x=3 a~1=2", 1 },
	{ "theirs replaces a folder, ours changes deep in it",
	    "a/ a/b/ a/b/x a/c/ a/c/y", "a/ a/b/ a/b/x=3 a/c/ a/c/y=3", "a=2",
	    "a/=1 a/b/=1 a/b/x=3 a/c/=1 a/c/y=3 a~1=2", 1 },
};

static void
merges_as_the_table_says(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model base = parse(cases[i].base),
			ours = parse(cases[i].ours),
			theirs = parse(cases[i].theirs), out;
		uint64_t renamed;

		out = merge(*state, &base, &ours, &theirs, &renamed);
		if (strcmp(show(&out), cases[i].result) != 0)
			print_error("%s\n", cases[i].what);
		assert_string_equal(show(&out), cases[i].result);
		assert_int_equal(renamed, cases[i].renamed);
	}
}

static void
finds_a_name_that_is_free(void **state)
{
	struct model base = parse(""), ours, theirs, out;
	uint64_t renamed;

	ours = parse("a=1 a.conflict-abcdef01-2=7");
	theirs = parse("a=2 a.conflict-abcdef01-1=6");
	out = merge(*state, &base, &ours, &theirs, &renamed);
	assert_string_equal(show(&out), "a=2 a~1=6 a~2=7 a~3=1");
}

/* Names so long that they are cut before the tail is put on. */
static void
keeps_names_apart_that_are_cut_alike(void **state)
{
	struct model base = parse(""), ours = base, theirs = base, out;
	char name[256];
	uint64_t renamed;
	unsigned found = 0;

	memset(name, 'n', 255);
	name[255] = '\0';
	for (unsigned i = 0; i < 3; i++) {
		name[254] = (char)('0' + i);
		put(&ours, name, false, 10 + i);
		put(&theirs, name, false, 20 + i);
	}
	out = merge(*state, &base, &ours, &theirs, &renamed);
	assert_int_equal(out.n, 6);
	assert_int_equal(renamed, 3);
	for (size_t i = 0; i < out.n; i++) {
		assert_true(strlen(out.item[i].path) <= KEY_NAME_MAX);
		if (out.item[i].version < 20)
			found |= 1u << (out.item[i].version - 10);
	}
	assert_int_equal(found, 7);
}

/* The name of a replaced folder, found last, is what a longer one is cut to. */
static void
keeps_a_name_apart_from_one_that_is_cut_to_it(void **state)
{
	struct model base = parse(""), ours, theirs, out;
	char name[256], folder[256], in[300];
	uint64_t renamed;

	memset(name, 'n', 255);
	name[255] = '\0';
	(void)snprintf(folder, sizeof(folder), "%.235s", name);
	(void)snprintf(in, sizeof(in), "%s/in", folder);
	put(&base, folder, true, 1);
	ours = theirs = base;
	put(&theirs, in, false, 2);
	put(&theirs, name, false, 3);
	ours.n = 0;
	put(&ours, folder, false, 4);
	put(&ours, name, false, 5);
	out = merge(*state, &base, &ours, &theirs, &renamed);
	assert_int_equal(out.n, 5);
	assert_int_equal(renamed, 2);
}

static uint32_t seed = 1;

static unsigned
dice(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void
grow(struct model *t, const char *up, unsigned depth)
{
	for (char c = 'a'; c <= 'c'; c++) {
		char path[300];
		bool folder = depth < 3 && dice(3) == 0;

		if (dice(3) == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s%c", up,
		    up[0] == '\0' ? "" : "/", c);
		put(t, path, folder, 1 + dice(2));
		if (folder)
			grow(t, path, depth + 1);
	}
}

static bool
is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* Takes away some, changes some, adds some. */
static struct model
mutate(const struct model *from)
{
	struct model t = { .n = 0 }, more = { .n = 0 };
	const char *gone = NULL;

	for (size_t i = 0; i < from->n; i++) {
		const struct item *x = &from->item[i];
		unsigned d = dice(6);

		if (gone != NULL && is_below(x->path, gone))
			continue;
		gone = NULL;
		if (d == 0) {
			gone = x->path;
		} else if (d == 1) {
			gone = x->path;
			put(&t, x->path, !x->folder, 1 + dice(3));
		} else {
			put(&t, x->path, x->folder, d == 2 ? 2 + dice(3) :
			    x->version);
		}
	}
	grow(&more, "", 1);
	for (size_t i = 0; i < more.n && t.n < 40; i++) {
		char up[300], *slash;

		(void)snprintf(up, sizeof(up), "%s", more.item[i].path);
		slash = strrchr(up, '/');
		if (find(&t, more.item[i].path) != NULL || dice(3) != 0)
			continue;
		if (slash != NULL) {
			struct item *p;

			*slash = '\0';
			p = find(&t, up);
			if (p == NULL || !p->folder)
				continue;
		}
		put(&t, more.item[i].path, more.item[i].folder, 9);
	}
	return t;
}

static bool
same(const struct item *a, const struct item *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->folder == b->folder && a->version == b->version;
}

/* x is in t, under its name or beside it. */
static bool
is_kept(struct model *t, const struct item *x)
{
	char tail[330];

	if (same(find(t, x->path), x))
		return true;
	for (unsigned i = 1; i < 9; i++) {
		(void)snprintf(tail, sizeof(tail), "%s.conflict-abcdef01-%u",
		    x->path, i);
		if (same(find(t, tail), x))
			return true;
	}
	return false;
}

/* What one side changed is in the result; what it left is as the other has
 * it. */
static void
check_side(struct model *base, struct model *side, struct model *other,
    struct model *out)
{
	for (size_t i = 0; i < side->n; i++) {
		struct item *x = &side->item[i], *was = find(base, x->path);
		struct item *o = find(other, x->path);

		if (!same(x, was) && !x->folder)
			assert_true(is_kept(out, x));
		if (!same(x, was) && x->folder)
			assert_non_null(find(out, x->path));
		if (same(x, was) && same(x, o))
			assert_true(same(find(out, x->path), x) || x->folder);
		/* Deleted there, left here: gone, but for folders. */
		if (same(x, was) && o == NULL && !x->folder)
			assert_true(find(out, x->path) == NULL ||
			    find(out, x->path)->folder);
	}
}

static void
loses_nothing_of_random_trees(void **state)
{
	for (unsigned i = 0; i < 150; i++) {
		struct model base = { .n = 0 }, ours, theirs, out;
		uint64_t renamed;

		seed = i + 1;
		(void)dice(2);
		grow(&base, "", 1);
		if (base.n > 30)
			base.n = 30;
		ours = mutate(&base);
		theirs = mutate(&base);
		out = merge(*state, &base, &ours, &theirs, &renamed);
		check_side(&base, &ours, &theirs, &out);
		check_side(&base, &theirs, &ours, &out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(merges_as_the_table_says,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(finds_a_name_that_is_free,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    keeps_names_apart_that_are_cut_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    keeps_a_name_apart_from_one_that_is_cut_to_it, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(loses_nothing_of_random_trees,
		    setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
