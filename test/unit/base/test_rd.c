// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "base/rd.h"

static void
reads_big_endian(void **state)
{
	uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct rd r = rd_from(in, sizeof(in));

	(void)state;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_u16(&r), 0x0203);
	assert_int_equal(rd_u32(&r), 0x04050607);
	assert_true(rd_u64(&r) == 0x08090a0b0c0d0e0fULL);
	assert_int_equal(rd_finish(&r), 0);
}

static void
refuses_a_byte_too_few_and_a_byte_too_many(void **state)
{
	for (size_t n = 0; n < 6; n++) {
		uint8_t *in = cm_exact("abcdef", n);
		struct rd r = rd_from(in, n);

		(void)rd_u32(&r);
		assert_int_equal(rd_finish(&r), n == 4 ? 0 : FAULT_MALFORMED);
		free(in);
	}
	(void)state;
}

static void
latches_failure_and_yields_zeros(void **state)
{
	struct rd r = rd_from("ab", 2);
	uint8_t out[3] = { 9, 9, 9 };

	(void)state;
	rd_copy(&r, out, 3);
	assert_int_equal(out[0] | out[1] | out[2], 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_null(rd_take(&r, 0).p);
	assert_int_equal(rd_finish(&r), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(reads_big_endian),
		cmocka_unit_test(refuses_a_byte_too_few_and_a_byte_too_many),
		cmocka_unit_test(latches_failure_and_yields_zeros),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
