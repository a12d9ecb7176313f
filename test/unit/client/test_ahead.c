// SPDX-License-Identifier: Apache-2.0
#include "client/engine/ahead.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/cm.h"

/* A store of which byte i of an object is the sum of i and its first byte. */
struct fake {
	struct store base;
	struct counts *counts;
};

struct counts {
	atomic_uint gets, bytes, open;
	atomic_bool fail, hold;
};

static uint8_t
byte_at(const uint8_t *object, uint64_t i)
{
	return (uint8_t)(object[0] + i + (i >> 8));
}

static int
fake_get(struct store *s, const uint8_t object[static ID_LEN], uint64_t offset,
    size_t len, uint8_t *out, struct fault *f)
{
	struct counts *c = ((struct fake *)s)->counts;

	atomic_fetch_add(&c->gets, 1);
	atomic_fetch_add(&c->bytes, len);
	while (atomic_load(&c->hold))
		;
	if (atomic_load(&c->fail))
		return fault_set(f, FAULT_DEPOT, "no");
	for (size_t i = 0; i < len; i++)
		out[i] = byte_at(object, offset + i);
	return 0;
}

static int fake_dup(struct store *s, struct store **out, struct fault *f);

static void
fake_close(struct store *s)
{
	atomic_fetch_sub(&((struct fake *)s)->counts->open, 1);
	free(s);
}

static const struct store_ops ops = { .get = fake_get, .dup = fake_dup,
	.close = fake_close };

static struct store *
fake_new(struct counts *c)
{
	struct fake *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->base.ops = &ops;
	s->counts = c;
	atomic_fetch_add(&c->open, 1);
	return &s->base;
}

static int
fake_dup(struct store *s, struct store **out, struct fault *f)
{
	(void)f;
	*out = fake_new(((struct fake *)s)->counts);
	return 0;
}

/* Number i of many, each of 1000 bytes, step apart in one object. */
static struct place
at(uint8_t object, uint32_t i, uint32_t step)
{
	struct place p = { .offset = i * step, .length = 1000 };

	p.object[0] = object;
	return p;
}

static void
assert_taken(struct ahead *a, struct place p)
{
	uint8_t *out = malloc(p.length);

	assert_true(ahead_take(a, &p, out));
	for (uint32_t i = 0; i < p.length; i++)
		assert_int_equal(out[i], byte_at(p.object, p.offset + i));
	/* Once. */
	assert_false(ahead_take(a, &p, out));
	free(out);
}

/* Waits until a worker has begun. */
static void
wait_for(struct counts *c, unsigned gets)
{
	while (atomic_load(&c->gets) < gets)
		;
}

static void
gives_what_was_asked_for_once(void **state)
{
	struct counts c = { 0 };
	struct store *s = fake_new(&c);
	struct ahead *a = ahead_new(s);
	struct place p[3] = { at(1, 0, 0), at(2, 0, 0), at(3, 7, 100000) };
	uint8_t out[1000];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		ahead_want(a, &p[i], 1);
		wait_for(&c, (unsigned)i + 1);
		assert_taken(a, p[i]);
	}
	p[0].offset = 5;
	assert_false(ahead_take(a, &p[0], out));
	ahead_free(a);
	assert_int_equal(atomic_load(&c.open), 1);
	store_close(s);
}

static void
joins_neighbours_into_one_request(void **state)
{
	struct counts c = { .hold = true };
	struct store *s = fake_new(&c);
	struct ahead *a = ahead_new(s);
	struct place busy = at(9, 0, 0), p[AHEAD_MAX - 1];

	(void)state;
	/* The one worker is held until all others are there. */
	ahead_want(a, &busy, 1);
	wait_for(&c, 1);
	for (uint32_t i = 0; i < AHEAD_MAX - 1; i++)
		p[i] = at(1, AHEAD_MAX - 1 - i, 1000 + AHEAD_GAP_MAX);
	ahead_want(a, p, AHEAD_MAX - 1);
	wait_for(&c, 2);
	atomic_store(&c.hold, false);
	/* The first asked for begins a request, with what lies behind it. */
	for (uint32_t i = 0; i < AHEAD_MAX - 1; i++)
		(void)ahead_take(a, &p[i], (uint8_t[1000]){ 0 });
	ahead_free(a);

	a = ahead_new(s);
	c.gets = c.bytes = 0;
	atomic_store(&c.hold, true);
	for (uint32_t i = 0; i < 20; i++)
		p[i] = at(1, i, 1000 + AHEAD_GAP_MAX);
	ahead_want(a, p, 20);
	wait_for(&c, 1);
	atomic_store(&c.hold, false);
	for (uint32_t i = 0; i < 20; i++)
		assert_taken(a, p[i]);
	assert_int_equal(atomic_load(&c.gets), 1);
	assert_int_equal(atomic_load(&c.bytes),
	    19 * (1000 + AHEAD_GAP_MAX) + 1000);

	/* A gap that is wider is not fetched. */
	p[0] = at(2, 0, 0);
	p[1] = at(2, 1, 1001 + AHEAD_GAP_MAX);
	c.bytes = 0;
	ahead_want(a, p, 2);
	wait_for(&c, 3);
	assert_taken(a, p[0]);
	assert_taken(a, p[1]);
	assert_int_equal(atomic_load(&c.bytes), 2000);
	ahead_free(a);
	store_close(s);
}

static void
leaves_to_the_caller_what_failed(void **state)
{
	struct counts c = { .fail = true };
	struct store *s = fake_new(&c);
	struct ahead *a = ahead_new(s);
	struct place p = at(1, 0, 0);
	uint8_t out[1000];

	(void)state;
	ahead_want(a, &p, 1);
	wait_for(&c, 1);
	assert_false(ahead_take(a, &p, out));
	atomic_store(&c.fail, false);
	ahead_want(a, &p, 1);
	wait_for(&c, 2);
	assert_taken(a, p);
	ahead_free(a);
	store_close(s);
}

static void
makes_room_for_what_is_wanted_now(void **state)
{
	struct counts c = { 0 };
	struct store *s = fake_new(&c);
	struct ahead *a = ahead_new(s);
	unsigned gets = 0;

	(void)state;
	for (uint32_t i = 0; i < 5 * AHEAD_MAX; i++) {
		struct place p = at(1, i, 100000);

		ahead_want(a, &p, 1);
		wait_for(&c, ++gets);
	}
	/* All were fetched; the last are still there. */
	assert_taken(a, at(1, 5 * AHEAD_MAX - 1, 100000));
	ahead_free(a);
	store_close(s);
}

static void
ends_while_requests_are_under_way(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct counts c = { 0 };
		struct store *s = fake_new(&c);
		struct ahead *a = ahead_new(s);

		for (uint32_t k = 0; k < AHEAD_MAX; k++) {
			struct place p = at(1, k, 100000);

			ahead_want(a, &p, 1);
		}
		ahead_free(a);
		assert_int_equal(atomic_load(&c.open), 1);
		store_close(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_was_asked_for_once),
		cmocka_unit_test(joins_neighbours_into_one_request),
		cmocka_unit_test(leaves_to_the_caller_what_failed),
		cmocka_unit_test(makes_room_for_what_is_wanted_now),
		cmocka_unit_test(ends_while_requests_are_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
