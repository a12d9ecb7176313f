// SPDX-License-Identifier: Apache-2.0
/* The example's text and hash were computed by a separate program from the text
 * of spec/10-names.md alone. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/invitation.h"
#include "crypt/recovery.h"
#include "crypt/secret.h"
#include "test/lib/hex.h"

#define EXAMPLE "M2GT-58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK-J7HC"

static struct invitation example;

static int
parse(const char *text, struct invitation *out)
{
	uint8_t *exact = cm_exact(text, strlen(text));
	int rc = invitation_parse(bytes_of(exact, strlen(text)), out);

	free(exact);
	return rc;
}

static void
writes_and_reads_the_example(void **state)
{
	char text[INVITATION_TEXT_LEN + 1];
	struct invitation got = { { 0 } };

	(void)state;
	invitation_text(&example, text);
	assert_string_equal(text, EXAMPLE);
	assert_int_equal(parse(EXAMPLE, &got), 0);
	assert_memory_equal(&got, &example, sizeof(got));
	assert_int_equal(parse("m2gt 58x4 mpka fa59 nant sbde nyrb 3cnk j7hc",
	    &got), 0);
}

static void
is_kept_as_its_hash(void **state)
{
	uint8_t hash[INVITATION_HASH_LEN];

	(void)state;
	invitation_hash(&example, hash);
	hex_equal(hash, sizeof(hash),
	    "76f9cd66c1d5d8520c0d797483a95b479ec412d3446d462ccaf96d093741c19e");
}

/* Who types the wrong one of two papers does not send his recovery code. */
static void
is_no_recovery_code_and_the_reverse(void **state)
{
	struct recovery_code code, none = { { 0 } };
	struct invitation in, got = { { 0 } };
	char text[PAPERCODE_TEXT_LEN + 1];

	(void)state;
	memcpy(code.b, example.b, sizeof(code.b));
	recovery_text(&code, text);
	assert_int_equal(parse(text, &got), FAULT_SECRET);
	assert_int_equal(recovery_parse(bytes_of(EXAMPLE, strlen(EXAMPLE)),
	    &none), FAULT_SECRET);
	memset(&in, 0, sizeof(in));
	assert_memory_equal(&got, &in, sizeof(got));
}

static void
refuses_other_forms(void **state)
{
	struct invitation got;

	(void)state;
	assert_int_equal(parse("", &got), FAULT_MALFORMED);
	assert_int_equal(parse(EXAMPLE "0", &got), FAULT_MALFORMED);
	for (size_t n = 0; n < strlen(EXAMPLE); n++) {
		char *text = strndup(EXAMPLE, n);

		assert_non_null(text);
		assert_int_equal(parse(text, &got), FAULT_MALFORMED);
		free(text);
	}
	assert_int_equal(parse("J7HC-58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK-M2GT",
	    &got), FAULT_SECRET);
}

static void
new_ones_differ(void **state)
{
	struct invitation a, b;

	(void)state;
	invitation_new(&a);
	invitation_new(&b);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static int
start(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(example.b); i++)
		example.b[i] = (uint8_t)(0xa0 + i);
	return secret_init();
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(writes_and_reads_the_example),
		cmocka_unit_test(is_kept_as_its_hash),
		cmocka_unit_test(is_no_recovery_code_and_the_reverse),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(new_ones_differ),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
