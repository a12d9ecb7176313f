// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <errno.h>

#include "base/fault.h"

static void
puts_context_in_front_of_the_cause(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(fault_add(&f, FAULT_MALFORMED, "pack %s", "7f3a"),
	    FAULT_MALFORMED);
	assert_string_equal(f.text,
	    "pack 7f3a: data is not in the expected format");
	(void)fault_add(&f, FAULT_MALFORMED, "check");
	assert_string_equal(f.text,
	    "check: pack 7f3a: data is not in the expected format");
}

static void
hides_control_bytes_from_the_terminal(void **state)
{
	struct fault f = { 0 };

	(void)state;
	(void)fault_sys(&f, FAULT_IO, EIO, "a\nb\033[31m");
	assert_string_equal(f.text, "a?b?[31m: Input/output error");
}

static void
exit_statuses_are_frozen(void **state)
{
	(void)state;
	assert_int_equal(fault_exit(0), 0);
	assert_int_equal(fault_exit(FAULT_USAGE), 2);
	assert_int_equal(fault_exit(FAULT_TAMPERED), 9);
	assert_int_equal(fault_exit(FAULT_ROLLBACK), 23);
	assert_int_equal(fault_exit(FAULT_CUSTODY), 24);
	assert_int_equal(fault_exit(FAULT_INTERRUPTED), 130);
	assert_string_equal(fault_name(FAULT_DEPOT), "DEPOT");
	assert_int_equal(fault_from_errno(ENOSPC), FAULT_SPACE);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(puts_context_in_front_of_the_cause),
		cmocka_unit_test(hides_control_bytes_from_the_terminal),
		cmocka_unit_test(exit_statuses_are_frozen),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
