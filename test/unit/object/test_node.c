// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "object/node.h"

/* An entry of a fifo, as bytes. */
static const uint8_t fifo[24] = { 4 };

static int
leaf(struct bytes in)
{
	return node_check(in, 0, NULL);
}

static int
inner(struct bytes in)
{
	return node_check(in, 1, NULL);
}

static void
add(struct node_writer *w, const char *key, size_t n)
{
	struct node_child c = { .entries = 3, .bytes = 5,
		.ref = data_ref(n) };

	if (w->level == 0)
		assert_int_equal(node_add_entry(w, bytes_of(key, n),
				     bytes_of(fifo, 24), 7), 0);
	else
		assert_int_equal(node_add_child(w, bytes_of(key, n), &c), 0);
}

static void
items_come_back_as_they_were(void **state)
{
	static const char *const key[] = { "a", "a|b", "ab", "b", "bcd|e" };

	(void)state;
	for (unsigned level = 0; level < 2; level++) {
		struct node_writer w defer(node_writer_wipe) = { 0 };
		struct node_iter it defer(node_iter_wipe) = { 0 };
		struct buf peek defer(buf_wipe) = buf_init(100);
		struct node_child sum;
		char k[5][8];

		assert_int_equal(node_start(&w, level), 0);
		for (size_t i = 0; i < 5; i++) {
			memcpy(k[i], key[i], strlen(key[i]) + 1);
			for (char *p = k[i]; *p != 0; p++)
				*p = *p == '|' ? 0 : *p;
			add(&w, k[i], strlen(key[i]));
		}
		assert_int_equal(node_check(buf_bytes(&w.b), level, &sum), 0);
		assert_int_equal(sum.entries, level == 0 ? 5 : 15);
		assert_int_equal(sum.bytes, level == 0 ? 0 : 25);
		assert_int_equal(w.sum.entries, sum.entries);
		data_refuses_other_lengths(buf_bytes(&w.b),
		    level == 0 ? leaf : inner);
		assert_int_equal(node_begin(&it, buf_bytes(&w.b), level), 0);
		for (size_t i = 0; i < 5; i++) {
			assert_int_equal(node_peek(&it, &peek), 1);
			assert_int_equal(node_next(&it), 1);
			assert_int_equal(it.key.n, strlen(key[i]));
			assert_memory_equal(it.key.p, k[i], it.key.n);
			assert_int_equal(bytes_cmp(buf_bytes(&peek),
					     buf_bytes(&it.key)), 0);
			if (level == 0)
				assert_int_equal(it.raw.n, 24);
		}
		assert_int_equal(node_peek(&it, &peek), 0);
		assert_int_equal(node_next(&it), 0);
	}
}

static void
refuses_keys_out_of_order(void **state)
{
	struct node_writer w defer(node_writer_wipe) = { 0 };

	(void)state;
	assert_int_equal(node_start(&w, 0), 0);
	add(&w, "b", 1);
	assert_int_equal(node_add_entry(&w, bytes_of("b", 1),
			     bytes_of(fifo, 24), 0), FAULT_INTERNAL);
	assert_int_equal(node_add_entry(&w, bytes_of("a", 1),
			     bytes_of(fifo, 24), 0), FAULT_INTERNAL);
	assert_int_equal(node_add_entry(&w, bytes_of("", 0),
			     bytes_of(fifo, 24), 0), FAULT_INTERNAL);
}

/* A leaf of two fifos whose second key is written as told. */
static int
second_key(uint16_t shared, const char *rest)
{
	struct buf b defer(buf_wipe) = buf_init(1000);
	struct wr w = wr_to(&b);

	wr_u32(&w, 0x01000000);
	wr_u32(&w, 2);
	wr_u16(&w, 0);
	wr_u16(&w, 3);
	wr_copy(&w, "abc", 3);
	wr_copy(&w, fifo, 24);
	wr_u16(&w, shared);
	wr_u16(&w, (uint16_t)strlen(rest));
	wr_copy(&w, rest, strlen(rest));
	wr_copy(&w, fifo, 24);
	return leaf(buf_bytes(&b));
}

static void
keys_share_as_much_as_they_can_and_ascend(void **state)
{
	(void)state;
	assert_int_equal(second_key(2, "d"), 0);
	assert_int_equal(second_key(3, "d"), 0);
	assert_int_equal(second_key(0, "b"), 0);
	assert_int_equal(second_key(1, "bd"), FAULT_MALFORMED);
	assert_int_equal(second_key(0, "abd"), FAULT_MALFORMED);
	assert_int_equal(second_key(2, "b"), FAULT_MALFORMED);
	assert_int_equal(second_key(2, "c"), FAULT_MALFORMED);
	assert_int_equal(second_key(3, ""), FAULT_MALFORMED);
	assert_int_equal(second_key(2, ""), FAULT_MALFORMED);
	assert_int_equal(second_key(4, "d"), FAULT_MALFORMED);
	assert_int_equal(second_key(3, "/"), FAULT_MALFORMED);
	assert_int_equal(second_key(0, "d/"), FAULT_MALFORMED);
	assert_int_equal(second_key(0, "d"), 0);
}

static void
checks_the_header(void **state)
{
	struct node_writer w defer(node_writer_wipe) = { 0 };

	(void)state;
	assert_int_equal(node_start(&w, 1), 0);
	assert_int_equal(inner(buf_bytes(&w.b)), FAULT_MALFORMED);
	add(&w, "a", 1);
	assert_int_equal(inner(buf_bytes(&w.b)), 0);
	assert_int_equal(leaf(buf_bytes(&w.b)), FAULT_MALFORMED);
	for (size_t i = 2; i < 8; i++) {
		w.b.p[i] ^= 0x40;
		assert_int_equal(inner(buf_bytes(&w.b)), FAULT_MALFORMED);
		w.b.p[i] ^= 0x40;
	}
	w.b.p[0] = 2;
	assert_int_equal(inner(buf_bytes(&w.b)), FAULT_VERSION);
	w.b.p[0] = 1;
	/* No entries below. */
	memset(w.b.p + 8 + 5, 0, 8);
	assert_int_equal(inner(buf_bytes(&w.b)), FAULT_MALFORMED);
}

static void
sums_must_not_overflow(void **state)
{
	struct node_writer w defer(node_writer_wipe) = { 0 };
	struct node_child c = { .entries = 1, .bytes = UINT64_MAX,
		.ref = data_ref(1) };

	(void)state;
	assert_int_equal(node_start(&w, 1), 0);
	assert_int_equal(node_add_child(&w, bytes_of("a", 1), &c), 0);
	c.bytes = 1;
	assert_int_equal(node_add_child(&w, bytes_of("b", 1), &c),
	    FAULT_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(items_come_back_as_they_were),
		cmocka_unit_test(refuses_keys_out_of_order),
		cmocka_unit_test(keys_share_as_much_as_they_can_and_ascend),
		cmocka_unit_test(checks_the_header),
		cmocka_unit_test(sums_must_not_overflow),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
