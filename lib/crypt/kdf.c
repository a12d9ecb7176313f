// SPDX-License-Identifier: Apache-2.0
/* HKDF by OpenSSL, the PRF and Argon2id by libsodium: spec/10-names.md. */
#include "crypt/kdf.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sodium.h>

#include "base/fault.h"
#include "crypt/secret.h"

static EVP_KDF *hkdf;
static pthread_once_t hkdf_once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}

/* OpenSSL takes no NULL where nothing is meant, and never writes here. */
static OSSL_PARAM
octets(const char *name, struct bytes b)
{
	static uint8_t none;

	return OSSL_PARAM_construct_octet_string(name,
	    b.n == 0 ? &none : (uint8_t *)(uintptr_t)b.p, b.n);
}

static int
derive(const char *mode, struct bytes key, OSSL_PARAM extra, uint8_t *out,
    size_t out_len)
{
	OSSL_PARAM p[5];
	EVP_KDF_CTX *ctx;
	int ok;

	(void)pthread_once(&hkdf_once, fetch);
	ctx = EVP_KDF_CTX_new(hkdf);
	if (ctx == NULL)
		return FAULT_INTERNAL;
	p[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE,
	    (char *)(uintptr_t)mode, 0);
	p[1] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
	    (char *)(uintptr_t)"SHA2-256", 0);
	p[2] = octets(OSSL_KDF_PARAM_KEY, key);
	p[3] = extra;
	p[4] = OSSL_PARAM_construct_end();
	ok = EVP_KDF_derive(ctx, out, out_len, p);
	EVP_KDF_CTX_free(ctx);
	return ok == 1 ? 0 : FAULT_INTERNAL;
}

int
kdf_extract(struct bytes ikm, struct bytes salt, uint8_t out[static 32])
{
	return derive("EXTRACT_ONLY", ikm, octets(OSSL_KDF_PARAM_SALT, salt),
	    out, 32);
}

int
kdf_expand(const uint8_t prk[static 32], struct bytes info, uint8_t *out,
    size_t out_len)
{
	return derive("EXPAND_ONLY", bytes_of(prk, 32),
	    octets(OSSL_KDF_PARAM_INFO, info), out, out_len);
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
	const char *text = pass.n == 0 ? "" : (const char *)pass.p;
	uint8_t key[32];

	static_assert(crypto_pwhash_SALTBYTES == 16, "salt of Argon2id");
	if (ops < crypto_pwhash_OPSLIMIT_MIN ||
	    ops > crypto_pwhash_OPSLIMIT_MAX)
		return FAULT_LIMIT;
	if (mem < crypto_pwhash_MEMLIMIT_MIN ||
	    mem > crypto_pwhash_MEMLIMIT_MAX)
		return FAULT_LIMIT;
	if (crypto_pwhash(key, sizeof(key), text, pass.n, salt, ops,
		mem, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return FAULT_MEMORY;
	memcpy(out, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	return 0;
}
