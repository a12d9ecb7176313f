// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdbool.h>

#include "base/base32.h"
#include "base/fault.h"

static const struct {
	const char *bytes;
	size_t n;
	const char *text;
} vector[] = {
	{ "", 0, "" },
	{ "\x00", 1, "00" },
	{ "\xff", 1, "ZW" },
	{ "f", 1, "CR" },
	{ "fo", 2, "CSQG" },
	{ "foo", 3, "CSQPY" },
	{ "foob", 4, "CSQPYRG" },
	{ "fooba", 5, "CSQPYRK1" },
	{ "foobar", 6, "CSQPYRK1E8" },
};

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static void
encodes_and_decodes_known_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vector); i++) {
		char *s = malloc(BASE32_LEN(vector[i].n) + 1);
		uint8_t *b = malloc(vector[i].n + 1);

		assert_int_equal(BASE32_LEN(vector[i].n),
		    strlen(vector[i].text));
		base32_encode(bytes_of(vector[i].bytes, vector[i].n), s);
		assert_memory_equal(s, vector[i].text,
		    strlen(vector[i].text));
		assert_int_equal(
		    base32_decode(text(vector[i].text), b, vector[i].n), 0);
		assert_memory_equal(b, vector[i].bytes, vector[i].n);
		free(s);
		free(b);
	}
}

static void
every_symbol_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t in[5] = { 0, 0, 0, 0, (uint8_t)i }, out[5];
		char s[8];

		base32_encode(bytes_of(in, 5), s);
		assert_int_equal(base32_decode(bytes_of(s, 8), out, 5), 0);
		assert_memory_equal(in, out, 5);
	}
}

static void
reads_what_people_write(void **state)
{
	char out[10];
	uint8_t b[5];

	(void)state;
	assert_int_equal(base32_decode(text(" csq-pYrKl "), b, 5), 0);
	assert_memory_equal(b, "fooba", 5);
	assert_int_equal(base32_canonical(text("oOiI lL-0-1zZ"), out, 10), 0);
	assert_memory_equal(out, "00111101ZZ", 10);
}

static void
accepts_no_other_character(void **state)
{
	char out[1];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		uint8_t in[1] = { (uint8_t)c };
		bool ok = c != 0 && strchr("0123456789ABCDEFGHIJKLMNOPQRSTVWXYZ"
					   "abcdefghijklmnopqrstvwxyz",
				 (int)c) != NULL;

		assert_int_equal(base32_canonical(bytes_of(in, 1), out, 1),
		    ok ? 0 : FAULT_MALFORMED);
	}
}

static void
refuses_a_wrong_length_and_spare_bits(void **state)
{
	uint8_t b[6];

	(void)state;
	assert_int_equal(base32_decode(text("CSQPYRK"), b, 5),
	    FAULT_MALFORMED);
	assert_int_equal(base32_decode(text("CSQPYRK11"), b, 5),
	    FAULT_MALFORMED);
	assert_int_equal(base32_decode(text("CSQPYRK1E9"), b, 6),
	    FAULT_MALFORMED);
	assert_int_equal(base32_decode(text("ZX"), b, 1), FAULT_MALFORMED);
	assert_int_equal(base32_decode(text("0"), b, 0), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(encodes_and_decodes_known_strings),
		cmocka_unit_test(every_symbol_comes_back),
		cmocka_unit_test(reads_what_people_write),
		cmocka_unit_test(accepts_no_other_character),
		cmocka_unit_test(refuses_a_wrong_length_and_spare_bits),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
