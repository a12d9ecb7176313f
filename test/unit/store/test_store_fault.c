// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "crypt/secret.h"
#include "store/store_dir.h"
#include "store/store_fault.h"
#include "test/lib/scrap.h"

static const uint8_t prefix[ID_LEN] = { 1 };

struct fixture {
	char dir[64];
	struct store *s, *plain;
	struct store_fault_plan plan;
	struct fault f;
};

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct store *inner;

	(void)snprintf(x->dir, sizeof(x->dir), "/tmp/skerry-unit-XXXXXX");
	if (secret_init() != 0 || mkdtemp(x->dir) == NULL ||
	    store_dir_open(x->dir, prefix, &inner, &x->f) != 0 ||
	    store_dir_open(x->dir, prefix, &x->plain, &x->f) != 0)
		return -1;
	*state = x;
	return store_fault_open(inner, &x->plan, &x->s, &x->f);
}

static int
teardown(void **state)
{
	struct fixture *x = *state;

	store_close(x->s);
	store_close(x->plain);
	(void)scrap(x->dir);
	free(x);
	return 0;
}

static int
put(struct fixture *x, uint8_t id)
{
	const uint8_t object[ID_LEN] = { id };

	return x->s->ops->put(x->s, object, bytes_of("12345678", 8), &x->f);
}

static int
stored(struct fixture *x, uint8_t id, size_t n)
{
	const uint8_t object[ID_LEN] = { id };
	uint8_t out[8];

	return x->plain->ops->get(x->plain, object, 0, n, out, &x->f);
}

static void
fails_the_call_that_was_planned_and_no_other(void **state)
{
	struct fixture *x = *state;

	x->plan.put_at = 2;
	assert_int_equal(put(x, 1), 0);
	assert_int_equal(put(x, 2), FAULT_DEPOT);
	assert_int_equal(put(x, 3), 0);
	assert_int_equal(stored(x, 2, 1), FAULT_MISSING);
}

static void
fails_from_there_on(void **state)
{
	struct fixture *x = *state;

	x->plan.put_at = 2;
	x->plan.from_there_on = true;
	x->plan.code = FAULT_SPACE;
	assert_int_equal(put(x, 1), 0);
	assert_int_equal(put(x, 2), FAULT_SPACE);
	assert_int_equal(put(x, 3), FAULT_SPACE);
}

static void
loses_an_answer_after_the_work(void **state)
{
	struct fixture *x = *state;

	x->plan.put_at = 1;
	x->plan.how = STORE_FAULT_LOSE;
	assert_int_equal(put(x, 1), FAULT_DEPOT);
	assert_int_equal(stored(x, 1, 8), 0);
}

static void
tears_a_write(void **state)
{
	struct fixture *x = *state;

	x->plan.put_at = 1;
	x->plan.how = STORE_FAULT_TEAR;
	assert_int_equal(put(x, 1), FAULT_DEPOT);
	assert_int_equal(stored(x, 1, 4), 0);
	assert_int_equal(stored(x, 1, 5), FAULT_MISSING);
}

static void
flips_a_bit_of_what_is_read(void **state)
{
	struct fixture *x = *state;
	const uint8_t object[ID_LEN] = { 1 };
	uint8_t out[8];

	x->plan.get_at = 1;
	x->plan.how = STORE_FAULT_FLIP;
	assert_int_equal(put(x, 1), 0);
	assert_int_equal(x->s->ops->get(x->s, object, 0, 8, out, &x->f), 0);
	assert_memory_equal(out, "12344678", 8);
}

static void
shows_a_stale_head_to_dups_too(void **state)
{
	struct fixture *x = *state;
	uint8_t one[STORE_HEAD_LEN] = { 1 }, two[STORE_HEAD_LEN] = { 1 };
	uint8_t out[STORE_HEAD_LEN];
	struct store *dup;

	one[15] = 1;
	two[15] = 2;
	x->plan.stale_head = true;
	assert_int_equal(x->s->ops->head_put(x->s, one, &x->f), 0);
	assert_int_equal(x->s->ops->head_get(x->s, out, &x->f), 0);
	assert_int_equal(x->s->ops->head_put(x->s, two, &x->f), 0);
	assert_int_equal(x->s->ops->dup(x->s, &dup, &x->f), 0);
	assert_int_equal(dup->ops->head_get(dup, out, &x->f), 0);
	assert_memory_equal(out, one, sizeof(one));
	store_close(dup);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest t[] = {
		T(fails_the_call_that_was_planned_and_no_other),
		T(fails_from_there_on),
		T(loses_an_answer_after_the_work),
		T(tears_a_write),
		T(flips_a_bit_of_what_is_read),
		T(shows_a_stale_head_to_dups_too),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
