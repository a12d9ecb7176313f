// SPDX-License-Identifier: Apache-2.0
#include "crypt/hash.h"

#include <assert.h>
#include <endian.h>
#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL's, which uses the processor's SHA instructions. */
struct hash {
	EVP_MD_CTX *ctx;
};

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

uint32_t
hash_crc32c(uint32_t crc, const void *p, size_t n)
{
	const size_t most = 1u << 30; /* the library counts in an int */
	uintptr_t at = (uintptr_t)p;

	crc = ~crc;
	while (n != 0) {
		size_t k = n < most ? n : most;

		/* It only reads, though its prototype does not say so. */
		crc = crc32_iscsi((unsigned char *)at, (int)k, crc);
		at += k;
		n -= k;
	}
	return ~crc;
}

uint64_t
hash_crc64(uint64_t crc, const void *p, size_t n)
{
	return crc64_ecma_refl(crc, p, n);
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

struct hash *
hash_new(void)
{
	struct hash *h defer(hash_freep) = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL ||
	    EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
		return NULL;
	return take(h);
}

void
hash_update(struct hash *h, const void *p, size_t n)
{
	int ok = EVP_DigestUpdate(h->ctx, p, n);

	assert(ok == 1);
}

void
hash_final(struct hash *h, uint8_t out[static 32])
{
	int ok = EVP_DigestFinal_ex(h->ctx, out, NULL);

	assert(ok == 1);
}

void
hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void
hash_freep(struct hash **h)
{
	hash_free(*h);
}
