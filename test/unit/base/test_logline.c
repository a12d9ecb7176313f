// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/logline.h"

static void
is_one_json_object_on_one_line(void **state)
{
	struct logline l = logline_begin(LOGLINE_WARN, "upload");
	struct fault f = { .code = FAULT_SPACE, .text = "disk \"a\"" };

	(void)state;
	logline_u64(&l, "bytes", UINT64_MAX);
	logline_i64(&l, "delta", INT64_MIN);
	logline_bool(&l, "new", true);
	logline_hex(&l, "id", "\x00\xff", 2);
	logline_fault(&l, &f);
	logline_close(&l);
	assert_memory_equal(l.text, "{\"time\":\"20", 11);
	assert_string_equal(strchr(l.text, 'Z'),
	    "Z\",\"level\":\"warn\",\"event\":\"upload\","
	    "\"bytes\":18446744073709551615,\"delta\":-9223372036854775808,"
	    "\"new\":true,\"id\":\"00ff\",\"code\":\"SPACE\","
	    "\"text\":\"disk \\\"a\\\"\"}\n");
}

static void
escapes_what_would_break_a_line(void **state)
{
	struct logline l = logline_begin(LOGLINE_INFO, "e");

	(void)state;
	logline_str(&l, "k", "a\nb\x1b\x7f\\\"\xc3\xa9\xc0\xaf\xed\xa0\x80");
	logline_close(&l);
	assert_string_equal(strstr(l.text, "\"k\""),
	    "\"k\":\"a\\u000ab\\u001b\\u007f\\\\\\\"\xc3\xa9"
	    "\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}\n");
}

static void
leaves_out_a_field_that_does_not_fit(void **state)
{
	struct logline l = logline_begin(LOGLINE_INFO, "e");
	char big[LOGLINE_MAX];

	(void)state;
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	logline_str(&l, "k", big);
	logline_str(&l, "later", "x");
	logline_close(&l);
	assert_string_equal(strstr(l.text, "\"e\""), "\"e\",\"cut\":true}\n");
	assert_int_equal(strlen(l.text), l.n);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(is_one_json_object_on_one_line),
		cmocka_unit_test(escapes_what_would_break_a_line),
		cmocka_unit_test(leaves_out_a_field_that_does_not_fit),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
