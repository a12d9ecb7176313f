// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "object/key.h"

static struct bytes
lit(const char *s)
{
	return bytes_of(s, strlen(s));
}

/* Key of a path, with dots for the zero bytes: a.b; or "!" and the name. */
static void
expect(const char *path, const char *want)
{
	struct buf b defer(buf_wipe) = buf_init(100000);
	int rc = key_from_path(lit(path), &b);

	if (want[0] == '!') {
		assert_string_equal(fault_name(rc), want + 1);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(b.n, strlen(want));
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(b.p[i], want[i] == '|' ? 0 : want[i]);
}

static void
joins_names_by_zero_bytes(void **state)
{
	(void)state;
	expect("", "");
	expect("a", "a");
	expect("a/b.c/d", "a|b.c|d");
	expect("...", "...");
	expect(".a/..b", ".a|..b");
	expect("/a", "!MALFORMED");
	expect("a/", "!MALFORMED");
	expect("a//b", "!MALFORMED");
	expect(".", "!MALFORMED");
	expect("a/..", "!MALFORMED");
	expect("a/./b", "!MALFORMED");
}

static void
holds_names_and_keys_to_their_limits(void **state)
{
	char *p = malloc(40000);
	struct buf b defer(buf_wipe) = buf_init(100000);

	(void)state;
	memset(p, 'x', 40000);
	assert_true(key_name_valid(bytes_of(p, 255)));
	assert_false(key_name_valid(bytes_of(p, 256)));
	assert_false(key_name_valid(bytes_of(p, 0)));
	assert_false(key_name_valid(bytes_of("a\0b", 3)));
	for (size_t i = 255; i < 40000; i += 256)
		p[i] = 0;
	assert_true(key_valid(bytes_of(p, 32767)));
	assert_false(key_valid(bytes_of(p, 32769)));
	assert_false(key_valid(bytes_of(p, 256)));
	assert_false(key_valid(bytes_of(p, 0)));
	assert_false(key_valid(bytes_of("a/b", 3)));
	for (size_t i = 255; i < 40000; i += 256)
		p[i] = '/';
	assert_int_equal(key_from_path(bytes_of(p, 32767), &b), 0);
	assert_int_equal(key_from_path(bytes_of(p, 32769), &b), FAULT_LIMIT);
	free(p);
}

static void
turns_back_into_paths(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(100);

	(void)state;
	assert_int_equal(key_to_path(bytes_of("a\0bc\0d", 6), &b), 0);
	assert_int_equal(b.n, 6);
	assert_memory_equal(b.p, "a/bc/d", 6);
}

static void
knows_parents_names_and_depth(void **state)
{
	struct bytes k = bytes_of("a\0bc\0d", 6);

	(void)state;
	assert_int_equal(key_parent(k).n, 4);
	assert_int_equal(key_parent(key_parent(k)).n, 1);
	assert_int_equal(key_parent(bytes_of("a", 1)).n, 0);
	assert_int_equal(key_parent(bytes_of(NULL, 0)).n, 0);
	assert_int_equal(bytes_cmp(key_name(k), bytes_of("d", 1)), 0);
	assert_int_equal(bytes_cmp(key_name(lit("abc")), lit("abc")), 0);
	assert_int_equal(key_depth(k), 3);
	assert_int_equal(key_depth(lit("a")), 1);
	assert_int_equal(key_depth(lit("")), 0);
}

static void
a_folder_is_one_range(void **state)
{
	struct buf end defer(buf_wipe) = buf_init(100);
	struct bytes f = lit("dir");

	(void)state;
	assert_int_equal(key_end(f, &end), 0);
	assert_true(key_within(bytes_of("dir\0x", 5), f));
	assert_true(key_within(f, f));
	assert_false(key_within(lit("dirx"), f));
	assert_false(key_within(lit("di"), f));
	assert_true(key_within(lit("q"), lit("")));
	assert_true(bytes_cmp(bytes_of("dir\0\xff", 5), buf_bytes(&end)) < 0);
	assert_true(bytes_cmp(bytes_of("dir\1", 4), buf_bytes(&end)) >= 0);
	assert_int_equal(key_end(lit(""), &end), FAULT_INTERNAL);
}

static void
a_walk_must_pass_each_folder(void **state)
{
	(void)state;
	assert_true(key_follows(lit(""), false, lit("a")));
	assert_false(key_follows(lit(""), false, bytes_of("a\0b", 3)));
	assert_true(key_follows(lit("a"), true, bytes_of("a\0b", 3)));
	assert_false(key_follows(lit("a"), false, bytes_of("a\0b", 3)));
	assert_false(key_follows(lit("b"), true, bytes_of("c\0b", 3)));
	assert_true(
	    key_follows(bytes_of("a\0b\0c", 5), false, bytes_of("a\0d", 3)));
	assert_false(
	    key_follows(bytes_of("a\0b", 3), false, bytes_of("a\0b\0c", 5)));
	assert_true(key_follows(bytes_of("a\0b", 3), false, lit("b")));
	assert_false(key_follows(lit("b"), false, lit("b")));
	assert_false(key_follows(lit("b"), false, lit("a")));
	assert_false(
	    key_follows(bytes_of("a\0b", 3), true, bytes_of("ab\0b", 4)));
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(joins_names_by_zero_bytes),
		cmocka_unit_test(holds_names_and_keys_to_their_limits),
		cmocka_unit_test(turns_back_into_paths),
		cmocka_unit_test(knows_parents_names_and_depth),
		cmocka_unit_test(a_folder_is_one_range),
		cmocka_unit_test(a_walk_must_pass_each_folder),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
