// SPDX-License-Identifier: Apache-2.0
/* Trees of a few nodes, sealed anew: old ones come from memory, new ones go to
 * a space made by hand. */
#include "lib/cm.h"

#include "client/engine/reseal.h"
#include "lib/mkspace.h"
#include "object/node.h"

#define NODES 8

struct old {
	struct ref ref;
	struct buf plain;
};

/* Trees X (A, B) and Y (A, C); A has two entries, B and C one. */
enum { A, B, C, X, Y };

struct bed {
	struct mkspace *m;
	struct packer_stats stats;
	struct packer *packer;
	struct fresh *fresh;
	struct stow *stow;
	struct reseal r;
	struct old old[NODES];
	unsigned loads, told;
	int load_rc;  /* of node bad, and bad alone */
	unsigned bad;
	int told_rc;
	struct fault f;
};

/* Only what makes an object is tested here: no head is ever moved. */
int
session_move_head(struct session *s, uint64_t expect,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	(void)s;
	(void)expect;
	(void)head;
	return fault_set(f, FAULT_INTERNAL, "a head was moved");
}

static int
load(void *arg, const struct ref *ref, unsigned level, struct buf *out)
{
	struct bed *b = arg;
	size_t i = ref->hash[0] - 1u;

	(void)level;
	assert_in_range(i, 0, NODES - 1);
	b->loads++;
	if (b->load_rc != 0 && i == b->bad)
		return b->load_rc;
	return buf_append(out, b->old[i].plain.p, b->old[i].plain.n);
}

static int
on_entry(void *arg, const struct tree_entry *e, struct fault *f)
{
	struct bed *b = arg;

	assert_int_equal(e->type, ENTRY_FOLDER);
	b->told++;
	return b->told_rc == 0 ? 0 : fault_set(f, b->told_rc, "told");
}

static void
keep(struct bed *b, size_t i, struct node_writer *w)
{
	b->old[i].plain = w->b;
	w->b = buf_init(0);
	b->old[i].ref = (struct ref){ .hash = { (uint8_t)(i + 1) },
		.plain_len = (uint32_t)b->old[i].plain.n,
		.place = { .object = { (uint8_t)(i + 1) }, .length = 40 } };
	node_writer_wipe(w);
}

static void
make_leaf(struct bed *b, size_t i, const char *keys)
{
	const struct tree_entry e = mkspace_plain(ENTRY_FOLDER);
	struct buf raw defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	struct node_writer w = { 0 };

	assert_int_equal(entry_encode(&e, &raw), 0);
	assert_int_equal(node_start(&w, 0), 0);
	for (; *keys != '\0'; keys++)
		assert_int_equal(node_add_entry(&w, bytes_of(keys, 1),
		    buf_bytes(&raw), 0), 0);
	keep(b, i, &w);
}

static void
make_inner(struct bed *b, size_t i, unsigned level, size_t first,
    size_t second)
{
	struct node_child c = { .entries = 1, .ref = b->old[first].ref };
	struct node_writer w = { 0 };

	assert_int_equal(node_start(&w, level), 0);
	assert_int_equal(node_add_child(&w, bytes_of("a", 1), &c), 0);
	c.ref = b->old[second].ref;
	assert_int_equal(node_add_child(&w, bytes_of("x", 1), &c), 0);
	keep(b, i, &w);
}

static int
setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct space *sp;

	assert_non_null(b);
	b->m = mkspace_new();
	mkspace_commit(b->m, "");
	sp = mkspace_open(b->m);
	b->fresh = fresh_new();
	assert_non_null(b->fresh);
	assert_int_equal(packer_new(b->m->store, NULL, &b->stats,
			     EFFORT_AUTO, &b->packer,
	    &b->f), 0);
	assert_int_equal(stow_new(sp, b->packer, b->fresh, &b->stow, &b->f),
	    0);
	make_leaf(b, A, "ab");
	make_leaf(b, B, "x");
	make_leaf(b, C, "y");
	make_inner(b, X, 1, A, B);
	make_inner(b, Y, 1, A, C);
	reseal_init(&b->r, b->stow);
	b->r.source = (struct node_source){ .load = load, .arg = b };
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *b = *state;

	reseal_wipe(&b->r);
	stow_free(b->stow);
	packer_free(b->packer);
	fresh_free(b->fresh);
	for (size_t i = 0; i < NODES; i++)
		buf_wipe(&b->old[i].plain);
	mkspace_free(b->m);
	free(b);
	return 0;
}

static int
reseal(struct bed *b, size_t root, struct ref *out)
{
	b->f = (struct fault){ 0 };
	return reseal_tree(&b->r, &b->old[root].ref, out, &b->f);
}

/* The n-th child of a node that was sealed, as the depot has it. */
static struct ref
child(struct bed *b, const struct ref *node, unsigned n)
{
	struct node_source s = reader_nodes(stow_reader(b->stow));
	struct node_iter it defer(node_iter_wipe) = { 0 };
	struct buf plain defer(buf_wipe) = buf_init(NODE_MAX);

	assert_int_equal(packer_flush(b->packer, &b->f), 0);
	assert_int_equal(s.load(s.arg, node, 1, &plain), 0);
	assert_int_equal(node_begin(&it, buf_bytes(&plain), 1), 0);
	while (n-- > 0)
		assert_int_equal(node_next(&it), 1);
	return it.child.ref;
}

static bool
same_place(const struct ref *a, const struct ref *b)
{
	return memcmp(&a->place, &b->place, sizeof(a->place)) == 0;
}

static void
seals_once_what_trees_share(void **state)
{
	struct bed *b = *state;
	struct ref x, y, again, in_x, in_y;

	assert_int_equal(reseal(b, X, &x), 0);
	assert_int_equal(b->r.nodes, 3);
	assert_int_equal(reseal(b, Y, &y), 0);
	assert_int_equal(b->r.nodes, 5);
	assert_int_equal(b->loads, 5);
	assert_int_equal(reseal(b, X, &again), 0);
	assert_int_equal(b->loads, 5);
	assert_true(same_place(&x, &again));
	in_x = child(b, &x, 1);
	in_y = child(b, &y, 1);
	assert_true(same_place(&in_x, &in_y));
	assert_false(same_place(&in_x, &b->old[A].ref));
}

static void
seals_again_under_other_keys(void **state)
{
	struct bed *b = *state;
	struct ref first, second, leaf, other;

	assert_int_equal(reseal(b, X, &first), 0);
	reseal_again(&b->r);
	assert_int_equal(reseal(b, X, &second), 0);
	assert_int_equal(b->r.nodes, 6);
	leaf = child(b, &first, 2);
	other = child(b, &second, 2);
	/* The same content. */
	assert_memory_equal(leaf.hash, other.hash, HASH_LEN);
	assert_false(same_place(&leaf, &other));
	assert_memory_not_equal(&leaf.key, &other.key, sizeof(leaf.key));
}

static void
tells_of_each_entry_once(void **state)
{
	struct bed *b = *state;
	struct ref out;

	b->r.entry = on_entry;
	b->r.arg = b;
	assert_int_equal(reseal(b, X, &out), 0);
	assert_int_equal(b->told, 3);
	assert_int_equal(reseal(b, Y, &out), 0);
	assert_int_equal(b->told, 4);
}

static void
ends_where_it_is_told_to(void **state)
{
	struct bed *b = *state;
	struct ref out = { .plain_len = 99 };

	b->r.entry = on_entry;
	b->r.arg = b;
	b->told_rc = FAULT_INTERRUPTED;
	assert_int_equal(reseal(b, X, &out), FAULT_INTERRUPTED);
	assert_string_equal(b->f.text, "told");
	assert_int_equal(b->told, 1);
	assert_int_equal(b->r.nodes, 0);
	assert_int_equal(out.plain_len, 99);
}

/* What was sealed before stays so. */
static void
goes_on_after_a_node_that_could_not_be_loaded(void **state)
{
	struct bed *b = *state;
	struct ref out = { .plain_len = 99 };

	b->load_rc = FAULT_DEPOT;
	b->bad = B;
	assert_int_equal(reseal(b, X, &out), FAULT_DEPOT);
	assert_non_null(strstr(b->f.text, "tree"));
	assert_int_equal(out.plain_len, 99);
	assert_int_equal(b->r.nodes, 1);
	b->load_rc = 0;
	assert_int_equal(reseal(b, X, &out), 0);
	assert_int_equal(b->r.nodes, 3);
	assert_int_equal(b->loads, 5);
}

static void
assert_bad(struct bed *b, size_t root)
{
	struct ref out = { .plain_len = 99 };

	for (int told = 0; told < 2; told++) {
		b->r.entry = told == 1 ? on_entry : NULL;
		b->r.arg = b;
		assert_int_equal(reseal(b, root, &out), FAULT_MALFORMED);
		assert_non_null(strstr(b->f.text, "tree"));
		assert_int_equal(out.plain_len, 99);
	}
}

static void
refuses_a_node_that_is_none(void **state)
{
	struct bed *b = *state;
	struct buf *leaf = &b->old[B].plain, *root = &b->old[X].plain;
	size_t n = leaf->n;

	for (leaf->n = 0; leaf->n < n; leaf->n++)
		assert_bad(b, X);
	assert_int_equal(buf_append(leaf, "", 1), 0);
	assert_bad(b, X);
	leaf->n = n;
	n = root->n;
	for (root->n = 0; root->n < n; root->n++)
		assert_bad(b, X);
	root->p[1] = TREE_LEVEL_MAX + 1;
	assert_bad(b, X);
}

static void
refuses_a_child_of_another_level(void **state)
{
	struct bed *b = *state;

	make_inner(b, Y + 1, 2, A, B);
	assert_bad(b, Y + 1);
	make_inner(b, Y + 2, 1, X, B);
	assert_bad(b, Y + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		TEST(seals_once_what_trees_share),
		TEST(seals_again_under_other_keys),
		TEST(tells_of_each_entry_once),
		TEST(ends_where_it_is_told_to),
		TEST(goes_on_after_a_node_that_could_not_be_loaded),
		TEST(refuses_a_node_that_is_none),
		TEST(refuses_a_child_of_another_level),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
