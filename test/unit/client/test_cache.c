// SPDX-License-Identifier: Apache-2.0
#include "client/engine/cache.h"

#include <time.h>

#include "test/unit/client/scratch.h"

#define LENGTH 1000u
#define MANY 40u

/* Spread over the folders of the cache. */
static struct place
at(unsigned i)
{
	struct place p = { .offset = i, .length = LENGTH };

	p.object[0] = (uint8_t)(i * 37);
	return p;
}

static void
keep(struct cache *c, unsigned from, unsigned n)
{
	uint8_t bytes[LENGTH];

	for (unsigned i = from; i < from + n; i++) {
		struct place p = at(i);

		memset(bytes, (int)i, sizeof(bytes));
		cache_put(c, &p, bytes);
	}
}

static unsigned
count(const struct cache *c, unsigned from, unsigned n)
{
	unsigned there = 0;

	for (unsigned i = from; i < from + n; i++) {
		uint8_t bytes[LENGTH] = { 0 };
		struct place p = at(i);

		if (!cache_has(c, &p))
			continue;
		there++;
		assert_true(cache_get(c, &p, bytes));
		assert_int_equal(bytes[LENGTH - 1], i);
	}
	return there;
}

/* As if used last so many seconds ago. */
static void
age(const struct cache *c, unsigned i, int seconds)
{
	struct timespec t[2] = { { .tv_sec = time(NULL) - seconds } };
	struct place p = at(i);
	char name[80];

	t[1] = t[0];
	(void)snprintf(name, sizeof(name), "%02x/%02x%030x.%08x", p.object[0],
	    p.object[0], 0, p.offset);
	assert_int_equal(utimensat(c->dir, name, t, 0), 0);
}

static void
gives_back_what_it_was_given(void **state)
{
	struct scratch *s = *state;
	struct cache c = { .dir = s->dir }, none = { .dir = -1 };
	struct place p = at(3);
	uint8_t out[2 * LENGTH];

	keep(&c, 0, MANY);
	assert_int_equal(count(&c, 0, MANY), MANY);
	cache_drop(&c, &p);
	assert_false(cache_has(&c, &p));
	assert_false(cache_get(&c, &p, out));
	/* One of another length is none. */
	p = at(4);
	p.length++;
	assert_false(cache_get(&c, &p, out));
	/* As a command leaves it that was killed. */
	keep(&c, 1, 1);
	scratch_write(s, "25/25000000000000000000000000000000.00000001",
	    out, 10);
	p = at(1);
	assert_false(cache_get(&c, &p, out));
	keep(&c, 1, 1);
	assert_int_equal(count(&c, 1, 1), 1);
	keep(&none, 0, 1);
	p = at(0);
	assert_false(cache_has(&none, &p));
	cache_trim(&none, 0);
}

static void
removes_the_longest_unused(void **state)
{
	struct scratch *s = *state;
	struct cache c = { .dir = s->dir };

	keep(&c, 0, MANY);
	cache_trim(&c, MANY * LENGTH);
	assert_int_equal(count(&c, 0, MANY), MANY);
	for (unsigned i = 0; i < MANY; i++)
		age(&c, i, 100 + (int)i);
	keep(&c, MANY, 1);
	cache_trim(&c, MANY * LENGTH);
	/* The new one, and of the others those that were used last. */
	assert_int_equal(count(&c, MANY, 1), 1);
	assert_int_equal(count(&c, 0, MANY), MANY * 3 / 4 - 1);
	assert_int_equal(count(&c, 0, MANY * 3 / 4 - 1), MANY * 3 / 4 - 1);
}

/* Opening one waits for a process at its other end. */
static void
waits_for_no_fifo(void **state)
{
	struct scratch *s = *state;
	struct cache c = { .dir = s->dir };
	struct place p = at(1);
	uint8_t out[LENGTH];
	struct stat st;

	keep(&c, 0, 2);
	assert_int_equal(mkfifoat(s->dir, "size", 0600), 0);
	assert_int_equal(mkfifoat(s->dir, "fifo", 0600), 0);
	assert_int_equal(renameat(s->dir, "fifo", s->dir,
	    "25/25000000000000000000000000000000.00000001"), 0);
	assert_true(cache_has(&c, &p));
	assert_false(cache_get(&c, &p, out));
	keep(&c, 1, 1);
	assert_int_equal(count(&c, 0, 2), 2);
	cache_trim(&c, 10 * LENGTH);
	keep(&c, 2, 1);
	cache_trim(&c, 10 * LENGTH);
	assert_int_equal(fstatat(s->dir, "size", &st, 0), 0);
	assert_int_equal(st.st_size, 8);
}

static void
looks_at_all_only_where_there_may_be_too_many(void **state)
{
	struct scratch *s = *state;
	struct cache c = { .dir = s->dir }, other = { .dir = s->dir };

	keep(&c, 0, 2);
	cache_trim(&c, 10 * LENGTH);
	/* Kept by a process that did not say so. */
	keep(&other, 2, 20);
	keep(&c, 22, 8);
	cache_trim(&c, 10 * LENGTH);
	assert_int_equal(count(&c, 0, 30), 30);
	keep(&c, 30, 1);
	cache_trim(&c, 10 * LENGTH);
	assert_int_equal(count(&c, 0, 31), 7);

	/* Nothing was added. */
	keep(&other, 31, 20);
	cache_trim(&c, 10 * LENGTH);
	assert_int_equal(count(&c, 31, 20), 20);
	/* The number is lost, or is none. */
	assert_int_equal(unlinkat(s->dir, "size", 0), 0);
	keep(&c, 51, 1);
	cache_trim(&c, 10 * LENGTH);
	assert_int_equal(count(&c, 0, 52), 7);
	assert_int_equal(symlinkat("/etc/passwd", s->dir, "other"), 0);
	assert_int_equal(renameat(s->dir, "other", s->dir, "size"), 0);
	keep(&c, 52, 20);
	cache_trim(&c, 10 * LENGTH);
	assert_int_equal(count(&c, 0, 72), 7);
	/* One that is too long is written anew. */
	scratch_write(s, "size", (const uint8_t *)"0123456789", 10);
	keep(&c, 72, 1);
	cache_trim(&c, 10 * LENGTH);
	keep(&other, 80, 20);
	keep(&c, 73, 1);
	cache_trim(&c, 10 * LENGTH);
	assert_int_equal(count(&c, 80, 20), 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_back_what_it_was_given,
		    scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(removes_the_longest_unused,
		    scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
		    looks_at_all_only_where_there_may_be_too_many,
		    scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(waits_for_no_fifo,
		    scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
