// SPDX-License-Identifier: Apache-2.0
/* Run once for each backend, which the argument names: openssl, ipsec-mb. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/bulk.h"
#include "crypt/gcm.h"
#include "crypt/secret.h"
#include "test/lib/fixedrandom.h"
#include "test/lib/hex.h"

#define COUNT_MAX 70

/* SHA-256 of n zero bytes; 0, 55, 56 and 64 are in NIST's additional examples,
 * the others from sha256sum of GNU coreutils. */
static const struct {
	size_t n;
	const char *hash;
} zeros[] = {
	{ 0,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855" },
	{ 1,
	    "6e340b9cffb37a989ca544e6bb780a2c"
	    "78901d3fb33738768511a30617afa01d" },
	{ 55,
	    "02779466cdec163811d078815c633f21"
	    "901413081449002f24aa3e80f0b88ef7" },
	{ 56,
	    "d4817aa5497628e7c77e6b606107042b"
	    "bba3130888c5f47a375e6179be789fbb" },
	{ 63,
	    "c7723fa1e0127975e49e62e753db5392"
	    "4c1bd84b8ac1ac08df78d09270f3d971" },
	{ 64,
	    "f5a5fd42d16a20302798ef6ed309979b"
	    "43003d2320d9f0e8ea9831a92759fb4b" },
	{ 65,
	    "98ce42deef51d40269d542f5314bef2c"
	    "7468d401ad5d85168bfab4c0108f75f7" },
	{ 32768,
	    "c35020473aed1b4642cd726cad727b63"
	    "fff2824ad68cedd7ffb73c7cbd890479" },
	{ 65534,
	    "51a25afc0d95ad0976962087b95073ff"
	    "571e494cf8c1ea80c963583804ac4a84" },
	{ 65535,
	    "9f797b60edaf440d5831da53c35f4d48"
	    "47a2f55adc64cfe887a7bcfcd9eca495" },
};

static enum bulk_kind kind;

static struct bulk *
backend(void)
{
	struct bulk *b = bulk_new(kind);

	assert_non_null(b);
	return b;
}

static void
hashes_known_messages(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	uint8_t out[3][BULK_HASH_LEN];
	const struct bytes msg[3] = {
		bytes_of("abc", 3),
		bytes_of(NULL, 0),
		bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklm"
			 "klmnlmnomnopnopq",
		    56),
	};

	(void)state;
	assert_int_equal(bulk_sha256(b, msg, 3, out), 0);
	hex_equal(out[0], BULK_HASH_LEN,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	hex_equal(out[1], BULK_HASH_LEN, zeros[0].hash);
	hex_equal(out[2], BULK_HASH_LEN,
	    "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1");
	assert_int_equal(bulk_sha256(b, NULL, 0, NULL), 0);
}

/* Each length alone, and as many copies as fill lanes wholly and in part. */
static void
hashes_every_edge_length_at_any_count(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	static const size_t counts[] = { 1, 2, 3, 4, 15, 16, 17, 20, 33 };
	uint8_t out[33][BULK_HASH_LEN];
	struct bytes msg[33];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zeros); i++) {
		uint8_t *m = calloc(1, zeros[i].n);

		for (size_t k = 0; k < ARRAY_LEN(msg); k++)
			msg[k] = bytes_of(m, zeros[i].n);
		for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
			memset(out, 0, sizeof(out));
			assert_int_equal(bulk_sha256(b, msg, counts[k], out),
			    0);
			for (size_t j = 0; j < counts[k]; j++)
				hex_equal(out[j], BULK_HASH_LEN,
				    zeros[i].hash);
		}
		free(m);
	}
}

static void
hashes_random_batches(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	uint8_t out[COUNT_MAX][BULK_HASH_LEN], want[BULK_HASH_LEN];
	struct bytes msg[COUNT_MAX];
	uint8_t *m[COUNT_MAX];

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		size_t n = randombytes_uniform(COUNT_MAX + 1);
		uint32_t top = round % 3 == 0 ? BULK_MSG_MAX + 1 : 200;

		for (size_t i = 0; i < n; i++) {
			size_t len = randombytes_uniform(top);

			m[i] = malloc(len == 0 ? 1 : len);
			secret_random(m[i], len);
			msg[i] = bytes_of(m[i], len);
		}
		assert_int_equal(bulk_sha256(b, msg, n, out), 0);
		for (size_t i = 0; i < n; i++) {
			crypto_hash_sha256(want, msg[i].p, msg[i].n);
			assert_memory_equal(out[i], want, sizeof(want));
			free(m[i]);
		}
	}
}

static void
refuses_a_message_too_long(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	uint8_t *m = calloc(1, BULK_MSG_MAX + 1);
	const struct bytes msg = bytes_of(m, BULK_MSG_MAX + 1);
	uint8_t out[1][BULK_HASH_LEN];

	(void)state;
	assert_int_equal(bulk_sha256(b, &msg, 1, out), FAULT_LIMIT);
	free(m);
}

/* Cases 13 and 14 of McGrew and Viega, whose nonce is this one's for 0. */
static void
seals_known_messages(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	const struct bytes none = bytes_of(NULL, 0);
	const struct seal_key key = { { 0 } };
	uint8_t zero[16] = { 0 }, out[32];

	(void)state;
	assert_int_equal(bulk_seal(b, &key, 0, none, none, out), 0);
	hex_equal(out, 16, "530f8afbc74536b9a963b4f1c4cb738b");
	assert_int_equal(bulk_open(b, &key, 0, none, bytes_of(out, 16), zero),
	    0);
	assert_int_equal(
	    bulk_seal(b, &key, 0, none, bytes_of(zero, 16), out), 0);
	hex_equal(out, 32,
	    "cea7403d4d606b6e074ec5d3baf39d18"
	    "d0d1c8a799996bf0265b98b5d48ab919");
}

static void
puts_the_counter_last_in_big_endian(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	struct gcm *g defer(gcm_freep) = gcm_new();
	const uint8_t nonce[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 };
	const struct seal_key key = { { 5 } };
	uint8_t out[21], back[5];

	(void)state;
	assert_non_null(g);
	assert_int_equal(bulk_seal(b, &key, 0x01020304, bytes_of("aad", 3),
			     bytes_of("hello", 5), out),
	    0);
	assert_int_equal(gcm_open(g, key.b, nonce, bytes_of("aad", 3),
			     bytes_of(out, sizeof(out)), back),
	    0);
	assert_memory_equal(back, "hello", 5);
}

static void
opens_in_place_what_it_sealed_in_place(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	const size_t len[] = { 0, 1, 15, 16, 17, 255, 256, 4097, 100000 };
	struct seal_key key;

	(void)state;
	secret_random(&key, sizeof(key));
	for (size_t i = 0; i < ARRAY_LEN(len); i++) {
		uint8_t *buf = malloc(len[i] + BULK_TAG_LEN);
		uint8_t *want = malloc(len[i] + 1);

		secret_random(want, len[i]);
		memcpy(buf, want, len[i]);
		assert_int_equal(bulk_seal(b, &key, 7, bytes_of("x", 1),
				     bytes_of(buf, len[i]), buf),
		    0);
		assert_int_equal(bulk_open(b, &key, 7, bytes_of("x", 1),
				     bytes_of(buf, len[i] + BULK_TAG_LEN), buf),
		    0);
		assert_memory_equal(buf, want, len[i]);
		free(buf);
		free(want);
	}
}

static void
refuses_every_flipped_bit_and_zeroes_the_output(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	uint8_t ct[21 + BULK_TAG_LEN], out[21], zero[21] = { 0 };
	const struct bytes all = bytes_of(ct, sizeof(ct));
	const struct seal_key key = { { 1, 2, 3 } };
	uint8_t aad[34] = { 1, 4 };
	const struct bytes a = bytes_of(aad, sizeof(aad));

	(void)state;
	assert_int_equal(bulk_seal(b, &key, 1, a, bytes_of(zero, 21), ct), 0);
	for (size_t i = 0; i < 8 * sizeof(ct); i++) {
		ct[i / 8] ^= (uint8_t)(1 << i % 8);
		memset(out, 9, sizeof(out));
		assert_int_equal(bulk_open(b, &key, 1, a, all, out),
		    FAULT_TAMPERED);
		assert_memory_equal(out, zero, sizeof(out));
		ct[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < sizeof(aad); i++) {
		aad[i] ^= 0x10;
		assert_int_equal(bulk_open(b, &key, 1, a, all, out),
		    FAULT_TAMPERED);
		aad[i] ^= 0x10;
	}
	assert_int_equal(bulk_open(b, &key, 2, a, all, out), FAULT_TAMPERED);
	assert_int_equal(bulk_open(b, &key, 1, a, bytes_of(ct, 36), out),
	    FAULT_TAMPERED);
	assert_int_equal(bulk_open(b, &key, 1, a, bytes_of(ct, 15), out),
	    FAULT_MALFORMED);
	assert_int_equal(bulk_open(b, &key, 1, a, all, out), 0);
}

/* In place, the ciphertext goes too. */
static void
leaves_nothing_in_place_after_a_refusal(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	uint8_t buf[5 + BULK_TAG_LEN] = "hello";
	const struct seal_key key = { { 1 } };
	const uint8_t zero[5] = { 0 };

	(void)state;
	assert_int_equal(bulk_seal(b, &key, 1, bytes_of(NULL, 0),
			     bytes_of(buf, 5), buf),
	    0);
	buf[20] ^= 1;
	assert_int_equal(bulk_open(b, &key, 1, bytes_of(NULL, 0),
			     bytes_of(buf, sizeof(buf)), buf),
	    FAULT_TAMPERED);
	assert_memory_equal(buf, zero, 5);
}

static void
both_backends_seal_alike(void **state)
{
	struct bulk *b defer(bulk_freep) = backend();
	struct bulk *o defer(bulk_freep) = bulk_new(BULK_OPENSSL);

	(void)state;
	assert_non_null(o);
	for (unsigned round = 0; round < 400; round++) {
		size_t n = randombytes_uniform(round % 4 == 0 ? 300000 : 600);
		size_t an = randombytes_uniform(70);
		uint32_t ctr = randombytes_random();
		uint8_t *in = malloc(n + 1), *aad = malloc(an + 1);
		uint8_t *x = malloc(n + BULK_TAG_LEN);
		uint8_t *y = malloc(n + BULK_TAG_LEN);
		struct seal_key key;

		secret_random(&key, sizeof(key));
		secret_random(in, n);
		secret_random(aad, an);
		assert_int_equal(bulk_seal(b, &key, ctr, bytes_of(aad, an),
				     bytes_of(in, n), x),
		    0);
		assert_int_equal(bulk_seal(o, &key, ctr, bytes_of(aad, an),
				     bytes_of(in, n), y),
		    0);
		assert_memory_equal(x, y, n + BULK_TAG_LEN);
		assert_int_equal(bulk_open(b, &key, ctr, bytes_of(aad, an),
				     bytes_of(y, n + BULK_TAG_LEN), x),
		    0);
		assert_memory_equal(x, in, n);
		if (n != 0) {
			assert_int_equal(bulk_seal_prefixed(b, &key,
					     bytes_of(aad, an), in[0],
					     bytes_of(in + 1, n - 1), x), 0);
			assert_int_equal(bulk_open(o, &key, 0,
					     bytes_of(aad, an),
					     bytes_of(x, n + BULK_TAG_LEN), y),
			    0);
			assert_memory_equal(y, in, n);
		}
		free(in);
		free(aad);
		free(x);
		free(y);
	}
}

static void
the_environment_decides_for_the_best(void **state)
{
	struct bulk *b;

	(void)state;
	assert_int_equal(setenv("SKERRY_BULK", "openssl", 1), 0);
	b = bulk_new(BULK_BEST);
	assert_non_null(b);
	assert_string_equal(bulk_name(b), "openssl");
	bulk_free(b);
	assert_int_equal(setenv("SKERRY_BULK", "abacus", 1), 0);
	assert_null(bulk_new(BULK_BEST));
	b = bulk_new(BULK_OPENSSL);
	assert_non_null(b);
	bulk_free(b);
	assert_int_equal(unsetenv("SKERRY_BULK"), 0);
	b = bulk_new(BULK_BEST);
	assert_non_null(b);
	bulk_free(b);
	bulk_free(NULL);
}

static int
start(void **state)
{
	(void)state;
	(void)unsetenv("SKERRY_BULK");
	return secret_init() != 0 ? -1 : fixedrandom_use();
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(hashes_known_messages),
		cmocka_unit_test(hashes_every_edge_length_at_any_count),
		cmocka_unit_test(hashes_random_batches),
		cmocka_unit_test(refuses_a_message_too_long),
		cmocka_unit_test(seals_known_messages),
		cmocka_unit_test(puts_the_counter_last_in_big_endian),
		cmocka_unit_test(opens_in_place_what_it_sealed_in_place),
		cmocka_unit_test(
		    refuses_every_flipped_bit_and_zeroes_the_output),
		cmocka_unit_test(leaves_nothing_in_place_after_a_refusal),
		cmocka_unit_test(both_backends_seal_alike),
		cmocka_unit_test(the_environment_decides_for_the_best),
	};
	struct bulk *b;

	kind = argc > 1 && strcmp(argv[1], "ipsec-mb") == 0 ? BULK_IPSEC_MB :
							      BULK_OPENSSL;
	b = bulk_new(kind);
	if (b == NULL && kind == BULK_IPSEC_MB) {
		print_message("1..0 # SKIP no ipsec-mb here\n");
		return 0;
	}
	bulk_free(b);
	return cmocka_run_group_tests(t, start, NULL);
}
