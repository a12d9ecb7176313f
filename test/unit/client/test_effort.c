// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "client/engine/effort.h"
#include "object/limits.h"

/* The effort after a pack was begun. */
static enum seal_effort
pack(struct effort *e, bool late, bool idle, bool reader_waits)
{
	effort_sealed(e, PACK_SIZE, PACK_SIZE / 2);
	if (reader_waits)
		effort_reader_waits(e);
	effort_pack_begun(e, late, idle);
	return effort_now(e);
}

static void
compresses_harder_where_uploads_are_late(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	assert_int_equal(effort_now(&e), SEAL_USUAL);
	assert_int_equal(pack(&e, true, false, true), SEAL_ZSTD_3);
	assert_int_equal(pack(&e, true, true, true), SEAL_ZSTD_6);
	assert_int_equal(pack(&e, true, false, false), SEAL_ZSTD_6);
}

static void
compresses_less_where_all_wait_for_the_processor(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	assert_int_equal(pack(&e, false, true, true), SEAL_LZ4);
	assert_int_equal(pack(&e, false, true, true), SEAL_LZ4);
	assert_int_equal(pack(&e, true, false, true), SEAL_ZSTD_1);
}

static void
stays_where_the_source_is_slow(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	assert_int_equal(pack(&e, false, true, false), SEAL_USUAL);
	assert_int_equal(pack(&e, false, false, true), SEAL_USUAL);
	/* That was of the pack before. */
	assert_int_equal(pack(&e, false, true, false), SEAL_USUAL);
}

static void
stays_where_nothing_gets_shorter(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_AUTO);
	effort_reader_waits(&e);
	effort_sealed(&e, PACK_SIZE / 2, PACK_SIZE / 4);
	effort_sealed(&e, PACK_SIZE / 2, PACK_SIZE / 2 + SEAL_OVERHEAD);
	effort_pack_begun(&e, true, false);
	assert_int_equal(effort_now(&e), SEAL_USUAL);
	effort_reader_waits(&e);
	effort_pack_begun(&e, false, true);
	assert_int_equal(effort_now(&e), SEAL_USUAL);
}

static void
does_as_it_is_told(void **state)
{
	struct effort e;

	(void)state;
	effort_init(&e, EFFORT_FAST);
	assert_int_equal(effort_now(&e), SEAL_LZ4);
	assert_int_equal(pack(&e, true, false, true), SEAL_LZ4);
	effort_init(&e, EFFORT_MAX);
	assert_int_equal(effort_now(&e), SEAL_ZSTD_6);
	assert_int_equal(pack(&e, false, true, true), SEAL_ZSTD_6);
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
