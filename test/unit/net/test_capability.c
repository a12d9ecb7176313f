// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/fault.h"
#include "crypt/paseto.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/capability.h"

#define P "00112233445566778899aabbccddeeff"
#define GOOD                                                              \
	"{\"v\":1,\"depot\":\"d\",\"prefix\":\"" P "\",\"verbs\":"           \
	"[\"get\",\"put\"],\"quota\":5,\"nbf\":10,\"exp\":20}"

static struct sign_key key;
static struct sign_pub pub;

static int
setup(void **state)
{
	(void)state;
	if (secret_init() != 0)
		return -1;
	sign_new(&key, &pub);
	return 0;
}

/* What verify says of a signed payload. */
static int
verify_json(const char *json, struct capability *out)
{
	struct buf t defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);

	assert_int_equal(
	    paseto_sign(&key, bytes_of(json, strlen(json)), &t), 0);
	return capability_verify(&pub, buf_bytes(&t), out);
}

static void
reads_what_it_issues(void **state)
{
	struct capability in = { .depot = "harbour-1", .prefix = { 0xab, 1 },
		.verbs = CAPABILITY_GET | CAPABILITY_DELETE,
		.quota = INT64_MAX, .nbf = 1, .exp = 2 }, out;
	struct buf t defer(buf_wipe) = buf_init(4096);

	(void)state;
	assert_int_equal(capability_issue(&key, &in, &t), 0);
	assert_true(t.n <= 2048);
	assert_int_equal(capability_verify(&pub, buf_bytes(&t), &out), 0);
	assert_string_equal(out.depot, in.depot);
	assert_memory_equal(out.prefix, in.prefix, ID_LEN);
	assert_int_equal(out.verbs, in.verbs);
	assert_true(out.quota == in.quota);
	assert_int_equal(out.nbf, 1);
	assert_int_equal(out.exp, 2);
}

static void
reads_the_members_of_the_specification(void **state)
{
	struct capability c;

	(void)state;
	assert_int_equal(verify_json(GOOD, &c), 0);
	assert_string_equal(c.depot, "d");
	assert_int_equal(c.prefix[15], 0xff);
	assert_int_equal(c.verbs, CAPABILITY_GET | CAPABILITY_PUT);
	assert_int_equal(c.quota, 5);
	assert_int_equal(c.nbf, 10);
	assert_int_equal(c.exp, 20);
}

/* GOOD with the first occurrence of from replaced. */
static int
verify_edited(const char *from, const char *to)
{
	struct capability c, before;
	const char *at = strstr(GOOD, from);
	char json[1024];
	int rc;

	assert_non_null(at);
	(void)snprintf(json, sizeof(json), "%.*s%s%s", (int)(at - GOOD), GOOD,
	    to, at + strlen(from));
	memset(&c, 0x5a, sizeof(c));
	before = c;
	rc = verify_json(json, &c);
	if (rc != 0)
		assert_memory_equal(&c, &before, sizeof(c));
	return rc;
}

static void
refuses_other_forms(void **state)
{
	static const char *const edits[][2] = {
		{ "\"v\":1", "\"v\":1.0" }, { "\"v\":1", "\"v\":\"1\"" },
		{ "\"v\":1,", "" }, { "{", "{\"more\":1," },
		{ "\"d\"", "\"\"" }, { "\"d\"", "7" },
		{ "\"d\"", "\"a\\u0000b\"" },
		{ "00112233", "0011223" }, { "00112233", "001122334" },
		{ "aabb", "AABB" }, { "aabb", "aabg" },
		{ "[\"get\",\"put\"]", "[]" },
		{ "[\"get\",\"put\"]", "\"get\"" },
		{ "\"put\"", "\"get\"" }, { "\"put\"", "\"post\"" },
		{ "\"put\"", "2" }, { "\"quota\":5", "\"quota\":-1" },
		{ "\"quota\":5", "\"quota\":5.5" },
		{ "\"quota\":5", "\"quota\":99999999999999999999" },
		{ "\"nbf\":10", "\"nbf\":null" },
		{ "\"exp\":20", "\"exp\":20,\"exp\":20" },
		{ "\"exp\":20", "\"exp\":9" }, { "20}", "20} x" },
		{ "20}", "20" }, { "\"exp\"", "\"Exp\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++)
		if (verify_edited(edits[i][0], edits[i][1]) != FAULT_MALFORMED)
			fail_msg("%s -> %s", edits[i][0], edits[i][1]);
	assert_int_equal(verify_edited("\"v\":1", "\"v\":2"), FAULT_VERSION);
}

static void
refuses_truncation_and_every_flipped_bit(void **state)
{
	struct buf t defer(buf_wipe) = buf_init(4096);
	struct capability c;

	(void)state;
	assert_int_equal(paseto_sign(&key, bytes_of(GOOD, strlen(GOOD)), &t),
	    0);
	for (size_t n = 0; n < t.n; n++) {
		uint8_t *q = cm_exact(t.p, n);

		assert_int_not_equal(
		    capability_verify(&pub, bytes_of(q, n), &c), 0);
		free(q);
	}
	for (size_t i = 0; i < t.n; i++)
		for (int bit = 1; bit < 256; bit *= 2) {
			t.p[i] = (uint8_t)(t.p[i] ^ bit);
			assert_int_not_equal(
			    capability_verify(&pub, buf_bytes(&t), &c), 0);
			t.p[i] = (uint8_t)(t.p[i] ^ bit);
		}
}

static void
refuses_another_key_and_long_tokens(void **state)
{
	struct buf t defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	struct capability c;
	struct sign_key other_key;
	struct sign_pub other;
	char big[3000];

	(void)state;
	sign_new(&other_key, &other);
	assert_int_equal(paseto_sign(&key, bytes_of(GOOD, strlen(GOOD)), &t),
	    0);
	assert_int_equal(capability_verify(&other, buf_bytes(&t), &c),
	    FAULT_TAMPERED);
	(void)snprintf(big, sizeof(big), "%s%*s", GOOD, 2000, "");
	assert_int_equal(verify_json(big, &c), FAULT_LIMIT);
}

static void
does_not_issue_what_it_would_refuse(void **state)
{
	const struct capability good = { .depot = "d", .verbs = 1, .exp = 1 };
	struct buf t defer(buf_wipe) = buf_init(4096);
	struct capability c;

	(void)state;
	assert_int_equal(capability_issue(&key, &good, &t), 0);
	t.n = 0;
	c = good;
	c.verbs = 0;
	assert_int_equal(capability_issue(&key, &c, &t), FAULT_MALFORMED);
	c = good;
	c.verbs = 16;
	assert_int_equal(capability_issue(&key, &c, &t), FAULT_MALFORMED);
	c = good;
	c.depot[0] = '\0';
	assert_int_equal(capability_issue(&key, &c, &t), FAULT_MALFORMED);
	c = good;
	c.quota = UINT64_MAX;
	assert_int_equal(capability_issue(&key, &c, &t), FAULT_MALFORMED);
	assert_int_equal(t.n, 0);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(reads_what_it_issues),
		cmocka_unit_test(reads_the_members_of_the_specification),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(refuses_truncation_and_every_flipped_bit),
		cmocka_unit_test(refuses_another_key_and_long_tokens),
		cmocka_unit_test(does_not_issue_what_it_would_refuse),
	};

	return cmocka_run_group_tests(t, setup, NULL);
}
