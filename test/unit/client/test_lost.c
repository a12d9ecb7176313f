// SPDX-License-Identifier: Apache-2.0
#include "client/engine/lost.h"

#include "test/unit/client/scratch.h"

#define MANY 6u
#define ONE 20u

static const struct place place[MANY] = {
	{ .object = { 3 }, .offset = 9 },
	{ .object = { 1 }, .offset = 256 },
	{ .object = { 3 }, .offset = 9 },
	{ .object = { 1 }, .offset = 2 },
	{ .object = { 2 }, .offset = 0 },
	{ .object = { 3 }, .offset = 8 },
};

/* Notes those whose bad is not 0. */
static void
note(int dir, const uint8_t *bad, bool all)
{
	struct buf b defer(buf_wipe) = buf_init(LOST_MAX);

	for (size_t i = 0; i < MANY; i++)
		if (bad[i] != 0)
			assert_int_equal(lost_add(&b, &place[i]), 0);
	lost_note(dir, buf_bytes(&b), all);
}

/* How many places are known. */
static size_t
known(const struct scratch *s)
{
	struct buf b defer(buf_wipe) = buf_init(LOST_MAX);

	lost_read(s->dir, &b);
	return b.n / ONE;
}

static bool
has(const struct scratch *s, size_t i)
{
	struct buf b defer(buf_wipe) = buf_init(LOST_MAX);

	lost_read(s->dir, &b);
	return lost_has(buf_bytes(&b), &place[i]);
}

static void
has_what_was_noted(void **state)
{
	static const uint8_t bad[MANY] = { 1, 1, 9, 1, 0, 0 };
	struct scratch *s = *state;

	assert_int_equal(known(s), 0);
	assert_false(has(s, 0));
	note(s->dir, bad, true);
	assert_int_equal(known(s), 3);
	assert_true(has(s, 0) && has(s, 1) && has(s, 2) && has(s, 3));
	assert_false(has(s, 4) || has(s, 5));
	note(-1, bad, true);
}

static void
some_come_beside_and_all_in_place(void **state)
{
	static const uint8_t first[MANY] = { 1, 1 }, none[MANY] = { 0 },
		later[MANY] = { 1, 0, 0, 0, 1, 0 };
	struct scratch *s = *state;

	note(s->dir, first, false);
	note(s->dir, later, false);
	assert_int_equal(known(s), 3);
	note(s->dir, none, false);
	assert_int_equal(known(s), 3);
	note(s->dir, later, true);
	assert_int_equal(known(s), 2);
	assert_false(has(s, 1));
	note(s->dir, none, true);
	assert_int_equal(known(s), 0);
	assert_int_equal(faccessat(s->dir, "lost", F_OK, 0), -1);
}

static void
a_damaged_file_has_nothing(void **state)
{
	static const uint8_t bad[MANY] = { 1, 1, 1, 1, 1, 1 };
	struct scratch *s = *state;
	uint8_t b[MANY * ONE + 1];
	size_t n;
	int fd;

	note(s->dir, bad, true);
	n = scratch_read(s, "lost", b, sizeof(b));
	assert_int_equal(n, 5 * ONE);
	fd = openat(s->dir, "lost", O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, b, n - 1), n - 1);
	assert_int_equal(known(s), 0);
	assert_int_equal(pwrite(fd, b, ONE, ONE), ONE); /* twice */
	assert_int_equal(pwrite(fd, b + n - 1, 1, (off_t)n - 1), 1);
	assert_int_equal(known(s), 0);
	assert_int_equal(pwrite(fd, b, n, 0), n);
	assert_int_equal(known(s), 5);
	close(fd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, \
    scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(has_what_was_noted),
		TEST(some_come_beside_and_all_in_place),
		TEST(a_damaged_file_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
