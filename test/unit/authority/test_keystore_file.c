// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "authority/keystore_file.h"
#include "base/fault.h"
#include "crypt/hpke.h"
#include "crypt/secret.h"

static const struct keystore_file_cost cheap = { 1, 8192 };
static uint8_t file[KEYSTORE_FILE_LEN];
static struct keystore_public pub;
static struct fault why;

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static int
open_bytes(const uint8_t *p, size_t n, const char *pass,
    struct keystore **out)
{
	const struct keystore_config c = { .kind = "file",
		.keyfile = bytes_of(p, n), .passphrase = text(pass) };

	return keystore_open(&c, out, &why);
}

static void
opens_with_the_passphrase_only(void **state)
{
	struct keystore *ks defer(keystore_closep) = NULL;
	struct keystore *none = NULL;

	(void)state;
	assert_int_equal(open_bytes(file, sizeof(file), "wrong", &none),
	    FAULT_SECRET);
	assert_int_equal(open_bytes(file, sizeof(file), "", &none),
	    FAULT_SECRET);
	assert_null(none);
	assert_int_equal(open_bytes(file, sizeof(file), "right", &ks), 0);
}

static void
refuses_every_changed_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(file); i++) {
		uint8_t *bad = cm_exact(file, sizeof(file));
		struct keystore *none = NULL;

		/* The highest bits of the cost would only take long. */
		bad[i] ^= i >= 4 && i < 20 ? 0x80 : 1;
		assert_int_not_equal(open_bytes(bad, sizeof(file), "right",
		    &none), 0);
		assert_null(none);
		free(bad);
	}
}

static void
tells_damage_from_a_wrong_passphrase(void **state)
{
	uint8_t bad[KEYSTORE_FILE_LEN];
	struct keystore *none = NULL;

	(void)state;
	memcpy(bad, file, sizeof(file));
	bad[KEYSTORE_FILE_LEN - 1] ^= 1;
	assert_int_equal(open_bytes(bad, sizeof(bad), "right", &none),
	    FAULT_TAMPERED);
	memcpy(bad, file, sizeof(file));
	bad[0] = 2;
	assert_int_equal(open_bytes(bad, sizeof(bad), "right", &none),
	    FAULT_VERSION);
}

static void
refuses_other_lengths(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(file); n++) {
		uint8_t *cut = cm_exact(file, n);
		struct keystore *none = NULL;

		assert_int_equal(open_bytes(cut, n, "right", &none),
		    FAULT_MALFORMED);
		free(cut);
	}
}

static void
refuses_another_kind(void **state)
{
	const struct keystore_config c = { .kind = "stone" };
	struct keystore *none = NULL;

	(void)state;
	assert_int_equal(keystore_open(&c, &none, &why), FAULT_CONFIG);
}

static void
wraps_for_one_aad(void **state)
{
	struct keystore *ks defer(keystore_closep) = NULL;
	struct space_key in, out = { 0 };
	uint8_t wrapped[WRAP_LEN];

	(void)state;
	memset(in.b, 7, sizeof(in.b));
	assert_int_equal(open_bytes(file, sizeof(file), "right", &ks), 0);
	assert_int_equal(ks->wrap(ks, text("aad"), &in, wrapped), 0);
	assert_int_equal(ks->unwrap(ks, text("other"), wrapped, &out),
	    FAULT_SECRET);
	assert_int_equal(ks->unwrap(ks, text("aad"), wrapped, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void
opens_what_is_sealed_to_it(void **state)
{
	struct keystore *ks defer(keystore_closep) = NULL;
	struct keystore_public told;
	struct space_key in, out;
	uint8_t sealed[KEYSTORE_SEALED_LEN];

	(void)state;
	memset(in.b, 9, sizeof(in.b));
	assert_int_equal(keystore_file_public(bytes_of(file, sizeof(file)),
	    &told), 0);
	assert_memory_equal(&told, &pub, sizeof(pub));
	assert_int_equal(hpke_seal(&told.intake, text("i"), text("a"),
	    bytes_of(in.b, sizeof(in.b)), sealed), 0);
	assert_int_equal(open_bytes(file, sizeof(file), "right", &ks), 0);
	assert_int_equal(ks->intake(ks, text("i"), text("b"), sealed, &out),
	    FAULT_TAMPERED);
	assert_int_equal(ks->intake(ks, text("i"), text("a"), sealed, &out),
	    0);
	assert_memory_equal(&in, &out, sizeof(in));
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(opens_with_the_passphrase_only),
		cmocka_unit_test(refuses_every_changed_byte),
		cmocka_unit_test(tells_damage_from_a_wrong_passphrase),
		cmocka_unit_test(refuses_other_lengths),
		cmocka_unit_test(refuses_another_kind),
		cmocka_unit_test(wraps_for_one_aad),
		cmocka_unit_test(opens_what_is_sealed_to_it),
	};

	if (secret_init() != 0 ||
	    keystore_file_make(text("right"), &cheap, file, &pub) != 0)
		return 1;
	return cmocka_run_group_tests(t, NULL, NULL);
}
