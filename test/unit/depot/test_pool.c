// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdatomic.h>

#include "depot/pool.h"

#define JOBS 100

static atomic_uint ran;

static void
count(struct pool_job *job)
{
	(void)job;
	atomic_fetch_add(&ran, 1);
}

static void
runs_what_it_took_and_then_takes_nothing(void **state)
{
	struct pool_job job[JOBS], late = { .run = count };
	struct pool *p;

	(void)state;
	assert_int_equal(pool_start(3, &p), 0);
	for (size_t i = 0; i < JOBS; i++) {
		job[i].run = count;
		assert_true(pool_submit(p, &job[i]));
	}
	pool_stop(p);
	assert_int_equal(ran, JOBS);
	assert_false(pool_submit(p, &late));
	assert_int_equal(ran, JOBS);
	pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_what_it_took_and_then_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
