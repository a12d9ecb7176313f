// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "test/lib/hex.h"

static void
count_up(uint8_t *p, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(first + i);
}

/* RFC 5869, A.1. */
static void
hkdf_gives_the_first_vector(void **state)
{
	uint8_t ikm[22], salt[13], prk[32], okm[42];
	char info[11] = { 0 };

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	count_up(salt, sizeof(salt), 0);
	count_up((uint8_t *)info, 10, 0xf0);
	assert_int_equal(
	    kdf_extract(bytes_of(ikm, sizeof(ikm)),
		bytes_of(salt, sizeof(salt)), prk),
	    0);
	hex_equal(prk, sizeof(prk),
	    "077709362c2e32df0ddc3f0dc47bba63"
	    "90b6c73bb50f9c3122ec844ad7c2b3e5");
	assert_int_equal(kdf_hkdf(bytes_of(ikm, sizeof(ikm)),
			     bytes_of(salt, sizeof(salt)), info, okm,
			     sizeof(okm)),
	    0);
	hex_equal(okm, sizeof(okm),
	    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	    "34007208d5b887185865");
}

/* RFC 5869, A.2. */
static void
hkdf_gives_the_long_vector(void **state)
{
	uint8_t ikm[80], salt[80], okm[82];
	char info[81] = { 0 };

	(void)state;
	count_up(ikm, sizeof(ikm), 0);
	count_up(salt, sizeof(salt), 0x60);
	count_up((uint8_t *)info, 80, 0xb0);
	assert_int_equal(kdf_hkdf(bytes_of(ikm, sizeof(ikm)),
			     bytes_of(salt, sizeof(salt)), info, okm,
			     sizeof(okm)),
	    0);
	hex_equal(okm, sizeof(okm),
	    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	    "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	    "cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

/* RFC 5869, A.3. */
static void
hkdf_takes_an_empty_salt_and_label(void **state)
{
	uint8_t ikm[22], okm[42];

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	assert_int_equal(kdf_hkdf(bytes_of(ikm, sizeof(ikm)),
			     bytes_of(NULL, 0), "", okm, sizeof(okm)),
	    0);
	hex_equal(okm, sizeof(okm),
	    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	    "9d201395faa4b61a96c8");
}

static void
hkdf_gives_many_blocks_but_not_256(void **state)
{
	static uint8_t okm[255 * 32 + 1];
	uint8_t short_okm[16];
	const struct bytes ikm = bytes_of("0123456789abcdef", 16);

	(void)state;
	assert_int_equal(
	    kdf_hkdf(ikm, bytes_of(NULL, 0), "skerry/1 chunker", okm, 8000),
	    0);
	assert_int_equal(
	    kdf_hkdf(ikm, bytes_of(NULL, 0), "skerry/1 chunker", short_okm, 16),
	    0);
	assert_memory_equal(okm, short_okm, 16);
	assert_int_equal(
	    kdf_hkdf(ikm, bytes_of(NULL, 0), "x", okm, sizeof(okm)),
	    FAULT_INTERNAL);
}

/* Values from the reference implementation of BLAKE2, as Python has it. */
static void
prf_is_keyed_blake2b_of_the_parts_joined(void **state)
{
	const struct bytes one[] = { bytes_of("idabc", 5) };
	const struct bytes three[] = { bytes_of("id", 2), bytes_of(NULL, 0),
		bytes_of("abc", 3) };
	uint8_t key[32], out[32];
	const char *want = "1ce99052618100756bc43c108dc90162"
			   "2481f306ac187d5b1b1dde10df8528d6";

	(void)state;
	count_up(key, sizeof(key), 0);
	kdf_prf(key, one, 1, out);
	hex_equal(out, sizeof(out), want);
	kdf_prf(key, three, 3, out);
	hex_equal(out, sizeof(out), want);
	kdf_prf(key, NULL, 0, out);
	hex_equal(out, sizeof(out),
	    "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d");
}

/* Value from argon2(1): -id -t 3 -k 64 -p 1 -l 32. */
static void
passphrase_is_argon2id(void **state)
{
	const uint8_t *salt = (const uint8_t *)"0123456789abcdef";
	const struct bytes pass = bytes_of("correct horse", 13);
	uint8_t out[32];

	(void)state;
	assert_int_equal(kdf_passphrase(pass, salt, 3, 65536, out), 0);
	hex_equal(out, sizeof(out),
	    "5de797640c71ce5e1dbe17ed17ba7d249adbc20db030460e84bd4c325101844e");
	assert_int_equal(kdf_passphrase(pass, salt, 0, 65536, out),
	    FAULT_LIMIT);
	assert_int_equal(kdf_passphrase(pass, salt, 3, 8191, out), FAULT_LIMIT);
	assert_int_equal(kdf_passphrase(pass, salt, 3, UINT64_MAX, out),
	    FAULT_LIMIT);
	assert_int_equal(
	    kdf_passphrase(bytes_of(NULL, 0), salt, 1, 8192, out), 0);
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
		cmocka_unit_test(hkdf_gives_the_first_vector),
		cmocka_unit_test(hkdf_gives_the_long_vector),
		cmocka_unit_test(hkdf_takes_an_empty_salt_and_label),
		cmocka_unit_test(hkdf_gives_many_blocks_but_not_256),
		cmocka_unit_test(prf_is_keyed_blake2b_of_the_parts_joined),
		cmocka_unit_test(passphrase_is_argon2id),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
