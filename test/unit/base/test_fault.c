// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/utf8.h"

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
	/* CSI in one character; right to left */
	(void)fault_set(&f, FAULT_IO, "a\xc2\x9b" "31m\xe2\x80\xae\xc2\xa0");
	assert_string_equal(f.text, "a?\?31m??\?\xc2\xa0");
}

/* Else no JSON can be made of it. */
static void
is_always_text(void **state)
{
	char name[2 * FAULT_TEXT_MAX];
	struct fault f = { 0 };

	(void)state;
	(void)fault_set(&f, FAULT_IO, "a\xff\xc3(\xc3\xbc");
	assert_string_equal(f.text, "a?\?(\xc3\xbc");
	/* Cut within a character, or not. */
	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = i % 2 == 0 ? '\xc3' : '\xbc';
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 2; i++) {
		(void)fault_set(&f, FAULT_IO, "%.*s%s", i, "x", name);
		(void)fault_add(&f, FAULT_IO, "%.*s%s", i, "x", name);
		for (const char *p = f.text; *p != '\0';) {
			size_t n = utf8_len((const uint8_t *)p, strlen(p));

			assert_true(n > 0);
			p += n;
		}
	}
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
		cmocka_unit_test(is_always_text),
		cmocka_unit_test(exit_statuses_are_frozen),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
