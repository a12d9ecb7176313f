// SPDX-License-Identifier: Apache-2.0
/* Entries, and the content lists and attributes within. */
#include "test/unit/object/data.h"

#include "object/attrs.h"
#include "object/entry.h"
#include "object/list.h"

static int
decode(struct bytes in)
{
	struct tree_entry e;

	return entry_decode(in, &e);
}

/* Encodes, decodes, encodes: the same, and of no other length. */
static void
round_trip(const struct tree_entry *e)
{
	struct buf a defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	struct buf b defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	struct tree_entry got;

	assert_int_equal(entry_encode(e, &a), 0);
	data_refuses_other_lengths(buf_bytes(&a), decode);
	assert_int_equal(entry_decode(buf_bytes(&a), &got), 0);
	assert_int_equal(entry_encode(&got, &b), 0);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
}

static int
encodes(const struct tree_entry *e)
{
	struct buf b defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);

	return entry_encode(e, &b);
}

static struct tree_entry
file(void)
{
	return (struct tree_entry){ .type = ENTRY_FILE, .mode = 0644,
		.uid = 1000, .gid = 100, .mtime_sec = -5, .mtime_nsec = 7 };
}

static void
entries_come_back_as_they_were(void **state)
{
	struct tree_entry e = file();
	struct list_builder l = list_build(INLINE_MAX);
	struct buf attrs = buf_init(INLINE_MAX);
	struct attrs_item item[] = { { bytes_of("user.b", 6),
		bytes_of("value", 5) }, { bytes_of("user.a", 6),
		bytes_of(NULL, 0) } };
	uint8_t id[CHUNK_ID_LEN] = { 7 };

	(void)state;
	round_trip(&e);
	assert_int_equal(list_add_data(&l, id, CHUNK_MAX), 0);
	assert_int_equal(list_add_hole(&l, 1000), 0);
	assert_int_equal(list_add_data(&l, id, 1), 0);
	assert_int_equal(list_finish(&l, &e.list), 0);
	assert_int_equal(attrs_encode(item, 2, &attrs), 0);
	e.size = l.size;
	e.link = 1;
	round_trip(&e);
	e.attrs = buf_bytes(&attrs);
	round_trip(&e);
	e.attrs = bytes_of(NULL, 0);
	e.attrs_chunk_len = INLINE_MAX + 1;
	round_trip(&e);
	e = file();
	for (e.type = ENTRY_FOLDER; e.type <= ENTRY_BLOCK; e.type++) {
		e.target = bytes_of("../x", 4);
		e.major = 8;
		round_trip(&e);
	}
	list_builder_wipe(&l);
	buf_wipe(&attrs);
}

static void
refuses_values_out_of_range(void **state)
{
	struct tree_entry e = file();
	char *target = malloc(LINK_TARGET_MAX + 1);

	(void)state;
	e.mode = 010000;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e = file();
	e.mtime_nsec = 1000000000;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e = file();
	e.type = 0;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e.type = 8;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e = file();
	e.size = 1;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e = file();
	e.level = 1;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e = file();
	e.attrs_chunk_len = INLINE_MAX;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e.attrs_chunk_len = XATTR_MAX + 1;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e = file();
	e.attrs = bytes_of("\1a\0\0\0", 5);
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e.attrs = bytes_of("\1a\0\0\0\0", 6);
	assert_int_equal(encodes(&e), 0);
	e.attrs_chunk_len = INLINE_MAX + 1;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	memset(target, 'x', LINK_TARGET_MAX + 1);
	e = (struct tree_entry){ .type = ENTRY_SYMLINK };
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e.target = bytes_of(target, LINK_TARGET_MAX);
	assert_int_equal(encodes(&e), 0);
	e.target.n++;
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	e.target = bytes_of("a\0b", 3);
	assert_int_equal(encodes(&e), FAULT_MALFORMED);
	free(target);
}

static void
refuses_flags_that_are_not_there(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	struct tree_entry e = { .type = ENTRY_FIFO };

	(void)state;
	assert_int_equal(entry_encode(&e, &b), 0);
	for (unsigned i = 1; i < 256; i++) {
		b.p[1] = (uint8_t)i;
		assert_int_equal(decode(buf_bytes(&b)), FAULT_MALFORMED);
	}
	/* A link id that is there must not be zero. */
	b.p[1] = 4;
	assert_int_equal(buf_append(&b, "\0\0\0\0\0\0\0\0", 8), 0);
	assert_int_equal(decode(buf_bytes(&b)), FAULT_MALFORMED);
	b.p[b.n - 1] = 1;
	assert_int_equal(decode(buf_bytes(&b)), 0);
}

static void
joins_holes_and_adds_up(void **state)
{
	struct list_builder l = list_build(1000);
	struct list_item item;
	struct list_iter it;
	struct bytes list;
	uint8_t id[CHUNK_ID_LEN] = { 3 };

	(void)state;
	assert_int_equal(list_add_hole(&l, 0), 0);
	assert_int_equal(list_add_hole(&l, 5), 0);
	assert_int_equal(list_add_hole(&l, 6), 0);
	assert_int_equal(list_add_data(&l, id, 9), 0);
	assert_int_equal(list_add_hole(&l, 1), 0);
	assert_int_equal(list_add_data(&l, id, 0), FAULT_LIMIT);
	assert_int_equal(list_add_data(&l, id, CHUNK_MAX + 1), FAULT_LIMIT);
	assert_int_equal(list_add_hole(&l, INT64_MAX), FAULT_LIMIT);
	assert_int_equal(list_finish(&l, &list), 0);
	assert_int_equal(l.size, 21);
	assert_int_equal(list.n, 9 + 37 + 9);
	it = list_begin(list, 0);
	assert_int_equal(list_next(&it, &item), 1);
	assert_true(item.hole && item.length == 11);
	assert_int_equal(list_next(&it, &item), 1);
	assert_true(!item.hole && item.length == 9 && item.id[0] == 3);
	assert_int_equal(list_next(&it, &item), 1);
	assert_int_equal(list_next(&it, &item), 0);
	assert_true(list_valid(list, 0, 21));
	assert_false(list_valid(list, 0, 20));
	assert_false(list_valid(list, 1, 21));
	list_builder_wipe(&l);
}

static void
refuses_two_holes_in_a_row(void **state)
{
	uint8_t two[18] = { 1, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 0, 0, 0, 0,
		6 };

	(void)state;
	assert_true(list_valid(bytes_of(two, 9), 0, 5));
	assert_false(list_valid(bytes_of(two, 18), 0, 11));
	two[8] = 0;
	assert_false(list_valid(bytes_of(two, 9), 0, 0));
	memset(two + 1, 0xff, 8);
	assert_false(list_valid(bytes_of(two, 9), 0, UINT64_MAX));
	two[0] = 2;
	assert_false(list_valid(bytes_of(two, 9), 0, UINT64_MAX));
}

static void
lists_of_lists_are_full_but_for_the_last(void **state)
{
	struct list_builder l = list_build(1000);
	struct bytes list;
	uint8_t id[CHUNK_ID_LEN] = { 3 };

	(void)state;
	assert_int_equal(list_add_data(&l, id, INLINE_MAX), 0);
	assert_int_equal(list_finish(&l, &list), 0);
	assert_false(list_valid(list, 1, 1));
	assert_int_equal(list_add_data(&l, id, 1), 0);
	assert_int_equal(list_finish(&l, &list), 0);
	assert_false(list_valid(list, 1, 1));
	list_builder_wipe(&l);
	assert_int_equal(list_add_data(&l, id, CHUNK_MAX), 0);
	assert_int_equal(list_add_data(&l, id, 1), 0);
	assert_int_equal(list_finish(&l, &list), 0);
	assert_true(list_valid(list, 1, 1));
	assert_true(list_valid(list, LIST_LEVEL_MAX, 1));
	assert_false(list_valid(list, LIST_LEVEL_MAX + 1, 1));
	assert_false(list_valid(list, 1, 0));
	list_builder_wipe(&l);
}

static int
attrs(struct bytes in)
{
	return attrs_valid(in) ? 0 : FAULT_MALFORMED;
}

static void
attributes_are_sorted_and_none_is_twice(void **state)
{
	struct attrs_item item[] = {
		{ bytes_of("user.z", 6), bytes_of("1", 1) },
		{ bytes_of("user.a", 6), bytes_of("22", 2) },
	};
	struct attrs_item got, twice[] = { item[0], item[0] };
	struct buf b defer(buf_wipe) = buf_init(XATTR_MAX);
	struct attrs_iter it;
	uint8_t *big = calloc(1, XATTR_MAX);

	(void)state;
	assert_int_equal(attrs_encode(item, 2, &b), 0);
	assert_true(attrs_valid(buf_bytes(&b)));
	assert_false(attrs_valid(bytes_of(b.p, 5)));
	it = attrs_begin(buf_bytes(&b));
	assert_int_equal(attrs_next(&it, &got), 1);
	assert_memory_equal(got.name.p, "user.a", 6);
	assert_int_equal(got.value.n, 2);
	assert_int_equal(attrs_next(&it, &got), 1);
	assert_int_equal(attrs_next(&it, &got), 0);
	/* The two swapped. */
	b.n = 0;
	assert_int_equal(attrs_encode(&item[1], 1, &b), 0);
	assert_int_equal(attrs_encode(&item[0], 1, &b), 0);
	assert_int_equal(attrs(buf_bytes(&b)), FAULT_MALFORMED);
	assert_int_equal(attrs_encode(twice, 2, &b), FAULT_MALFORMED);
	item[0].name = bytes_of("a\0b", 3);
	assert_int_equal(attrs_encode(item, 1, &b), FAULT_MALFORMED);
	item[0].name = bytes_of("", 0);
	assert_int_equal(attrs_encode(item, 1, &b), FAULT_MALFORMED);
	item[0].name = bytes_of("a", 1);
	b.n = 0;
	item[0].value = bytes_of(big, XATTR_MAX - 6);
	assert_int_equal(attrs_encode(item, 1, &b), 0);
	assert_true(attrs_valid(buf_bytes(&b)));
	item[0].value.n++;
	assert_int_equal(attrs_encode(item, 1, &b), FAULT_LIMIT);
	assert_false(attrs_valid(bytes_of(NULL, 0)));
	free(big);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(entries_come_back_as_they_were),
		cmocka_unit_test(refuses_values_out_of_range),
		cmocka_unit_test(refuses_flags_that_are_not_there),
		cmocka_unit_test(joins_holes_and_adds_up),
		cmocka_unit_test(refuses_two_holes_in_a_row),
		cmocka_unit_test(lists_of_lists_are_full_but_for_the_last),
		cmocka_unit_test(attributes_are_sorted_and_none_is_twice),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
