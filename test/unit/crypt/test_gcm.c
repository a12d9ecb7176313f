// SPDX-License-Identifier: Apache-2.0
/* Vectors: McGrew and Viega, "The Galois/Counter Mode of Operation", which NIST
 * SP 800-38D refers to; cases 13 to 16 are those of AES-256 with a nonce of 96
 * bits. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/gcm.h"
#include "crypt/secret.h"
#include "test/lib/hex.h"

#define K16 "feffe9928665731c6d6a8f9467308308"
#define P60                                                                    \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"     \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define C60                                                                    \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"     \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

static const struct {
	const char *key, *nonce, *aad, *in, *out;
} vector[] = {
	{ "0000000000000000000000000000000000000000000000000000000000000000",
	    "000000000000000000000000", "", "",
	    "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "0000000000000000000000000000000000000000000000000000000000000000",
	    "000000000000000000000000", "", "00000000000000000000000000000000",
	    "cea7403d4d606b6e074ec5d3baf39d18"
	    "d0d1c8a799996bf0265b98b5d48ab919" },
	{ K16 K16, "cafebabefacedbaddecaf888", "", P60 "1aafd255",
	    C60 "898015ad"
		"b094dac5d93471bdec1a502270e3cc6c" },
	{ K16 K16, "cafebabefacedbaddecaf888",
	    "feedfacedeadbeeffeedfacedeadbeefabaddad2", P60,
	    C60 "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void
gives_the_published_sealings(void **state)
{
	struct gcm *g defer(gcm_freep) = gcm_new();

	(void)state;
	assert_non_null(g);
	for (size_t i = 0; i < ARRAY_LEN(vector); i++) {
		uint8_t key[GCM_KEY_LEN], nonce[GCM_NONCE_LEN], out[80];
		uint8_t *aad, *in, back[80];
		size_t an, n;

		hex_to(vector[i].key, key, sizeof(key));
		hex_to(vector[i].nonce, nonce, sizeof(nonce));
		aad = hex_new(vector[i].aad, &an);
		in = hex_new(vector[i].in, &n);
		assert_int_equal(gcm_seal(g, key, nonce, bytes_of(aad, an),
				     bytes_of(in, n), out),
		    0);
		hex_equal(out, n + GCM_TAG_LEN, vector[i].out);
		assert_int_equal(gcm_open(g, key, nonce, bytes_of(aad, an),
				     bytes_of(out, n + GCM_TAG_LEN), back),
		    0);
		assert_memory_equal(back, in, n);
		free(aad);
		free(in);
	}
}

static void
refuses_what_is_altered_and_zeroes_the_output(void **state)
{
	const uint8_t key[GCM_KEY_LEN] = { 1 }, zero[5] = { 0 };
	uint8_t nonce[GCM_NONCE_LEN] = { 2 }, ct[5 + GCM_TAG_LEN], out[5];
	struct gcm *g defer(gcm_freep) = gcm_new();
	const struct bytes aad = bytes_of("aad", 3);

	(void)state;
	assert_int_equal(
	    gcm_seal(g, key, nonce, aad, bytes_of("hello", 5), ct), 0);
	for (size_t i = 0; i < sizeof(ct); i++) {
		ct[i] ^= 1;
		memset(out, 9, sizeof(out));
		assert_int_equal(gcm_open(g, key, nonce, aad,
				     bytes_of(ct, sizeof(ct)), out),
		    FAULT_TAMPERED);
		assert_memory_equal(out, zero, sizeof(out));
		ct[i] ^= 1;
	}
	nonce[11] ^= 1;
	assert_int_equal(
	    gcm_open(g, key, nonce, aad, bytes_of(ct, sizeof(ct)), out),
	    FAULT_TAMPERED);
	assert_int_equal(gcm_open(g, key, nonce, aad, bytes_of(ct, 15), out),
	    FAULT_MALFORMED);
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
		cmocka_unit_test(gives_the_published_sealings),
		cmocka_unit_test(refuses_what_is_altered_and_zeroes_the_output),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
