// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

#include "authority/keystore_pkcs11.h"
#include "authority/pkcs11.h"
#include "base/fault.h"
#include "crypt/hpke.h"
#include "crypt/secret.h"
#include "test/lib/p11_shim.h"
#include "test/lib/softtoken.h"

static const struct keystore_file_cost cheap = { 1, 8192 };
static struct p11_shim *shim;
static struct fault why;

/* One key for each mechanism, made once. */
static struct made {
	struct keystore_token token;
	uint8_t file[KEYSTORE_PKCS11_LEN];
	struct keystore_public pub;
} gcm = { .token = { .module = P11_SHIM, .label = SOFTTOKEN_LABEL,
	      .key = "gcm" } },
  kwp = { .token = { .module = P11_SHIM, .label = SOFTTOKEN_LABEL,
	      .key = "kwp", .key_wrap = true } };

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static int
open_as(const struct made *m, const struct keystore_token *t, const char *pin,
    struct keystore **out)
{
	const struct keystore_config c = { .kind = "pkcs11",
		.keyfile = bytes_of(m->file, sizeof(m->file)),
		.passphrase = text(pin), .token = *t };

	return keystore_open(&c, out, &why);
}

static struct keystore *
open_made(const struct made *m)
{
	struct keystore *ks = NULL;

	assert_int_equal(open_as(m, &m->token, SOFTTOKEN_PIN, &ks), 0);
	return ks;
}

static void
wait_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void
wraps_for_one_aad(const struct made *m)
{
	struct keystore *ks defer(keystore_closep) = open_made(m);
	struct space_key in, out = { 0 };
	uint8_t a[WRAP_LEN], b[WRAP_LEN];

	memset(in.b, 7, sizeof(in.b));
	assert_int_equal(ks->wrap(ks, text("aad"), &in, a), 0);
	assert_int_equal(ks->unwrap(ks, text("other"), a, &out),
	    FAULT_SECRET);
	assert_int_equal(ks->unwrap(ks, text(""), a, &out), FAULT_SECRET);
	for (size_t i = 0; i < WRAP_LEN; i++) {
		memcpy(b, a, WRAP_LEN);
		b[i] ^= 1;
		assert_int_equal(ks->unwrap(ks, text("aad"), b, &out),
		    FAULT_SECRET);
	}
	assert_null(keystore_trouble(ks));
	assert_int_equal(out.b[0], 0);
	assert_int_equal(ks->unwrap(ks, text("aad"), a, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void
gcm_wraps_for_one_aad(void **state)
{
	(void)state;
	wraps_for_one_aad(&gcm);
}

static void
key_wrap_wraps_for_one_aad(void **state)
{
	(void)state;
	wraps_for_one_aad(&kwp);
}

static void
logs_in_once(void **state)
{
	struct keystore *ks defer(keystore_closep) = open_made(&gcm);
	unsigned before = shim->logins;
	struct space_key in = { { 1 } };
	uint8_t a[WRAP_LEN];

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(ks->wrap(ks, text("aad"), &in, a), 0);
	assert_int_equal(shim->logins, before);
}

static void
mechanisms_do_not_mix(void **state)
{
	struct keystore_token t = gcm.token;
	struct keystore *none = NULL;

	(void)state;
	t.key_wrap = true;
	assert_int_equal(open_as(&gcm, &t, SOFTTOKEN_PIN, &none),
	    FAULT_CONFIG);
	assert_non_null(strstr(why.text, "CKR_KEY_FUNCTION_NOT_PERMITTED"));
	assert_null(none);
}

static void
opens_what_is_sealed_to_it(void **state)
{
	struct keystore *ks defer(keystore_closep) = open_made(&gcm);
	struct keystore_public told;
	struct space_key in, out;
	uint8_t sealed[KEYSTORE_SEALED_LEN];

	(void)state;
	memset(in.b, 9, sizeof(in.b));
	assert_int_equal(keystore_read_public(bytes_of(gcm.file,
	    sizeof(gcm.file)), &told), 0);
	assert_memory_equal(&told, &gcm.pub, sizeof(told));
	assert_int_equal(hpke_seal(&told.intake, text("i"), text("a"),
	    bytes_of(in.b, sizeof(in.b)), sealed), 0);
	assert_int_equal(ks->intake(ks, text("i"), text("b"), sealed, &out),
	    FAULT_TAMPERED);
	assert_int_equal(ks->intake(ks, text("i"), text("a"), sealed, &out),
	    0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void
refuses_every_changed_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(gcm.file); i++) {
		struct made bad = gcm;
		struct keystore *none = NULL;

		bad.file[i] ^= 1;
		assert_int_not_equal(open_as(&bad, &bad.token, SOFTTOKEN_PIN,
		    &none), 0);
		assert_null(none);
	}
}

static void
finds_the_token_and_the_key(void **state)
{
	struct keystore_token t = gcm.token;
	struct keystore *none = NULL;

	(void)state;
	t.label = "another";
	assert_int_equal(open_as(&gcm, &t, SOFTTOKEN_PIN, &none),
	    FAULT_AUTHORITY);
	t = gcm.token;
	t.key = "another";
	assert_int_equal(open_as(&gcm, &t, SOFTTOKEN_PIN, &none),
	    FAULT_CONFIG);
	t = gcm.token;
	t.id = text("another id");
	assert_int_equal(open_as(&gcm, &t, SOFTTOKEN_PIN, &none),
	    FAULT_CONFIG);
	t = gcm.token;
	t.module = "/nonexistent.so";
	assert_int_equal(open_as(&gcm, &t, SOFTTOKEN_PIN, &none),
	    FAULT_CONFIG);
	/* A key of that name that is another. */
	assert_int_equal(open_as(&gcm, &kwp.token, SOFTTOKEN_PIN, &none),
	    FAULT_TAMPERED);
	assert_null(none);
}

static void
refuses_a_wrong_pin_and_the_last_try(void **state)
{
	struct keystore *none = NULL;
	unsigned before;

	(void)state;
	assert_int_equal(open_as(&gcm, &gcm.token, "wrong-pin", &none),
	    FAULT_SECRET);
	assert_null(strstr(why.text, "wrong-pin"));
	before = shim->logins;
	shim->flags = CKF_USER_PIN_FINAL_TRY;
	assert_int_equal(open_as(&gcm, &gcm.token, SOFTTOKEN_PIN, &none),
	    FAULT_SECRET);
	shim->flags = CKF_USER_PIN_LOCKED;
	assert_int_equal(open_as(&gcm, &gcm.token, SOFTTOKEN_PIN, &none),
	    FAULT_SECRET);
	shim->flags = 0;
	assert_int_equal(shim->logins, before);
}

static void
refuses_a_key_that_may_leave(void **state)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE;
	CK_ULONG len = KEY_LEN;
	char label[] = "loose";
	CK_ATTRIBUTE a[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &yes, sizeof(yes) },
		{ CKA_LABEL, label, 5 }, { CKA_VALUE_LEN, &len, sizeof(len) } };
	CK_MECHANISM m = { CKM_AES_KEY_GEN, NULL, 0 };
	struct keystore_token t = gcm.token;
	struct keystore *none = NULL;
	CK_OBJECT_HANDLE key;
	struct pkcs11 p;

	(void)state;
	assert_int_equal(pkcs11_open(&p, &t, text(SOFTTOKEN_PIN), true, &why),
	    0);
	assert_int_equal(p.fn->C_GenerateKey(p.session, &m, a, 6, &key),
	    CKR_OK);
	pkcs11_close(&p);
	t.key = label;
	assert_int_equal(open_as(&gcm, &t, SOFTTOKEN_PIN, &none),
	    FAULT_CONFIG);
	assert_non_null(strstr(why.text, "may leave"));
}

static void
a_token_that_comes_back_is_used(const struct made *m, CK_RV code)
{
	struct keystore *ks defer(keystore_closep) = open_made(m);
	struct space_key in = { { 3 } }, out;
	uint8_t a[WRAP_LEN], b[WRAP_LEN];

	assert_int_equal(ks->wrap(ks, text("aad"), &in, a), 0);
	shim->fail = code;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ks->unwrap(ks, text("aad"), a, &out),
		    FAULT_AUTHORITY);
		assert_int_equal(ks->wrap(ks, text("aad"), &in, b),
		    FAULT_AUTHORITY);
	}
	assert_non_null(keystore_trouble(ks));
	assert_non_null(strstr(keystore_trouble(ks), SOFTTOKEN_LABEL));
	shim->fail = CKR_OK;
	wait_ms(600);
	assert_int_equal(ks->unwrap(ks, text("aad"), a, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_null(keystore_trouble(ks));
}

static void
gone_is_said_and_back_is_used(void **state)
{
	static const CK_RV codes[] = { CKR_DEVICE_REMOVED,
		CKR_TOKEN_NOT_PRESENT, CKR_SESSION_HANDLE_INVALID,
		CKR_GENERAL_ERROR };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		a_token_that_comes_back_is_used(&gcm, codes[i]);
		a_token_that_comes_back_is_used(&kwp, codes[i]);
	}
}

/* A new session, in the same call, where the token is there all the time. */
static void
a_lost_session_is_not_noticed(void **state)
{
	struct keystore *ks defer(keystore_closep) = open_made(&gcm);
	struct space_key in = { { 3 } };
	CK_FUNCTION_LIST *fn;
	uint8_t a[WRAP_LEN];

	(void)state;
	assert_int_equal(pkcs11_load(P11_SHIM, &fn, &why), 0);
	assert_int_equal(fn->C_Finalize(NULL), CKR_OK);
	assert_int_equal(ks->wrap(ks, text("aad"), &in, a), 0);
	assert_null(keystore_trouble(ks));
}

static void
a_pin_that_was_refused_is_not_tried_again(void **state)
{
	struct keystore *ks defer(keystore_closep) = open_made(&gcm);
	struct space_key in = { { 3 } };
	uint8_t a[WRAP_LEN];
	CK_FUNCTION_LIST *fn;
	unsigned before = shim->logins;

	(void)state;
	assert_int_equal(pkcs11_load(P11_SHIM, &fn, &why), 0);
	assert_int_equal(fn->C_Finalize(NULL), CKR_OK);
	shim->refuse = CKR_PIN_INCORRECT;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ks->wrap(ks, text("aad"), &in, a),
		    FAULT_AUTHORITY);
		wait_ms(510);
	}
	shim->refuse = CKR_OK;
	assert_int_equal(shim->logins, before + 1);
}

static void
the_token_may_make_the_nonce(void **state)
{
	struct made m = gcm;
	struct keystore *ks defer(keystore_closep) = NULL;
	struct space_key in = { { 3 } }, out;
	uint8_t a[WRAP_LEN], b[WRAP_LEN];

	(void)state;
	m.token.token_iv = true;
	/* SoftHSM does not: it would take twelve zero bytes each time. */
	assert_int_equal(open_as(&m, &m.token, SOFTTOKEN_PIN, &ks),
	    FAULT_CONFIG);
	shim->makes_iv = true;
	assert_int_equal(open_as(&m, &m.token, SOFTTOKEN_PIN, &ks), 0);
	assert_int_equal(ks->wrap(ks, text("aad"), &in, a), 0);
	assert_int_equal(ks->wrap(ks, text("aad"), &in, b), 0);
	shim->makes_iv = false;
	assert_memory_not_equal(a, b, 12);
	assert_int_equal(ks->unwrap(ks, text("aad"), a, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void
a_keyfiles_root_key_goes_on_in_the_token(void **state)
{
	struct keystore_root *root defer(secret_freep) =
	    secret_new(sizeof(*root));
	struct keystore *ks defer(keystore_closep) = NULL;
	struct keystore_public pub, told;
	struct made m = gcm;
	uint8_t file[KEYSTORE_FILE_LEN], a[WRAP_LEN];
	const struct keystore_config c = { .kind = "file",
		.keyfile = bytes_of(file, sizeof(file)),
		.passphrase = text("p") };
	struct space_key in = { { 4 } }, out;

	(void)state;
	m.token.key = "moved";
	assert_int_equal(keystore_file_make(text("p"), &cheap, file, &pub), 0);
	assert_int_equal(keystore_file_root(&c, root, &why), 0);
	assert_int_equal(wrap_seal(&root->wrap, text("aad"), &in, a), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(keystore_pkcs11_adopt(&m.token,
		    text(SOFTTOKEN_PIN), root, m.file, &why), 0);
	for (size_t i = 0; i + 8 <= sizeof(m.file); i++)
		assert_memory_not_equal(m.file + i, root->wrap.b, 8);
	assert_int_equal(keystore_read_public(bytes_of(m.file,
	    sizeof(m.file)), &told), 0);
	assert_memory_equal(&told, &pub, sizeof(pub));
	assert_int_equal(open_as(&m, &m.token, SOFTTOKEN_PIN, &ks), 0);
	assert_int_equal(ks->unwrap(ks, text("aad"), a, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	/* Over another key, or into the mechanism that cannot open it: no. */
	m.token.key = "gcm";
	assert_int_equal(keystore_pkcs11_adopt(&m.token, text(SOFTTOKEN_PIN),
	    root, m.file, &why), FAULT_EXISTS);
	m.token.key_wrap = true;
	assert_int_equal(keystore_pkcs11_adopt(&m.token, text(SOFTTOKEN_PIN),
	    root, m.file, &why), FAULT_USAGE);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(gcm_wraps_for_one_aad),
		cmocka_unit_test(key_wrap_wraps_for_one_aad),
		cmocka_unit_test(logs_in_once),
		cmocka_unit_test(mechanisms_do_not_mix),
		cmocka_unit_test(opens_what_is_sealed_to_it),
		cmocka_unit_test(refuses_every_changed_byte),
		cmocka_unit_test(finds_the_token_and_the_key),
		cmocka_unit_test(refuses_a_wrong_pin_and_the_last_try),
		cmocka_unit_test(refuses_a_key_that_may_leave),
		cmocka_unit_test(gone_is_said_and_back_is_used),
		cmocka_unit_test(a_lost_session_is_not_noticed),
		cmocka_unit_test(a_pin_that_was_refused_is_not_tried_again),
		cmocka_unit_test(the_token_may_make_the_nonce),
		cmocka_unit_test(a_keyfiles_root_key_goes_on_in_the_token),
	};
	char dir[64];
	void *so;
	int rc;

	if (!softtoken_make(dir)) {
		(void)printf("1..0 # SKIP no SoftHSM\n");
		return 0;
	}
	so = dlopen(P11_SHIM, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	shim = so != NULL ? dlsym(so, "p11_shim") : NULL;
	if (secret_init() != 0 || shim == NULL ||
	    keystore_pkcs11_make(&gcm.token, text(SOFTTOKEN_PIN), gcm.file,
	        &gcm.pub, &why) != 0 ||
	    keystore_pkcs11_make(&kwp.token, text(SOFTTOKEN_PIN), kwp.file,
	        &kwp.pub, &why) != 0 ||
	    keystore_pkcs11_make(&gcm.token, text(SOFTTOKEN_PIN), gcm.file,
	        &gcm.pub, &why) != FAULT_EXISTS) {
		(void)fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	rc = cmocka_run_group_tests(t, NULL, NULL);
	softtoken_remove(dir);
	return rc;
}
