// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/fault.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/httpsig.h"

#define HOST "authority.example:8443"
#define PATH "/v1/session"

static const char body[] = "{\"a\":1}";
static struct sign_key key;
static struct sign_pub pub;

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static struct httpsig_fields
good(void)
{
	struct httpsig s = { .created = 1700000000 };
	struct httpsig_fields f;

	memset(s.nonce, 0xab, sizeof(s.nonce));
	memset(s.keyid, 0xcd, sizeof(s.keyid));
	assert_int_equal(httpsig_sign(&key, &s, HOST, PATH, text(body), &f),
	    0);
	return f;
}

static int
check(const struct httpsig_fields *f)
{
	return httpsig_check(&pub, f, HOST, PATH, text(body));
}

static void
writes_the_one_form(void **state)
{
	struct httpsig_fields f = good();

	(void)state;
	assert_string_equal(f.input, "skerry=(\"@method\" \"@authority\" "
	    "\"@path\" \"content-digest\");created=1700000000;nonce=\"abababab"
	    "abababababababababababab\";keyid=\"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	    "cd\";alg=\"ed25519\";tag=\"skerry\"");
	assert_string_equal(f.digest, "sha-256="
	    ":AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:");
}

static void
takes_what_it_signed(void **state)
{
	struct httpsig_fields f = good();
	struct httpsig s;

	(void)state;
	assert_int_equal(check(&f), 0);
	assert_int_equal(httpsig_parse(&f, &s), 0);
	assert_true(s.created == 1700000000);
	assert_int_equal(s.nonce[0], 0xab);
	assert_int_equal(s.keyid[15], 0xcd);
}

static void
refuses_another_request(void **state)
{
	struct httpsig_fields f = good();
	struct sign_key other_key;
	struct sign_pub other;

	(void)state;
	sign_new(&other_key, &other);
	assert_int_equal(httpsig_check(&pub, &f, HOST, PATH, text("{}")),
	    FAULT_TAMPERED);
	assert_int_equal(httpsig_check(&pub, &f, "other", PATH, text(body)),
	    FAULT_TAMPERED);
	assert_int_equal(httpsig_check(&pub, &f, HOST, "/v1/head",
	    text(body)), FAULT_TAMPERED);
	assert_int_equal(httpsig_check(&other, &f, HOST, PATH, text(body)),
	    FAULT_TAMPERED);
	assert_int_equal(httpsig_check(&pub, &f, HOST, PATH "\n", text(body)),
	    FAULT_MALFORMED);
}

static void
refuses_every_changed_character(void **state)
{
	struct httpsig_fields f = good();
	size_t n = strlen(f.input);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct httpsig_fields bad = f;

		bad.input[i] ^= 1;
		assert_int_not_equal(check(&bad), 0);
		bad = f;
		bad.input[i] = '\0'; /* every strict prefix */
		assert_int_equal(check(&bad), FAULT_MALFORMED);
	}
	for (size_t i = 0; i < strlen(f.signature); i++) {
		struct httpsig_fields bad = f;

		bad.signature[i] ^= 1;
		assert_int_not_equal(check(&bad), 0);
		bad = f;
		bad.signature[i] = '\0';
		assert_int_equal(check(&bad), FAULT_MALFORMED);
	}
	for (size_t i = 0; i < strlen(f.digest); i++) {
		struct httpsig_fields bad = f;

		bad.digest[i] ^= 1;
		assert_int_not_equal(check(&bad), 0);
	}
}

static void
refuses_a_character_more(void **state)
{
	struct httpsig_fields f = good();

	(void)state;
	strncat(f.input, " ", 1);
	assert_int_equal(check(&f), FAULT_MALFORMED);
	f = good();
	strncat(f.signature, ",", 1);
	assert_int_equal(check(&f), FAULT_MALFORMED);
	f = good();
	memset(f.digest, 'A', sizeof(f.digest)); /* no NUL at all */
	assert_int_equal(check(&f), FAULT_MALFORMED);
}

static void
refuses_a_second_text_of_a_number(void **state)
{
	static const char *const bad[] = { "01700000000", "+1700000000", "-1",
		"", "1000000000000000", "99999999999999999999999", "1.0" };
	struct httpsig s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct httpsig_fields f = good();
		const char *rest = strstr(f.input, ";nonce");
		char t[HTTPSIG_FIELD_MAX];
		size_t head = (size_t)(strstr(f.input, "1700") - f.input);

		(void)snprintf(t, sizeof(t), "%.*s%s%s", (int)head, f.input,
		    bad[i], rest);
		memcpy(f.input, t, sizeof(t));
		assert_int_equal(httpsig_parse(&f, &s), FAULT_MALFORMED);
	}
}

static void
reads_digests(void **state)
{
	uint8_t out[32];
	char t[64];

	(void)state;
	httpsig_digest(bytes_of(NULL, 0), t);
	assert_string_equal(t, "sha-256="
	    ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
	assert_int_equal(httpsig_digest_parse(t, out), 0);
	assert_int_equal(out[0], 0xe3);
	assert_int_equal(httpsig_digest_parse("", out), FAULT_MALFORMED);
	assert_int_equal(httpsig_digest_parse("sha-256=::", out),
	    FAULT_MALFORMED);
	assert_int_equal(httpsig_digest_parse("sha-256="
	    ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=:", out),
	    FAULT_MALFORMED); /* stray bits */
	assert_int_equal(httpsig_digest_parse("sha-512="
	    ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", out),
	    FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(writes_the_one_form),
		cmocka_unit_test(takes_what_it_signed),
		cmocka_unit_test(refuses_another_request),
		cmocka_unit_test(refuses_every_changed_character),
		cmocka_unit_test(refuses_a_character_more),
		cmocka_unit_test(refuses_a_second_text_of_a_number),
		cmocka_unit_test(reads_digests),
	};

	if (secret_init() != 0)
		return 1;
	sign_new(&key, &pub);
	return cmocka_run_group_tests(t, NULL, NULL);
}
