// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/bytes.h"
#include "base/fault.h"

static void
compares_as_unsigned_bytes(void **state)
{
	(void)state;
	assert_int_equal(bytes_cmp(bytes_of("a", 1), bytes_of("b", 1)), -1);
	assert_int_equal(bytes_cmp(bytes_of("\xff", 1), bytes_of("b", 1)), 1);
	assert_int_equal(bytes_cmp(bytes_of("ab", 2), bytes_of("a", 1)), 1);
	assert_int_equal(bytes_cmp(bytes_of("ab", 2), bytes_of("ab", 2)), 0);
	assert_int_equal(bytes_cmp(bytes_of(NULL, 0), bytes_of(NULL, 0)), 0);
}

static void
grows_to_its_maximum_and_not_past_it(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(100);
	uint8_t x[60] = { 7 };

	(void)state;
	assert_int_equal(buf_append(&b, x, sizeof(x)), 0);
	assert_int_equal(buf_append(&b, x, sizeof(x)), FAULT_LIMIT);
	assert_int_equal(b.n, 60);
	assert_int_equal(buf_append(&b, x, 40), 0);
	assert_int_equal(b.n, 100);
	assert_int_equal(b.p[60], 7);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), FAULT_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(compares_as_unsigned_bytes),
		cmocka_unit_test(grows_to_its_maximum_and_not_past_it),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
