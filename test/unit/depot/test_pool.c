// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <pthread.h>
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
	struct pool_job job[JOBS], late = { .run = count, .owner = 1 };
	struct pool *p;

	(void)state;
	assert_int_equal(pool_start(3, &p), 0);
	for (size_t i = 0; i < JOBS; i++) {
		job[i].run = count;
		job[i].owner = i % 7;
		assert_true(pool_submit(p, &job[i]));
	}
	pool_stop(p);
	assert_int_equal(ran, JOBS);
	assert_false(pool_submit(p, &late));
	assert_int_equal(ran, JOBS);
	pool_free(p);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static struct pool_job *order[JOBS];

static void
wait_at_gate(struct pool_job *job)
{
	(void)job;
	(void)pthread_mutex_lock(&gate);
	(void)pthread_mutex_unlock(&gate);
}

static void
note(struct pool_job *job)
{
	order[atomic_fetch_add(&ran, 1)] = job;
}

/* One thread, which waits until all is submitted: 90 of one owner, then 5 each
 * of two. */
static void
owners_take_turns(void **state)
{
	struct pool_job first = { .run = wait_at_gate, .owner = 9 }, job[JOBS];
	struct pool *p;
	size_t n = 0;

	(void)state;
	atomic_store(&ran, 0);
	(void)pthread_mutex_lock(&gate);
	assert_int_equal(pool_start(1, &p), 0);
	assert_true(pool_submit(p, &first));
	for (size_t i = 0; i < JOBS; i++) {
		job[i].run = note;
		job[i].owner = i < 90 ? 1 : i < 95 ? 2 : 3;
		assert_true(pool_submit(p, &job[i]));
	}
	(void)pthread_mutex_unlock(&gate);
	pool_stop(p);
	pool_free(p);
	assert_int_equal(ran, JOBS);
	for (size_t i = 0; i < 5; i++) {
		assert_ptr_equal(order[n++], &job[i]);
		assert_ptr_equal(order[n++], &job[90 + i]);
		assert_ptr_equal(order[n++], &job[95 + i]);
	}
	for (size_t i = 5; i < 90; i++)
		assert_ptr_equal(order[n++], &job[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_what_it_took_and_then_takes_nothing),
		cmocka_unit_test(owners_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
