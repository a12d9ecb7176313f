// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "client/engine/effort.h"

/* The effort after something that got shorter was sealed, and then that. */
static enum seal_effort
after(struct effort *e, bool reader_waits, void (*that)(struct effort *e))
{
	effort_sealed(e, 1000, 500);
	if (reader_waits)
		effort_reader_waits(e);
	that(e);
	return effort_now(e);
}

static void
compresses_harder_where_uploads_are_late(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	assert_int_equal(effort_now(&e), SEAL_USUAL);
	assert_int_equal(after(&e, true, effort_uploads_late), SEAL_ZSTD_3);
	assert_int_equal(after(&e, true, effort_uploads_late), SEAL_ZSTD_6);
	assert_int_equal(after(&e, false, effort_uploads_late), SEAL_ZSTD_6);
}

static void
compresses_less_where_all_wait_for_the_processor(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	assert_int_equal(after(&e, true, effort_uploads_idle), SEAL_LZ4);
	assert_int_equal(after(&e, true, effort_uploads_idle), SEAL_LZ4);
	assert_int_equal(after(&e, true, effort_uploads_late), SEAL_ZSTD_1);
}

static void
stays_where_the_source_is_slow(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	assert_int_equal(after(&e, false, effort_uploads_idle), SEAL_USUAL);
	/* A wait counts once. */
	assert_int_equal(after(&e, true, effort_uploads_idle), SEAL_LZ4);
	assert_int_equal(after(&e, true, effort_uploads_late), SEAL_ZSTD_1);
	assert_int_equal(after(&e, false, effort_uploads_idle), SEAL_ZSTD_1);
}

static void
stays_where_nothing_gets_shorter(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	for (int i = 0; i < 4; i++) {
		effort_reader_waits(&e);
		effort_sealed(&e, 1000, 400);
		effort_sealed(&e, 500, 500 + SEAL_OVERHEAD);
		if (i % 2 == 0)
			effort_uploads_late(&e);
		else
			effort_uploads_idle(&e);
		assert_int_equal(effort_now(&e), SEAL_USUAL);
	}
	/* Nor after nothing at all. */
	effort_reader_waits(&e);
	effort_uploads_idle(&e);
	assert_int_equal(effort_now(&e), SEAL_USUAL);
}

static void
does_as_it_is_told(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_FAST);
	assert_int_equal(effort_now(&e), SEAL_LZ4);
	assert_int_equal(after(&e, true, effort_uploads_late), SEAL_LZ4);
	effort_init(&e, EFFORT_MAX);
	assert_int_equal(effort_now(&e), SEAL_ZSTD_6);
	assert_int_equal(after(&e, true, effort_uploads_idle), SEAL_ZSTD_6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compresses_harder_where_uploads_are_late),
		cmocka_unit_test(
		    compresses_less_where_all_wait_for_the_processor),
		cmocka_unit_test(stays_where_the_source_is_slow),
		cmocka_unit_test(stays_where_nothing_gets_shorter),
		cmocka_unit_test(does_as_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
