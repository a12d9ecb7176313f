// SPDX-License-Identifier: Apache-2.0
/* Ed25519 and X25519 by libsodium. */
#include "crypt/sign.h"

#include <sodium.h>

#include "base/fault.h"
#include "crypt/secret.h"

void
sign_new(struct sign_key *key, struct sign_pub *pub)
{
	secret_random(key->seed, sizeof(key->seed));
	sign_public(key, pub);
}

void
sign_public(const struct sign_key *key, struct sign_pub *pub)
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	(void)crypto_sign_seed_keypair(pub->b, sk, key->seed);
	secret_wipe(sk, sizeof(sk));
}

void
sign_make(const struct sign_key *key, struct bytes msg,
    uint8_t out[static SIGN_LEN])
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];
	struct sign_pub pub;

	(void)crypto_sign_seed_keypair(pub.b, sk, key->seed);
	(void)crypto_sign_detached(out, NULL, msg.p, msg.n, sk);
	secret_wipe(sk, sizeof(sk));
}

int
sign_check(const struct sign_pub *pub, struct bytes msg,
    const uint8_t sig[static SIGN_LEN])
{
	if (crypto_sign_verify_detached(sig, msg.p, msg.n, pub->b) != 0)
		return FAULT_TAMPERED;
	return 0;
}

void
sign_box_new(struct box_key *key, struct box_pub *pub)
{
	secret_random(key->b, sizeof(key->b));
	sign_box_public(key, pub);
}

void
sign_box_public(const struct box_key *key, struct box_pub *pub)
{
	(void)crypto_scalarmult_base(pub->b, key->b);
}
