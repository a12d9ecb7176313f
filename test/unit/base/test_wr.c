// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "base/wr.h"

static void
writes_big_endian(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(64);
	struct wr w = wr_to(&b);
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		13, 14, 15, 'x', 'y' };

	(void)state;
	wr_u8(&w, 1);
	wr_u16(&w, 0x0203);
	wr_u32(&w, 0x04050607);
	wr_u64(&w, 0x08090a0b0c0d0e0fULL);
	wr_copy(&w, "xy", 2);
	assert_int_equal(wr_finish(&w), 0);
	assert_int_equal(b.n, sizeof(want));
	assert_memory_equal(b.p, want, sizeof(want));
}

static void
latches_the_first_failure(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(5);
	struct wr w = wr_to(&b);

	(void)state;
	wr_u32(&w, 1);
	wr_u32(&w, 2);
	wr_u8(&w, 3);
	assert_int_equal(wr_finish(&w), FAULT_LIMIT);
	assert_int_equal(b.n, 4);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(writes_big_endian),
		cmocka_unit_test(latches_the_first_failure),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
