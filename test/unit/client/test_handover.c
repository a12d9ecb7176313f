// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/scratch.h"

#include "client/handover.h"

struct target {
	struct scratch *s;
	char path[96];
	struct cli cli;
};

static struct target
target(void **state)
{
	struct target x = { .s = *state, .cli.json = true }; /* no text */

	(void)snprintf(x.path, sizeof(x.path), "%s/code", x.s->path);
	return x;
}

static void
writes_a_file_for_its_owner_alone(void **state)
{
	static const struct recovery_code code = { { 7 } };
	struct target x = target(state);
	char want[RECOVERY_TEXT_LEN + 1];
	uint8_t got[128];
	struct stat st;

	assert_int_equal(handover_code(&x.cli, &code, x.path), 0);
	assert_int_equal(stat(x.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(scratch_read(x.s, "code", got, sizeof(got)),
	    RECOVERY_TEXT_LEN + 1);
	recovery_text(&code, want);
	assert_memory_equal(got, want, RECOVERY_TEXT_LEN);
	assert_int_equal(got[RECOVERY_TEXT_LEN], '\n');
}

/* A run that was killed behind it goes on; what is another's stays. */
static void
takes_a_file_that_has_the_code(void **state)
{
	static const struct recovery_code code = { { 7 } }, other = { { 8 } };
	struct target x = target(state);

	assert_int_equal(handover_code(&x.cli, &code, x.path), 0);
	assert_int_equal(handover_code(&x.cli, &code, x.path), 0);
	assert_int_equal(handover_code(&x.cli, &other, x.path), FAULT_EXISTS);
	assert_non_null(strstr(x.cli.fault.text, x.path));
	scratch_write(x.s, "code", (const uint8_t *)"0000", 4);
	assert_int_equal(handover_code(&x.cli, &code, x.path), FAULT_EXISTS);
}

/* A run that was killed in writing it. */
static void
goes_on_with_a_part_of_the_line(void **state)
{
	static const struct recovery_code code = { { 7 } };
	struct target x = target(state);
	char line[RECOVERY_TEXT_LEN + 1];
	uint8_t got[128];

	recovery_text(&code, line);
	for (size_t n = 0; n <= RECOVERY_TEXT_LEN; n++) {
		scratch_write(x.s, "code", (const uint8_t *)line, n);
		assert_int_equal(handover_code(&x.cli, &code, x.path), 0);
		assert_int_equal(scratch_read(x.s, "code", got, sizeof(got)),
		    RECOVERY_TEXT_LEN + 1);
		assert_memory_equal(got, line, RECOVERY_TEXT_LEN);
	}
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test_setup_teardown(
		    writes_a_file_for_its_owner_alone, scratch_setup,
		    scratch_teardown),
		cmocka_unit_test_setup_teardown(takes_a_file_that_has_the_code,
		    scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(goes_on_with_a_part_of_the_line,
		    scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
