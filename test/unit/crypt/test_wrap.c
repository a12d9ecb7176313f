// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/gcm.h"
#include "crypt/secret.h"
#include "crypt/wrap.h"

static const struct bytes aad = { (const uint8_t *)"skerry keyslot v1", 17 };

static void
opens_what_it_sealed(void **state)
{
	struct wrap_key key;
	struct space_key in, out;
	uint8_t a[WRAP_LEN], b[WRAP_LEN];

	(void)state;
	secret_random(&key, sizeof(key));
	secret_random(&in, sizeof(in));
	assert_int_equal(wrap_seal(&key, aad, &in, a), 0);
	assert_int_equal(wrap_seal(&key, aad, &in, b), 0);
	assert_memory_not_equal(a, b, 12);
	assert_int_equal(wrap_open(&key, aad, a, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(wrap_open(&key, aad, b, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void
is_nonce_ciphertext_tag(void **state)
{
	const struct wrap_key key = { { 3 } };
	const struct space_key in = { { 4 } };
	struct gcm *g defer(gcm_freep) = gcm_new();
	uint8_t slot[WRAP_LEN], out[32];

	(void)state;
	assert_non_null(g);
	assert_int_equal(wrap_seal(&key, aad, &in, slot), 0);
	assert_int_equal(
	    gcm_open(g, key.b, slot, aad, bytes_of(slot + 12, 48), out), 0);
	assert_memory_equal(out, in.b, sizeof(out));
}

static void
refuses_another_key_context_or_byte(void **state)
{
	struct wrap_key key = { { 3 } };
	const struct space_key in = { { 4 } }, none = { { 0 } };
	struct space_key out = none;
	uint8_t slot[WRAP_LEN];

	(void)state;
	assert_int_equal(wrap_seal(&key, aad, &in, slot), 0);
	for (size_t i = 0; i < sizeof(slot); i++) {
		slot[i] ^= 1;
		assert_int_equal(wrap_open(&key, aad, slot, &out),
		    FAULT_SECRET);
		slot[i] ^= 1;
	}
	assert_int_equal(
	    wrap_open(&key, bytes_of(aad.p, aad.n - 1), slot, &out),
	    FAULT_SECRET);
	key.b[31] ^= 1;
	assert_int_equal(wrap_open(&key, aad, slot, &out), FAULT_SECRET);
	assert_memory_equal(&out, &none, sizeof(out));
}

static int
start(void **state)
{
	(void)state;
	return secret_init();
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(opens_what_it_sealed),
		cmocka_unit_test(is_nonce_ciphertext_tag),
		cmocka_unit_test(refuses_another_key_context_or_byte),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
