// SPDX-License-Identifier: Apache-2.0
#include "crypt/hash.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

void
hash_sha256(const struct bytes *part, size_t n, uint8_t out[static 32])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	for (size_t i = 0; i < n; i++)
		crypto_hash_sha256_update(&st, part[i].p, part[i].n);
	crypto_hash_sha256_final(&st, out);
}

void
hash_hmac(const uint8_t key[static 32], const struct bytes *part, size_t n,
    uint8_t out[static 32])
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key, 32);
	for (size_t i = 0; i < n; i++)
		crypto_auth_hmacsha256_update(&st, part[i].p, part[i].n);
	crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof(st));
}

uint64_t
hash_sip(const uint8_t key[static HASH_SIP_KEY_LEN], struct bytes msg)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t v;

	crypto_shorthash(out, msg.p, msg.n, key);
	memcpy(&v, out, sizeof(v));
	return le64toh(v);
}
