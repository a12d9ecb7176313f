// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "tlog/body.h"

static struct body_release
sample(void)
{
	return (struct body_release){ .account = { 1 }, .space = { 2 },
		.epoch = 3, .device = { 4 }, .created = 5, .nonce = { 6 },
		.digest = { 7 }, .signature = { 8 }, .host = "a.example" };
}

static void
reads_what_it_wrote(void **state)
{
	struct buf out defer(buf_wipe) = buf_init(1024);
	struct body_release b = sample(), got;

	(void)state;
	assert_int_equal(body_release_write(&b, &out), 0);
	assert_int_equal(body_release_read(buf_bytes(&out), &got), 0);
	assert_memory_equal(got.account, b.account, ID_LEN);
	assert_memory_equal(got.device, b.device, ID_LEN);
	assert_int_equal(got.epoch, 3);
	assert_int_equal(got.created, 5);
	assert_memory_equal(got.signature, b.signature, SIGN_LEN);
	assert_string_equal(got.host, "a.example");
}

static void
refuses_prefixes_and_more(void **state)
{
	struct buf out defer(buf_wipe) = buf_init(1024);
	struct body_release b = sample(), got;

	(void)state;
	assert_int_equal(body_release_write(&b, &out), 0);
	for (size_t n = 0; n < out.n; n++) {
		uint8_t *cut = cm_exact(out.p, n);

		assert_int_equal(body_release_read(bytes_of(cut, n), &got),
		    FAULT_MALFORMED);
		free(cut);
	}
	out.p[out.n - 1] = '\0'; /* a host of another length than it says */
	assert_int_equal(body_release_read(buf_bytes(&out), &got),
	    FAULT_MALFORMED);
	out.p[out.n - 1] = 'e';
	assert_int_equal(buf_append(&out, "x", 1), 0);
	assert_int_equal(body_release_read(buf_bytes(&out), &got),
	    FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(reads_what_it_wrote),
		cmocka_unit_test(refuses_prefixes_and_more),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
