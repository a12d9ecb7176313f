// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "net/text.h"

static int
b64(const char *s, void *out, size_t n)
{
	return text_b64_parse(s, strlen(s), out, n);
}

static int
hex(const char *s, void *out, size_t n)
{
	return text_hex_parse(s, strlen(s), out, n);
}

static void
round_trips(void **state)
{
	uint8_t in[70], out[70];
	char t[TEXT_HEX_SIZE(70)];

	(void)state;
	for (size_t n = 0; n <= sizeof(in); n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(i * 37 + n);
		text_b64(in, n, t, sizeof(t));
		assert_int_equal(strlen(t) + 1, TEXT_B64_SIZE(n));
		assert_int_equal(b64(t, out, n), 0);
		assert_memory_equal(in, out, n);
		text_hex(in, n, t, sizeof(t));
		assert_int_equal(hex(t, out, n), 0);
		assert_memory_equal(in, out, n);
	}
}

static void
refuses_a_second_text(void **state)
{
	uint8_t out[4];

	(void)state;
	assert_int_equal(b64("AA==", out, 1), 0);
	assert_int_equal(b64("AB==", out, 1), FAULT_MALFORMED);
	assert_int_equal(b64("AA=A", out, 1), FAULT_MALFORMED);
	assert_int_equal(b64("AA", out, 1), FAULT_MALFORMED);
	assert_int_equal(b64("AA=\n", out, 1), FAULT_MALFORMED);
	assert_int_equal(b64("AAA=", out, 2), 0);
	assert_int_equal(b64("AAB=", out, 2), FAULT_MALFORMED);
	assert_int_equal(b64("AA==", out, 2), FAULT_MALFORMED);
	assert_int_equal(b64("__8=", out, 2), FAULT_MALFORMED);
	assert_int_equal(b64("AAAA", out, 4), FAULT_MALFORMED);
	assert_int_equal(hex("ab", out, 1), 0);
	assert_int_equal(hex("AB", out, 1), FAULT_MALFORMED);
	assert_int_equal(hex("a", out, 1), FAULT_MALFORMED);
	assert_int_equal(hex("abc", out, 1), FAULT_MALFORMED);
	assert_int_equal(hex("a:", out, 1), FAULT_MALFORMED);
	assert_int_equal(hex("", out, 1), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(refuses_a_second_text),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
