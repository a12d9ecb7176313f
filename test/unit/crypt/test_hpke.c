// SPDX-License-Identifier: Apache-2.0
/* Vector: test-vectors.json of cfrg/draft-irtf-cfrg-hpke at 5f503c56, mode 0,
 * kem 32, kdf 1, aead 2, first encryption; RFC 9180 names that file. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/hpke.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "test/lib/hex.h"

static const char *const skRm =
    "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d";
static const char *const pkRm =
    "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c";
static const char *const sealed =
    "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256"
    "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de1"
    "25a925cdad859d5b7a";
#define INFO bytes_of("Ode on a Grecian Urn", 20)
#define AAD bytes_of("Count-0", 7)
#define TEXT "Beauty is truth, truth beauty"
#define TEXT_LEN 29

static void
opens_the_published_message(void **state)
{
	struct box_key key;
	struct box_pub pub;
	uint8_t *in, out[TEXT_LEN];
	size_t n;

	(void)state;
	hex_to(skRm, key.b, sizeof(key.b));
	sign_box_public(&key, &pub);
	hex_equal(pub.b, sizeof(pub.b), pkRm);
	in = hex_new(sealed, &n);
	assert_int_equal(n, TEXT_LEN + HPKE_OVERHEAD);
	assert_int_equal(hpke_open(&key, INFO, AAD, bytes_of(in, n), out), 0);
	assert_memory_equal(out, TEXT, TEXT_LEN);
	free(in);
}

static void
opens_what_it_sealed(void **state)
{
	struct box_key key;
	struct box_pub pub;
	uint8_t a[TEXT_LEN + HPKE_OVERHEAD], b[TEXT_LEN + HPKE_OVERHEAD];
	uint8_t out[TEXT_LEN];

	(void)state;
	sign_box_new(&key, &pub);
	assert_int_equal(
	    hpke_seal(&pub, INFO, AAD, bytes_of(TEXT, TEXT_LEN), a), 0);
	assert_int_equal(
	    hpke_seal(&pub, INFO, AAD, bytes_of(TEXT, TEXT_LEN), b), 0);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(
	    hpke_open(&key, INFO, AAD, bytes_of(a, sizeof(a)), out), 0);
	assert_memory_equal(out, TEXT, TEXT_LEN);
	assert_int_equal(hpke_seal(&pub, bytes_of(NULL, 0), bytes_of(NULL, 0),
			     bytes_of(NULL, 0), a),
	    0);
	assert_int_equal(hpke_open(&key, bytes_of(NULL, 0), bytes_of(NULL, 0),
			     bytes_of(a, HPKE_OVERHEAD), out),
	    0);
}

static void
refuses_every_flipped_bit(void **state)
{
	const uint8_t zero[TEXT_LEN] = { 0 };
	struct box_key key;
	uint8_t *in, out[TEXT_LEN];
	size_t n;

	(void)state;
	hex_to(skRm, key.b, sizeof(key.b));
	in = hex_new(sealed, &n);
	for (size_t i = 0; i < 8 * n; i++) {
		in[i / 8] ^= (uint8_t)(1 << i % 8);
		memset(out, 9, sizeof(out));
		assert_int_equal(
		    hpke_open(&key, INFO, AAD, bytes_of(in, n), out),
		    FAULT_TAMPERED);
		assert_memory_equal(out, zero, sizeof(out));
		in[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(hpke_open(&key, AAD, AAD, bytes_of(in, n), out),
	    FAULT_TAMPERED);
	assert_int_equal(hpke_open(&key, INFO, INFO, bytes_of(in, n), out),
	    FAULT_TAMPERED);
	assert_int_equal(hpke_open(&key, INFO, AAD, bytes_of(in, 47), out),
	    FAULT_MALFORMED);
	key.b[5] ^= 1;
	assert_int_equal(hpke_open(&key, INFO, AAD, bytes_of(in, n), out),
	    FAULT_TAMPERED);
	free(in);
}

static void
refuses_a_point_of_low_order(void **state)
{
	const struct box_pub low[] = { { { 0 } }, { { 1 } } };
	uint8_t out[HPKE_OVERHEAD], in[HPKE_OVERHEAD] = { 0 };
	const struct box_key key = { { 9 } };
	const struct bytes none = bytes_of(NULL, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(low); i++) {
		assert_int_equal(hpke_seal(&low[i], none, none, none, out),
		    FAULT_MALFORMED);
		memcpy(in, low[i].b, 32);
		assert_int_equal(hpke_open(&key, none, none,
				     bytes_of(in, sizeof(in)), out),
		    FAULT_MALFORMED);
	}
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
		cmocka_unit_test(opens_the_published_message),
		cmocka_unit_test(opens_what_it_sealed),
		cmocka_unit_test(refuses_every_flipped_bit),
		cmocka_unit_test(refuses_a_point_of_low_order),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
