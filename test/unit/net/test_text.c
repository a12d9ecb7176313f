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

/* Every byte in every place of a text: what is taken is what is written. */
static void
takes_only_what_it_writes(void **state)
{
	for (size_t n = 1; n <= 3; n++) {
		const uint8_t in[3] = { 0xfb, 0xff, 0x3e };
		char t[TEXT_HEX_SIZE(3)], again[TEXT_HEX_SIZE(3)];
		uint8_t out[3];

		for (unsigned i = 0; i < 4 * 256; i++) {
			text_b64(in, n, t, sizeof(t));
			t[i / 256] = (char)i;
			if (text_b64_parse(t, 4, out, n) != 0)
				continue;
			text_b64(out, n, again, sizeof(again));
			assert_string_equal(t, again);
		}
		for (unsigned i = 0; i < 2 * n * 256; i++) {
			text_hex(in, n, t, sizeof(t));
			t[i / 256] = (char)i;
			if (text_hex_parse(t, 2 * n, out, n) != 0)
				continue;
			text_hex(out, n, again, sizeof(again));
			assert_string_equal(t, again);
		}
	}
	(void)state;
}

/* RFC 4648, section 10, and all letters of the alphabet. */
static void
is_that_of_the_standard(void **state)
{
	static const char *const text[] = { "", "Zg==", "Zm8=", "Zm9v",
		"Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/";
	char t[TEXT_B64_SIZE(48)];
	uint8_t b[48];

	(void)state;
	for (size_t n = 0; n <= 6; n++) {
		text_b64("foobar", n, t, sizeof(t));
		assert_string_equal(t, text[n]);
	}
	assert_int_equal(b64(all, b, sizeof(b)), 0);
	for (unsigned i = 0; i < 64; i++) {
		unsigned bit = 6 * i, v = b[bit / 8] << 8;

		v |= bit / 8 + 1 < sizeof(b) ? b[bit / 8 + 1] : 0;
		assert_int_equal(v >> (10 - bit % 8) & 63, i);
	}
	text_b64(b, sizeof(b), t, sizeof(t));
	assert_string_equal(t, all);
	text_hex("\x01\x23\x45\x67\x89\xab\xcd\xef", 8, t, sizeof(t));
	assert_string_equal(t, "0123456789abcdef");
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(refuses_a_second_text),
		cmocka_unit_test(takes_only_what_it_writes),
		cmocka_unit_test(is_that_of_the_standard),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
