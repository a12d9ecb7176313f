// SPDX-License-Identifier: Apache-2.0
/* All of it by libsodium: spec/10-names.md. */
#include "crypt/kdf.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "base/fault.h"
#include "crypt/secret.h"

/* A key of any length: RFC 2104 hashes those of more than a block. */
static void
hmac(struct bytes key, const struct bytes *part, size_t n,
    uint8_t out[static 32])
{
	crypto_auth_hmacsha256_state st;

	(void)crypto_auth_hmacsha256_init(&st, key.p, key.n);
	for (size_t i = 0; i < n; i++)
		(void)crypto_auth_hmacsha256_update(&st, part[i].p, part[i].n);
	(void)crypto_auth_hmacsha256_final(&st, out);
	secret_wipe(&st, sizeof(st));
}

int
kdf_extract(struct bytes ikm, struct bytes salt, uint8_t out[static 32])
{
	hmac(salt, &ikm, 1, out);
	return 0;
}

int
kdf_expand(const uint8_t prk[static 32], struct bytes info, uint8_t *out,
    size_t out_len)
{
	uint8_t t[32], count = 0;

	if (out_len > sizeof(t) * UINT8_MAX)
		return FAULT_INTERNAL;
	while (out_len > 0) {
		size_t n = out_len < sizeof(t) ? out_len : sizeof(t);
		const struct bytes part[] = {
			bytes_of(t, count == 0 ? 0 : sizeof(t)), info,
			bytes_of(&count, 1) };

		count++;
		hmac(bytes_of(prk, 32), part, ARRAY_LEN(part), t);
		memcpy(out, t, n);
		out += n;
		out_len -= n;
	}
	secret_wipe(t, sizeof(t));
	return 0;
}

int
kdf_hkdf(struct bytes ikm, struct bytes salt, const char *label, uint8_t *out,
    size_t out_len)
{
	uint8_t prk[32];
	int rc = kdf_extract(ikm, salt, prk);

	if (rc == 0)
		rc = kdf_expand(prk, bytes_of(label, strlen(label)), out,
		    out_len);
	secret_wipe(prk, sizeof(prk));
	return rc;
}

void
kdf_prf(const uint8_t key[static 32], const struct bytes *part, size_t n,
    uint8_t out[static 32])
{
	crypto_generichash_state st;

	(void)crypto_generichash_init(&st, key, 32, 32);
	for (size_t i = 0; i < n; i++)
		(void)crypto_generichash_update(&st, part[i].p, part[i].n);
	(void)crypto_generichash_final(&st, out, 32);
	secret_wipe(&st, sizeof(st));
}

int
kdf_passphrase(struct bytes pass, const uint8_t salt[static 16], uint64_t ops,
    uint64_t mem, uint8_t out[static 32])
{
	uint8_t key[32];

	static_assert(crypto_pwhash_SALTBYTES == 16, "salt of Argon2id");
	if (ops < crypto_pwhash_OPSLIMIT_MIN ||
	    ops > crypto_pwhash_OPSLIMIT_MAX)
		return FAULT_LIMIT;
	if (mem < crypto_pwhash_MEMLIMIT_MIN ||
	    mem > crypto_pwhash_MEMLIMIT_MAX)
		return FAULT_LIMIT;
	if (crypto_pwhash(key, sizeof(key), (const char *)pass.p, pass.n, salt,
		ops, mem, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return FAULT_MEMORY;
	memcpy(out, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	return 0;
}
