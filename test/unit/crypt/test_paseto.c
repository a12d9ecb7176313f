// SPDX-License-Identifier: Apache-2.0
/* Vectors: v4.json of paseto-standard/test-vectors, 4-S-1 to 4-S-3. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/paseto.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "test/lib/hex.h"

#define PAYLOAD                                                                \
	"{\"data\":\"this is a signed message\","                              \
	"\"exp\":\"2022-01-01T00:00:00+00:00\"}"
#define BODY                                                                   \
	"v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhw"       \
	"IjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9"
#define S1                                                                     \
	BODY "bg_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcA"    \
	     "xFaSeef1QlXEFtkqxT1ciiQEDA"
#define FOOTER                                                                 \
	".eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2"    \
	"MGhhTiJ9"
#define SIG2                                                                   \
	"v3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx" \
	"1HcO-SPo8FPp214HDw"
#define SIG3                                                                   \
	"NPWciuD3d0o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ipdUSJbIo" \
	"vzmBECeaWmaqcaP0DQ"

static struct sign_key key;
static struct sign_pub pub;

static int
verify(const char *token, size_t n)
{
	struct buf out defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	uint8_t *exact = cm_exact(token, n);
	int rc = paseto_verify(&pub, bytes_of(exact, n), &out);

	if (rc != 0)
		assert_int_equal(out.n, 0);
	free(exact);
	return rc;
}

static int
verify_text(const char *token)
{
	return verify(token, strlen(token));
}

static void
gives_the_published_token(void **state)
{
	struct buf out defer(buf_wipe) = buf_init(4096);

	(void)state;
	assert_int_equal(
	    paseto_sign(&key, bytes_of(PAYLOAD, strlen(PAYLOAD)), &out), 0);
	assert_int_equal(out.n, strlen(S1));
	assert_memory_equal(out.p, S1, out.n);
}

static void
reads_the_published_token(void **state)
{
	struct buf out defer(buf_wipe) = buf_init(4096);

	(void)state;
	assert_int_equal(buf_append(&out, "before", 6), 0);
	assert_int_equal(paseto_verify(&pub, bytes_of(S1, strlen(S1)), &out),
	    0);
	assert_int_equal(out.n, 6 + strlen(PAYLOAD));
	assert_memory_equal(out.p, "before" PAYLOAD, out.n);
}

static void
takes_no_footer_and_no_assertion(void **state)
{
	(void)state;
	assert_int_equal(verify_text(BODY SIG2 FOOTER), FAULT_MALFORMED);
	assert_int_equal(verify_text(BODY SIG3 FOOTER), FAULT_MALFORMED);
	assert_int_equal(verify_text(BODY SIG2), FAULT_TAMPERED);
	assert_int_equal(verify_text(BODY SIG3), FAULT_TAMPERED);
	assert_int_equal(verify_text(S1 "."), FAULT_MALFORMED);
}

/* No character can be any other, the unused bits of the last one included. */
static void
refuses_every_other_character(void **state)
{
	char token[] = S1;

	(void)state;
	for (size_t i = 0; i < strlen(S1); i++) {
		for (int c = 0; c < 256; c++) {
			token[i] = (char)c;
			if (token[i] == S1[i])
				continue;
			assert_true(verify(token, strlen(S1)) != 0);
		}
		token[i] = S1[i];
	}
	assert_int_equal(verify_text(token), 0);
	token[strlen(token) - 1] = 'B';
	assert_int_equal(verify_text(token), FAULT_MALFORMED);
}

static void
refuses_another_encoding_or_length(void **state)
{
	static char big[PASETO_TOKEN_MAX + 2];

	(void)state;
	assert_int_equal(verify_text(S1 "=="), FAULT_MALFORMED);
	assert_int_equal(verify_text(S1 "\n"), FAULT_MALFORMED);
	assert_int_equal(verify_text(" " S1), FAULT_MALFORMED);
	assert_int_equal(verify_text("v4.public."), FAULT_MALFORMED);
	assert_int_equal(verify_text("v4.local.AAAA"), FAULT_MALFORMED);
	assert_int_equal(verify_text(""), FAULT_MALFORMED);
	for (size_t n = 0; n < strlen(S1); n++)
		assert_true(verify(S1, n) != 0);
	memset(big, 'A', sizeof(big));
	memcpy(big, "v4.public.", 10);
	assert_int_equal(verify(big, PASETO_TOKEN_MAX), FAULT_TAMPERED);
	assert_int_equal(verify(big, PASETO_TOKEN_MAX + 1), FAULT_LIMIT);
}

static void
the_longest_token_goes_both_ways(void **state)
{
	struct buf out defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	struct buf back defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	enum { LONGEST = (PASETO_TOKEN_MAX - 10) * 3 / 4 - SIGN_LEN };
	static uint8_t payload[LONGEST + 1];

	(void)state;
	memset(payload, ' ', sizeof(payload));
	assert_int_equal(paseto_sign(&key, bytes_of(payload, LONGEST + 1),
	    &out), FAULT_LIMIT);
	assert_int_equal(paseto_sign(&key, bytes_of(payload, LONGEST), &out),
	    0);
	assert_int_equal(out.n, PASETO_TOKEN_MAX);
	assert_int_equal(paseto_verify(&pub, buf_bytes(&out), &back), 0);
	assert_int_equal(back.n, LONGEST);
	assert_memory_equal(back.p, payload, back.n);
}

static void
refuses_another_signer(void **state)
{
	struct buf out defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	struct sign_key other;
	struct sign_pub other_pub;

	(void)state;
	sign_new(&other, &other_pub);
	assert_int_equal(paseto_sign(&other, bytes_of("{}", 2), &out), 0);
	assert_int_equal(verify((const char *)out.p, out.n), FAULT_TAMPERED);
}

static int
start(void **state)
{
	(void)state;
	hex_to(
	    "b4cbfb43df4ce210727d953e4a713307fa19bb7d9f85041438d9e11b942a3774",
	    key.seed, sizeof(key.seed));
	hex_to(
	    "1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2",
	    pub.b, sizeof(pub.b));
	return secret_init();
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(gives_the_published_token),
		cmocka_unit_test(reads_the_published_token),
		cmocka_unit_test(takes_no_footer_and_no_assertion),
		cmocka_unit_test(refuses_every_other_character),
		cmocka_unit_test(refuses_another_encoding_or_length),
		cmocka_unit_test(the_longest_token_goes_both_ways),
		cmocka_unit_test(refuses_another_signer),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
