// SPDX-License-Identifier: Apache-2.0
/* Builder and cursor together, over nodes that are kept in memory. */
#include "test/unit/object/data.h"

#include <stdio.h>

#include "crypt/hash.h"
#include "crypt/secret.h"
#include "object/cursor.h"
#include "object/key.h"

static const struct dedup_key dedup = { { 4, 2 } };

/* Nodes by their hash, in a table that never fills. */
#define SLOTS 16384u

struct store {
	struct buf *slot; /* SLOTS of them */
	size_t puts, loads;
};

static struct store
store_new(void)
{
	return (struct store){ .slot = calloc(SLOTS, sizeof(struct buf)) };
}

static void
store_drop(struct store *s)
{
	for (size_t i = 0; i < SLOTS; i++)
		buf_wipe(&s->slot[i]);
	free(s->slot);
}

/* The slot of hash, or the free one where it goes. */
static struct buf *
slot(struct store *s, const uint8_t *hash)
{
	size_t i = (hash[0] | hash[1] << 8) % SLOTS;

	for (;; i = (i + 1) % SLOTS) {
		uint8_t h[HASH_LEN];
		struct bytes b = buf_bytes(&s->slot[i]);

		if (b.n == 0)
			return &s->slot[i];
		hash_sha256(&b, 1, h);
		if (memcmp(h, hash, HASH_LEN) == 0)
			return &s->slot[i];
	}
}

static int
put(void *arg, unsigned level, struct bytes node, struct ref *out)
{
	struct store *s = arg;
	struct buf *b;

	assert_int_equal(node_check(node, level, NULL), 0);
	*out = (struct ref){ .plain_len = (uint32_t)node.n,
		.place.length = SEAL_OVERHEAD };
	hash_sha256(&node, 1, out->hash);
	memcpy(out->place.object, out->hash, ID_LEN);
	b = slot(s, out->hash);
	b->max = NODE_MAX;
	s->puts++;
	return b->n != 0 ? 0 : buf_append(b, node.p, node.n);
}

static int
load(void *arg, const struct ref *ref, unsigned level, struct buf *out)
{
	struct store *s = arg;
	struct buf *b = slot(s, ref->hash);

	(void)level;
	s->loads++;
	return b->n == 0 ? FAULT_MISSING : buf_append(out, b->p, b->n);
}

/* A map: keys in order, each with a number that its entry holds. */
struct map {
	size_t n;
	struct pair {
		char key[40];
		uint32_t value;
	} *pair;
};

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key,
	    ((const struct pair *)b)->key);
}

/* Sorts and drops all but one of equal keys. */
static void
map_sort(struct map *m)
{
	size_t k = 0;

	qsort(m->pair, m->n, sizeof(*m->pair), by_key);
	for (size_t i = 1; i < m->n; i++)
		if (by_key(&m->pair[k], &m->pair[i]) != 0)
			m->pair[++k] = m->pair[i];
	m->n = m->n == 0 ? 0 : k + 1;
}

static struct map
map_new(size_t n, uint64_t seed)
{
	struct map m = { .n = n, .pair = calloc(n + 1, sizeof(struct pair)) };

	for (size_t i = 0; i < n; i++) {
		uint64_t v = data_next(&seed);

		(void)snprintf(m.pair[i].key, sizeof(m.pair[i].key),
		    "folder%02x-name-%09llx", (unsigned)(v & 0xff),
		    (unsigned long long)(v >> 28));
		m.pair[i].value = (uint32_t)i;
	}
	map_sort(&m);
	return m;
}

static struct bytes
key_of(const struct pair *p)
{
	return bytes_of(p->key, strlen(p->key));
}

/* An entry with the value as its uid; a file with one hole of 3 bytes. */
static void
entry_of(const struct pair *p, struct buf *out)
{
	struct tree_entry e = { .type = ENTRY_FILE, .uid = p->value,
		.size = 3, .list = bytes_of("\1\0\0\0\0\0\0\0\3", 9) };

	out->n = 0;
	assert_int_equal(entry_encode(&e, out), 0);
}

static void
add(struct builder *b, const struct pair *p)
{
	struct buf e defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);

	entry_of(p, &e);
	assert_int_equal(builder_add(b, key_of(p), buf_bytes(&e)), 0);
}

static struct builder *
builder(struct store *s)
{
	struct builder *b = NULL;
	const struct builder_sink sink = { put, s };

	assert_int_equal(builder_new(&dedup, sink, &b), 0);
	return b;
}

static struct builder_tree
finish(struct builder *b, struct store *s)
{
	const struct node_source src = { load, s };
	struct builder_tree t;

	assert_int_equal(builder_finish(b, &src, &t), 0);
	builder_free(b);
	return t;
}

static struct builder_tree
build(struct store *s, const struct map *m)
{
	struct builder *b = builder(s);

	for (size_t i = 0; i < m->n; i++)
		add(b, &m->pair[i]);
	return finish(b, s);
}

static struct cursor *
cursor(struct store *s, const struct builder_tree *t, unsigned level)
{
	struct cursor *c = NULL;
	const struct node_source src = { load, s };

	assert_int_equal(
	    cursor_new(t->has_root ? &t->root : NULL, level, src, &c), 0);
	return c;
}

static void
walk(struct store *s, const struct builder_tree *t, const struct map *m)
{
	struct cursor *c = cursor(s, t, CURSOR_LEVEL_ANY);
	struct buf e defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	int rc = cursor_seek(c, bytes_of(NULL, 0));

	for (size_t i = 0; i < m->n; i++) {
		struct bytes raw;

		assert_int_equal(rc, 1);
		assert_int_equal(
		    bytes_cmp(cursor_key(c), key_of(&m->pair[i])), 0);
		assert_int_equal(cursor_entry(c, &raw, NULL), 0);
		entry_of(&m->pair[i], &e);
		assert_int_equal(bytes_cmp(raw, buf_bytes(&e)), 0);
		rc = cursor_next(c);
	}
	assert_int_equal(rc, 0);
	assert_true(cursor_end(c));
	assert_int_equal(cursor_next(c), 0);
	cursor_free(c);
}

static void
same_tree(const struct builder_tree *a, const struct builder_tree *b)
{
	assert_int_equal(a->has_root, b->has_root);
	assert_int_equal(a->level, b->level);
	assert_int_equal(a->entries, b->entries);
	assert_int_equal(a->bytes, b->bytes);
	assert_memory_equal(a->root.hash, b->root.hash, HASH_LEN);
}

static const size_t sizes[] = { 0, 1, 2, 50, 300, 3000, 50000 };

static void
walks_over_what_was_built(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct store s = store_new();
		struct map m = map_new(sizes[i], i);
		struct builder_tree t = build(&s, &m);

		assert_int_equal(t.entries, m.n);
		assert_int_equal(t.bytes, 3 * m.n);
		assert_int_equal(t.has_root, m.n != 0);
		walk(&s, &t, &m);
		free(m.pair);
		store_drop(&s);
	}
}

static void
seeks_in_any_direction(void **state)
{
	struct store s = store_new();
	struct map m = map_new(20000, 3);
	struct builder_tree t = build(&s, &m);
	struct cursor *c = cursor(&s, &t, t.level);
	uint64_t seed = 9;

	(void)state;
	for (size_t k = 0; k < 3000; k++) {
		size_t i = data_next(&seed) % m.n;
		struct bytes key = key_of(&m.pair[i]);
		struct pair just = m.pair[i];
		unsigned how = data_next(&seed) % 3;

		if (how == 1) /* between the one before and this one */
			just.key[strlen(just.key) - 1]--;
		if (how == 2) /* between this one and the next */
			just.key[strlen(just.key)] = '!';
		i += how == 2;
		if (how == 1 && i > 0 && by_key(&m.pair[i - 1], &just) >= 0)
			continue;
		assert_int_equal(cursor_seek(c, key_of(&just)), i < m.n);
		if (i == m.n)
			continue;
		key = key_of(&m.pair[i]);
		assert_int_equal(bytes_cmp(cursor_key(c), key), 0);
		if (k % 2 == 0 && i + 1 < m.n) {
			assert_int_equal(cursor_next(c), 1);
			assert_int_equal(bytes_cmp(cursor_key(c),
					     key_of(&m.pair[i + 1])), 0);
		}
	}
	assert_int_equal(cursor_seek(c, bytes_of("zzz", 3)), 0);
	assert_int_equal(cursor_seek(c, bytes_of("a", 1)), 1);
	assert_int_equal(bytes_cmp(cursor_key(c), key_of(&m.pair[0])), 0);
	cursor_free(c);
	free(m.pair);
	store_drop(&s);
}

static void
knows_the_leaves_that_come_next(void **state)
{
	struct store s = store_new();
	struct map m = map_new(50000, 4);
	struct builder_tree t = build(&s, &m);
	struct cursor *c = cursor(&s, &t, t.level);
	struct place ahead[3] = { 0 };
	size_t n = 0, known = 0;
	uint32_t leaf = 0;

	(void)state;
	assert_int_equal(cursor_seek(c, bytes_of(NULL, 0)), 1);
	do {
		struct cursor_node node;

		assert_int_equal(cursor_entry(c, NULL, NULL), 0);
		if (cursor_leaf(c) == leaf)
			continue;
		assert_true(cursor_at_node(c, 0, &node));
		/* A new node above begins anew, and nothing was known of it. */
		assert_int_equal(cursor_leaf(c), n == 0 ? 1 : leaf + 1);
		if (n != 0)
			assert_memory_equal(&ahead[0], &node.child.ref.place,
			    sizeof(ahead[0]));
		known += n != 0;
		leaf = cursor_leaf(c);
		n = cursor_ahead(c, bytes_of(NULL, 0), ahead, 3);
		assert_int_equal(cursor_ahead(c, bytes_of("folder", 6),
				     ahead + 1, 1), 0);
	} while (cursor_next(c) == 1);
	assert_true(known > 100);
	assert_int_equal(cursor_leaf(c), 0);
	cursor_free(c);
	free(m.pair);
	store_drop(&s);
}

/* Makes new from old by copying and adding; both are sorted. */
static struct builder_tree
edit(struct store *s, const struct builder_tree *t, const struct map *old,
    const struct map *new)
{
	struct cursor *c = cursor(s, t, CURSOR_LEVEL_ANY);
	struct builder *b = builder(s);
	size_t i = 0, j = 0;

	while (i < old->n || j < new->n) {
		int d = i == old->n ? 1
		    : j == new->n   ? -1
				    : by_key(&old->pair[i], &new->pair[j]);
		struct bytes key;

		if (d == 0 && old->pair[i].value == new->pair[j].value) {
			i++, j++;
			continue;
		}
		key = key_of(d <= 0 ? &old->pair[i] : &new->pair[j]);
		assert_int_equal(cursor_copy(c, b, key), 0);
		if (d <= 0) {
			assert_int_equal(bytes_cmp(cursor_key(c), key), 0);
			assert_in_range(cursor_next(c), 0, 1);
			i++;
		}
		if (d >= 0)
			add(b, &new->pair[j++]);
	}
	assert_int_equal(cursor_copy(c, b, bytes_of(NULL, 0)), 0);
	cursor_free(c);
	return finish(b, s);
}

/* A map with about changes pairs changed, added, dropped, near each other if
 * near. */
static struct map
changed(const struct map *m, size_t changes, bool near, uint64_t seed)
{
	struct map c = { .pair = calloc(m->n + changes + 1,
			     sizeof(struct pair)) };
	size_t base = m->n == 0 ? 0 : data_next(&seed) % m->n;
	uint8_t *drop = calloc(1, m->n + 1);

	memcpy(c.pair, m->pair, m->n * sizeof(*m->pair));
	c.n = m->n;
	for (size_t i = 0; i < changes && m->n != 0; i++) {
		uint64_t v = data_next(&seed);
		size_t at = (near ? base + v % 40 : v >> 8) % m->n;

		if (v % 3 == 0) {
			c.pair[at].value ^= 0x10000000;
		} else if (v % 3 == 1) {
			c.pair[c.n] = m->pair[at];
			c.pair[c.n].key[strlen(m->pair[at].key)] = 'x';
			c.pair[c.n++].value = 1;
		} else {
			drop[at] = 1;
		}
	}
	for (size_t i = 0, k = 0; i < c.n; i++) {
		if (i < m->n && drop[i])
			continue;
		c.pair[k++] = c.pair[i];
		if (i + 1 == c.n)
			c.n = k;
	}
	map_sort(&c);
	free(drop);
	return c;
}

static void
an_edit_gives_the_nodes_of_a_fresh_build(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct store s = store_new();
		struct map m = map_new(sizes[i], i + 10);
		struct builder_tree t = build(&s, &m), got, want;

		for (uint64_t k = 0; k < 12; k++) {
			struct map n = changed(&m, 1u << k / 2 * 2, k % 2, k);

			got = edit(&s, &t, &m, &n);
			want = build(&s, &n);
			same_tree(&got, &want);
			free(n.pair);
		}
		free(m.pair);
		store_drop(&s);
	}
}

static void
a_change_of_one_entry_stores_one_node_a_level(void **state)
{
	struct store s = store_new();
	struct map m = map_new(50000, 5);
	struct builder_tree t = build(&s, &m), got;
	struct map n = { .n = m.n, .pair = calloc(m.n, sizeof(struct pair)) };

	(void)state;
	memcpy(n.pair, m.pair, m.n * sizeof(struct pair));
	n.pair[31234].value = 77777777;
	s.puts = s.loads = 0;
	got = edit(&s, &t, &m, &n);
	assert_int_equal(got.entries, t.entries);
	assert_in_range(s.puts, t.level + 1, 3 * (t.level + 1));
	assert_in_range(s.loads, 1, 4 * (t.level + 1));
	s.puts = s.loads = 0;
	got = edit(&s, &t, &m, &m);
	same_tree(&got, &t);
	assert_in_range(s.puts, 0, 2 * (t.level + 1));
	free(n.pair);
	free(m.pair);
	store_drop(&s);
}

/* Every part of a tree, cut out by copying, is as if built of its entries: the
 * root may be a node that was taken over, or one far below it. */
static void
any_range_of_a_tree_has_the_nodes_of_a_fresh_build(void **state)
{
	struct store s = store_new();
	struct map m = map_new(30000, 6);
	struct builder_tree t = build(&s, &m);
	uint64_t seed = 1;

	(void)state;
	for (size_t k = 0; k < 150; k++) {
		size_t from = data_next(&seed) % m.n;
		size_t n = data_next(&seed) % (k % 2 ? 700 : m.n - from + 1);
		struct cursor *c = cursor(&s, &t, t.level);
		struct builder *b = builder(&s);
		struct builder_tree got, want;
		struct map part;

		n = n > m.n - from ? m.n - from : n;
		n = n == 0 ? 1 : n;
		from = k % 5 == 0 ? 0 : from;
		part = (struct map){ .n = n, .pair = m.pair + from };
		assert_int_equal(cursor_seek(c, key_of(&m.pair[from])), 1);
		assert_int_equal(cursor_copy(c, b, from + n == m.n
					 ? bytes_of("zzz", 3)
					 : key_of(&m.pair[from + n])), 0);
		got = finish(b, &s);
		want = build(&s, &part);
		same_tree(&got, &want);
		cursor_free(c);
	}
	free(m.pair);
	store_drop(&s);
}

/* Each node by itself, as the only thing that a builder takes over. */
static void
a_root_that_was_taken_over_has_more_than_one_item(void **state)
{
	struct store s = store_new();
	struct map m = map_new(50000, 7);
	struct builder_tree t = build(&s, &m);
	struct cursor *c = cursor(&s, &t, t.level);
	size_t taken = 0;

	(void)state;
	for (unsigned level = 0; level < t.level; level++) {
		int rc = cursor_seek(c, bytes_of(NULL, 0));

		while (rc == 1) {
			struct builder *b;
			struct builder_tree got, want;
			struct cursor_node node;
			struct map part;
			size_t at = 0;

			if (!cursor_at_node(c, level, &node)) {
				assert_int_equal(
				    cursor_entry(c, NULL, NULL), 0);
				assert_true(cursor_at_node(c, level, &node));
			}
			if (node.last || ++taken % 3 == 2)
				goto next;
			b = builder(&s);
			assert_int_equal(builder_add_node(b, level,
					     node.first, &node.child), 1);
			got = finish(b, &s);
			while (bytes_cmp(key_of(&m.pair[at]), node.first) < 0)
				at++;
			part = (struct map){ .n = node.child.entries,
				.pair = m.pair + at };
			want = build(&s, &part);
			same_tree(&got, &want);
		next:
			rc = cursor_skip_node(c, level);
		}
		assert_int_equal(rc, 0);
	}
	assert_in_range(taken, 100, 100000);
	cursor_free(c);
	free(m.pair);
	store_drop(&s);
}

static void
refuses_keys_out_of_order(void **state)
{
	struct store s = store_new();
	struct builder *b = builder(&s);
	struct pair x = { "b", 1 }, y = { "a", 1 }, z = { "c/d", 1 };
	struct buf e = buf_init(ENTRY_LEN_MAX);

	(void)state;
	add(b, &x);
	entry_of(&y, &e);
	assert_int_equal(builder_add(b, key_of(&x), buf_bytes(&e)),
	    FAULT_INTERNAL);
	assert_int_equal(builder_add(b, key_of(&y), buf_bytes(&e)),
	    FAULT_INTERNAL);
	assert_int_equal(builder_add(b, key_of(&z), buf_bytes(&e)),
	    FAULT_MALFORMED);
	assert_int_equal(builder_add(b, bytes_of("d", 1), bytes_of(e.p, 5)),
	    FAULT_MALFORMED);
	buf_wipe(&e);
	builder_free(b);
	store_drop(&s);
}

/* Loads another node than the one that is asked for. */
struct liar {
	struct store *s;
	const struct ref *instead;
	size_t after;
};

static int
lie(void *arg, const struct ref *ref, unsigned level, struct buf *out)
{
	struct liar *l = arg;

	if (l->after-- == 0)
		ref = l->instead;
	return load(l->s, ref, level, out);
}

static void
refuses_a_child_that_is_not_what_its_parent_says(void **state)
{
	struct store s = store_new();
	struct map m = map_new(20000, 8), small = map_new(10, 9);
	struct builder_tree t = build(&s, &m), other = build(&s, &small);
	struct liar l = { .s = &s, .instead = &other.root };

	(void)state;
	for (size_t after = 1; after < 10; after++) {
		struct cursor *c = NULL;
		const struct node_source src = { lie, &l };
		int rc;

		l.after = after;
		assert_int_equal(cursor_new(&t.root, t.level, src, &c), 0);
		rc = cursor_seek(c, bytes_of(NULL, 0));
		while (rc == 1)
			rc = cursor_next(c);
		assert_int_equal(rc, FAULT_MALFORMED);
		cursor_free(c);
	}
	free(m.pair);
	free(small.pair);
	store_drop(&s);
}

static void
passes_on_what_source_and_sink_return(void **state)
{
	struct store s = store_new(), none = store_new();
	struct map m = map_new(20000, 8);
	struct builder_tree t = build(&s, &m);
	struct cursor *c = cursor(&none, &t, t.level);

	(void)state;
	assert_int_equal(cursor_seek(c, bytes_of(NULL, 0)), FAULT_MISSING);
	cursor_free(c);
	free(m.pair);
	store_drop(&s);
	store_drop(&none);
}

static void
holds_the_longest_keys(void **state)
{
	struct store s = store_new();
	struct builder *b = builder(&s);
	struct buf e = buf_init(ENTRY_LEN_MAX);
	uint8_t *key = malloc(KEY_BYTES_MAX);
	struct pair p = { "", 1 };
	struct builder_tree t;
	struct cursor *c;
	size_t n = 0;
	int rc;

	(void)state;
	memset(key, 'x', KEY_BYTES_MAX);
	for (size_t i = 255; i < KEY_BYTES_MAX; i += 256)
		key[i] = 0;
	entry_of(&p, &e);
	for (unsigned i = 'a'; i <= 'z'; i++) {
		key[0] = (uint8_t)i;
		assert_int_equal(builder_add(b,
				     bytes_of(key, KEY_BYTES_MAX),
				     buf_bytes(&e)), 0);
	}
	t = finish(b, &s);
	assert_int_equal(t.entries, 26);
	c = cursor(&s, &t, t.level);
	for (rc = cursor_seek(c, bytes_of("c", 1)); rc == 1;
	     rc = cursor_next(c))
		n++;
	assert_int_equal(n, 24);
	cursor_free(c);
	free(key);
	buf_wipe(&e);
	store_drop(&s);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(walks_over_what_was_built),
		cmocka_unit_test(seeks_in_any_direction),
		cmocka_unit_test(knows_the_leaves_that_come_next),
		cmocka_unit_test(an_edit_gives_the_nodes_of_a_fresh_build),
		cmocka_unit_test(
		    a_change_of_one_entry_stores_one_node_a_level),
		cmocka_unit_test(
		    any_range_of_a_tree_has_the_nodes_of_a_fresh_build),
		cmocka_unit_test(
		    a_root_that_was_taken_over_has_more_than_one_item),
		cmocka_unit_test(refuses_keys_out_of_order),
		cmocka_unit_test(
		    refuses_a_child_that_is_not_what_its_parent_says),
		cmocka_unit_test(passes_on_what_source_and_sink_return),
		cmocka_unit_test(holds_the_longest_keys),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
