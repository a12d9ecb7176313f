// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "authority/pace.h"
#include "base/attr.h"

#define T0 1800000000
#define HOUR 3600
#define YEAR 31536000

/* The clock is read every second for so long; its lead over what passes is the
 * same all the time. */
static void
run(struct pace *p, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++)
		pace_read(p, p->kept.wall + 1, p->mono + 1);
}

static void
step(struct pace *p, int64_t seconds)
{
	pace_read(p, p->kept.wall + seconds, p->mono);
}

static struct pace
started(void)
{
	struct pace p;

	pace_start(&p, NULL, T0, 7);
	return p;
}

static void
goes_with_a_clock_that_runs(void **state)
{
	struct pace p = started();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		/* Two readings of seconds differ by one. */
		pace_read(&p, T0 + i + i % 2, 7 + i);
		assert_true(pace_ahead(&p) <= 1);
		assert_true(p.kept.sure <= p.kept.wall);
	}
}

static void
does_not_follow_a_jump_for_a_day(void **state)
{
	static const int64_t jumps[] = { 3, HOUR, YEAR, 20 * (int64_t)YEAR };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		struct pace p = started();

		run(&p, 10);
		step(&p, jumps[i]);
		assert_int_equal(p.kept.sure, T0 + 10);
		run(&p, PACE_DAY - 1);
		assert_int_equal(p.kept.sure, T0 + 10 + PACE_DAY - 1);
		assert_int_equal(pace_ahead(&p), jumps[i]);
		assert_int_equal(pace_seen(&p), p.kept.sure);
		run(&p, 1);
		assert_int_equal(pace_ahead(&p), 0);
		assert_int_equal(pace_seen(&p), p.kept.wall);
	}
}

static void
forgets_a_jump_that_is_taken_back(void **state)
{
	struct pace p = started();

	(void)state;
	step(&p, YEAR);
	run(&p, HOUR);
	step(&p, -YEAR);
	assert_int_equal(p.kept.wall, T0 + HOUR);
	assert_int_equal(p.kept.sure, T0 + HOUR);
	assert_int_equal(pace_seen(&p), T0 + HOUR);
}

static void
begins_the_day_anew_with_each_step(void **state)
{
	struct pace p = started();

	(void)state;
	step(&p, YEAR);
	for (int i = 0; i < 3; i++) {
		run(&p, PACE_DAY - 1);
		step(&p, i % 2 == 0 ? 60 : -60);
	}
	assert_int_equal(pace_ahead(&p), YEAR + 60);
	run(&p, PACE_DAY);
	assert_int_equal(pace_ahead(&p), 0);
}

/* Many small ones are no way around it. */
static void
is_not_pushed(void **state)
{
	struct pace p = started();

	(void)state;
	for (int i = 0; i < PACE_DAY - 1; i++)
		pace_read(&p, p.kept.wall + 3, p.mono + 1);
	assert_int_equal(p.kept.sure, T0 + PACE_DAY - 1);
}

static void
follows_a_clock_that_is_set_back(void **state)
{
	struct pace p = started();

	(void)state;
	run(&p, 10);
	step(&p, -YEAR);
	assert_int_equal(p.kept.sure, T0 + 10 - YEAR);
	run(&p, 5);
	assert_int_equal(p.kept.sure, T0 + 15 - YEAR);
}

static void
remembers_over_a_restart(void **state)
{
	struct pace p = started(), q;

	(void)state;
	run(&p, PACE_DAY);
	/* A short stop is none; a clock that was set right meanwhile. */
	pace_start(&q, &p.kept, p.kept.wall + 500, 0);
	assert_int_equal(pace_ahead(&q), 0);
	pace_start(&q, &p.kept, p.kept.wall - 500, 0);
	assert_int_equal(pace_ahead(&q), 0);

	/* A jump in a stop, or a long one. */
	pace_start(&q, &p.kept, p.kept.wall + YEAR, 0);
	assert_int_equal(pace_ahead(&q), YEAR);
	assert_int_equal(pace_seen(&q), q.kept.wall);
	run(&q, PACE_DAY - 1);
	assert_int_equal(pace_ahead(&q), YEAR);
	run(&q, 1);
	assert_int_equal(pace_ahead(&q), 0);

	/* A jump while it runs, a short stop, and the rest of the day. */
	step(&p, YEAR);
	run(&p, HOUR);
	pace_start(&q, &p.kept, p.kept.wall + 5, 0);
	assert_int_equal(pace_ahead(&q), YEAR + 5);
	assert_int_equal(pace_seen(&q), q.kept.wall - YEAR);
	run(&q, PACE_DAY - HOUR - 1);
	assert_int_equal(pace_ahead(&q), YEAR + 5);
	run(&q, 1);
	assert_int_equal(pace_ahead(&q), 0);

	/* And one that was taken back in the stop. */
	pace_start(&q, &p.kept, p.kept.wall - YEAR + 5, 0);
	assert_int_equal(pace_ahead(&q), 5);
	assert_int_equal(pace_seen(&q), q.kept.wall - 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_with_a_clock_that_runs),
		cmocka_unit_test(does_not_follow_a_jump_for_a_day),
		cmocka_unit_test(forgets_a_jump_that_is_taken_back),
		cmocka_unit_test(begins_the_day_anew_with_each_step),
		cmocka_unit_test(is_not_pushed),
		cmocka_unit_test(follows_a_clock_that_is_set_back),
		cmocka_unit_test(remembers_over_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
