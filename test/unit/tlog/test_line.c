// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <sodium.h>

#include "base/fault.h"
#include "test/lib/fixedrandom.h"
#include "tlog/line.h"

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static void
base64_is_that_of_others(void **state)
{
	uint8_t in[70], out[70];
	char want[128];

	(void)state;
	for (size_t n = 0; n <= sizeof(in); n++) {
		struct buf b defer(buf_wipe) = buf_init(200);
		size_t got;

		randombytes_buf(in, n);
		assert_int_equal(line_b64(bytes_of(in, n), &b), 0);
		sodium_bin2base64(want, sizeof(want), in, n,
		    sodium_base64_VARIANT_ORIGINAL);
		assert_int_equal(b.n, strlen(want));
		assert_memory_equal(b.n == 0 ? want : (char *)b.p, want, b.n);
		assert_int_equal(line_b64_check(buf_bytes(&b), &got), 0);
		assert_int_equal(got, n);
		assert_int_equal(line_b64_parse(buf_bytes(&b), out, n), 0);
		assert_memory_equal(in, out, n);
	}
}

static void
refuses_a_second_base64(void **state)
{
	static const char *const bad[] = { "AB==", "AA=A", "AA", "AA=", "AAA",
		"A===", "====", "AAB=", "__8=", "AA==AAAA", " AAA", "AAA\n",
		"=AAA", "AA=\n" };
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(line_b64_check(text(bad[i]), &n),
		    FAULT_MALFORMED);
}

static void
decimals_have_one_form(void **state)
{
	static const char *const bad[] = { "", "00", "01", "-1", "+1", " 1",
		"1 ", "1a", "18446744073709551616", "99999999999999999999" };
	char out[LINE_U64_MAX];
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(line_u64(text(bad[i]), &v), FAULT_MALFORMED);
	assert_int_equal(line_u64(text("0"), &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(line_u64(text("18446744073709551615"), &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(line_u64_format(v, out), 20);
	assert_string_equal(out, "18446744073709551615");
	assert_int_equal(line_u64_format(0, out), 1);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(base64_is_that_of_others),
		cmocka_unit_test(refuses_a_second_base64),
		cmocka_unit_test(decimals_have_one_form),
	};

	return sodium_init() < 0 || fixedrandom_use() != 0 ||
	    cmocka_run_group_tests(t, NULL, NULL);
}
