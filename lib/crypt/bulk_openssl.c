// SPDX-License-Identifier: Apache-2.0
/* Bulk work by OpenSSL: the backend that every machine has. */
#include "crypt/bulk_backend.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/fault.h"
#include "crypt/gcm.h"

struct openssl {
	EVP_MD_CTX *md;  /* owned */
	struct gcm *gcm; /* owned */
};

static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
}

static void
openssl_free(void *ctx)
{
	struct openssl *o = ctx;

	if (o == NULL)
		return;
	EVP_MD_CTX_free(o->md);
	gcm_free(o->gcm);
	free(o);
}

static void *
openssl_new(void)
{
	struct openssl *o = calloc(1, sizeof(*o));

	(void)pthread_once(&sha256_once, fetch);
	if (o == NULL)
		return NULL;
	o->md = EVP_MD_CTX_new();
	o->gcm = gcm_new();
	if (sha256 != NULL && o->md != NULL && o->gcm != NULL)
		return o;
	openssl_free(o);
	return NULL;
}

static int
openssl_sha256(void *ctx, const struct bytes *msg, size_t n,
    uint8_t (*out)[BULK_HASH_LEN])
{
	struct openssl *o = ctx;

	for (size_t i = 0; i < n; i++)
		if (EVP_DigestInit_ex2(o->md, sha256, NULL) != 1 ||
		    EVP_DigestUpdate(o->md, msg[i].p, msg[i].n) != 1 ||
		    EVP_DigestFinal_ex(o->md, out[i], NULL) != 1)
			return FAULT_INTERNAL;
	return 0;
}

static int
openssl_seal(void *ctx, const struct seal_key *key,
    const uint8_t nonce[static BULK_NONCE_LEN], struct bytes aad,
    const struct bytes in[static 2], uint8_t *out)
{
	struct openssl *o = ctx;

	if (in[1].n == 0)
		return gcm_seal(o->gcm, key->b, nonce, aad, in[0], out);
	memcpy(out, in[0].p, in[0].n);
	memcpy(out + in[0].n, in[1].p, in[1].n);
	return gcm_seal(o->gcm, key->b, nonce, aad,
	    bytes_of(out, in[0].n + in[1].n), out);
}

static int
openssl_open(void *ctx, const struct seal_key *key,
    const uint8_t nonce[static BULK_NONCE_LEN], struct bytes aad,
    struct bytes in, uint8_t *out)
{
	struct openssl *o = ctx;

	return gcm_open(o->gcm, key->b, nonce, aad, in, out);
}

const struct bulk_ops bulk_openssl = {
	.name = "openssl",
	.new = openssl_new,
	.free = openssl_free,
	.sha256 = openssl_sha256,
	.seal = openssl_seal,
	.open = openssl_open,
};
