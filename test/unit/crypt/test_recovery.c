// SPDX-License-Identifier: Apache-2.0
/* The example's text and keys were computed by a separate program from the text
 * of spec/10-names.md alone. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/recovery.h"
#include "crypt/secret.h"
#include "test/lib/hex.h"

#define EXAMPLE "M2GT-58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK-KR8W"

static struct recovery_code example;

static int
parse(const char *text)
{
	struct recovery_code out;
	uint8_t *exact = cm_exact(text, strlen(text));
	int rc = recovery_parse(bytes_of(exact, strlen(text)), &out);

	if (rc == 0)
		assert_memory_equal(&out, &example, sizeof(out));
	free(exact);
	return rc;
}

static void
writes_the_example(void **state)
{
	char text[RECOVERY_TEXT_LEN + 1];

	(void)state;
	recovery_text(&example, text);
	assert_string_equal(text, EXAMPLE);
}

static void
reads_it_as_people_type_it(void **state)
{
	(void)state;
	assert_int_equal(parse(EXAMPLE), 0);
	assert_int_equal(parse("m2gt58x4mpkafa59nantsbdenyrb3cnkkr8w"), 0);
	assert_int_equal(
	    parse(" M2GT 58X4 MPKA FA59 NANT-SBDE-NYRB-3CNK KR8W "), 0);
}

static void
reads_look_alikes(void **state)
{
	struct recovery_code code = { { 0 } }, out;
	char text[RECOVERY_TEXT_LEN + 1];

	(void)state;
	code.b[19] = 1;
	recovery_text(&code, text);
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '0')
			*p = 'o';
		if (*p == '1')
			*p = 'l';
	}
	assert_int_equal(recovery_parse(bytes_of(text, strlen(text)), &out), 0);
	assert_memory_equal(&code, &out, sizeof(out));
}

static void
refuses_a_single_wrong_symbol(void **state)
{
	char text[] = EXAMPLE;

	(void)state;
	for (size_t i = 0; i < strlen(text); i++) {
		char was = text[i];

		if (was == '-')
			continue;
		text[i] = was == '7' ? '6' : '7';
		assert_int_equal(parse(text), FAULT_SECRET);
		text[i] = was;
	}
}

static void
tells_a_wrong_form_from_a_wrong_code(void **state)
{
	(void)state;
	assert_int_equal(parse(""), FAULT_MALFORMED);
	assert_int_equal(parse(EXAMPLE "0"), FAULT_MALFORMED);
	assert_int_equal(parse("M2GT-58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK"),
	    FAULT_MALFORMED);
	assert_int_equal(parse("U2GT-58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK-KR8W"),
	    FAULT_MALFORMED);
	assert_int_equal(parse("M2GT_58X4-MPKA-FA59-NANT-SBDE-NYRB-3CNK-KR8W"),
	    FAULT_MALFORMED);
}

static void
new_codes_differ_and_come_back(void **state)
{
	struct recovery_code a, b, out;
	char text[RECOVERY_TEXT_LEN + 1];

	(void)state;
	recovery_new(&a);
	for (unsigned i = 0; i < 500; i++) {
		recovery_new(&b);
		assert_memory_not_equal(&a, &b, sizeof(a));
		recovery_text(&b, text);
		assert_int_equal(strlen(text), RECOVERY_TEXT_LEN);
		assert_int_equal(
		    recovery_parse(bytes_of(text, RECOVERY_TEXT_LEN), &out), 0);
		assert_memory_equal(&b, &out, sizeof(b));
		a = b;
	}
}

static void
gives_both_keys_of_the_example(void **state)
{
	struct sign_key sign;
	struct box_key box;

	(void)state;
	assert_int_equal(recovery_keys(&example, &sign, &box), 0);
	hex_equal(sign.seed, sizeof(sign.seed),
	    "53b7af7a859ac23eed3c9a2d8a06d464e83ae8eaa5b5335697ada9080cc992e9");
	hex_equal(box.b, sizeof(box.b),
	    "9ba67d276c8496f1bb19739cb2665c09a289000628d838d9171ea7b42d1a2601");
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
		cmocka_unit_test(writes_the_example),
		cmocka_unit_test(reads_it_as_people_type_it),
		cmocka_unit_test(reads_look_alikes),
		cmocka_unit_test(refuses_a_single_wrong_symbol),
		cmocka_unit_test(tells_a_wrong_form_from_a_wrong_code),
		cmocka_unit_test(new_codes_differ_and_come_back),
		cmocka_unit_test(gives_both_keys_of_the_example),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
