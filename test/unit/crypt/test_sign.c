// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "test/lib/hex.h"

/* RFC 8032, 7.1. */
static const struct {
	const char *seed, *pub, *msg, *sig;
} vector[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	    "",
	    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	    "5fb8821590a33bacc61e39701cf9b46b"
	    "d25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	    "72",
	    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	    "085ac1e43e15996e458f3613d0f11d8c"
	    "387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	    "af82",
	    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	    "18ff9b538d16f290ae67f760984dc659"
	    "4a7c15e9716ed28dc027beceea1ec40a" },
};

static void
gives_the_published_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vector); i++) {
		struct sign_key key;
		struct sign_pub pub;
		uint8_t sig[SIGN_LEN], *msg;
		size_t n;

		hex_to(vector[i].seed, key.seed, sizeof(key.seed));
		msg = hex_new(vector[i].msg, &n);
		sign_public(&key, &pub);
		hex_equal(pub.b, sizeof(pub.b), vector[i].pub);
		sign_make(&key, bytes_of(msg, n), sig);
		hex_equal(sig, sizeof(sig), vector[i].sig);
		assert_int_equal(sign_check(&pub, bytes_of(msg, n), sig), 0);
		free(msg);
	}
}

static void
refuses_every_altered_byte(void **state)
{
	uint8_t sig[SIGN_LEN], msg[] = "message";
	struct sign_key key;
	struct sign_pub pub;

	(void)state;
	sign_new(&key, &pub);
	sign_make(&key, bytes_of(msg, 7), sig);
	for (size_t i = 0; i < sizeof(sig); i++) {
		sig[i] ^= 0x40;
		assert_int_equal(sign_check(&pub, bytes_of(msg, 7), sig),
		    FAULT_TAMPERED);
		sig[i] ^= 0x40;
	}
	for (size_t i = 0; i < 7; i++) {
		msg[i] ^= 1;
		assert_int_equal(sign_check(&pub, bytes_of(msg, 7), sig),
		    FAULT_TAMPERED);
		msg[i] ^= 1;
	}
	assert_int_equal(sign_check(&pub, bytes_of(msg, 6), sig),
	    FAULT_TAMPERED);
	assert_int_equal(sign_check(&pub, bytes_of(msg, 7), sig), 0);
	sign_new(&key, &pub);
	assert_int_equal(sign_check(&pub, bytes_of(msg, 7), sig),
	    FAULT_TAMPERED);
}

/* A public key of all zeros would let one signature fit any message. */
static void
refuses_a_public_key_of_low_order(void **state)
{
	const uint8_t sig[SIGN_LEN] = { 1 };
	const struct sign_pub zero = { { 0 } }, one = { { 1 } };

	(void)state;
	assert_int_equal(sign_check(&zero, bytes_of("", 0), sig),
	    FAULT_TAMPERED);
	assert_int_equal(sign_check(&one, bytes_of("", 0), sig),
	    FAULT_TAMPERED);
}

/* RFC 7748, 6.1. */
static void
box_keys_are_x25519(void **state)
{
	struct box_key key, other;
	struct box_pub pub;

	(void)state;
	hex_to("77076d0a7318a57d3c16c17251b26645df4c2f87ebc099"
	       "2ab177fba51db92c2a",
	    key.b, sizeof(key.b));
	sign_box_public(&key, &pub);
	hex_equal(pub.b, sizeof(pub.b),
	    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	sign_box_new(&key, &pub);
	sign_box_new(&other, &pub);
	assert_memory_not_equal(key.b, other.b, sizeof(key.b));
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
		cmocka_unit_test(gives_the_published_signatures),
		cmocka_unit_test(refuses_every_altered_byte),
		cmocka_unit_test(refuses_a_public_key_of_low_order),
		cmocka_unit_test(box_keys_are_x25519),
	};

	return cmocka_run_group_tests(t, start, NULL);
}
