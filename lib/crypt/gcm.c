// SPDX-License-Identifier: Apache-2.0
/* AES-256-GCM by OpenSSL, and not by what records_ipsecmb.c adds to it; the
 * cipher is fetched once per process. */
#include "crypt/gcm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/fault.h"
#include "crypt/secret.h"

struct gcm {
	EVP_CIPHER_CTX *ctx; /* owned */
};

static EVP_CIPHER *cipher;
static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", "provider!=skerry");
}

struct gcm *
gcm_new(void)
{
	struct gcm *g defer(gcm_freep) = calloc(1, sizeof(*g));

	(void)pthread_once(&cipher_once, fetch);
	if (g == NULL || cipher == NULL)
		return NULL;
	g->ctx = EVP_CIPHER_CTX_new();
	if (g->ctx == NULL)
		return NULL;
	if (EVP_EncryptInit_ex2(g->ctx, cipher, NULL, NULL, NULL) != 1)
		return NULL;
	return take(g);
}

void
gcm_free(struct gcm *g)
{
	if (g == NULL)
		return;
	EVP_CIPHER_CTX_free(g->ctx);
	free(g);
}

void
gcm_freep(struct gcm **g)
{
	gcm_free(*g);
	*g = NULL;
}

int
gcm_seal(struct gcm *g, const uint8_t key[static GCM_KEY_LEN],
    const uint8_t nonce[static GCM_NONCE_LEN], struct bytes aad,
    struct bytes in, uint8_t *out)
{
	int n;

	if (in.n > GCM_MAX || aad.n > GCM_MAX)
		return FAULT_LIMIT;
	if (EVP_EncryptInit_ex2(g->ctx, NULL, key, nonce, NULL) != 1)
		return FAULT_INTERNAL;
	if (aad.n != 0 &&
	    EVP_EncryptUpdate(g->ctx, NULL, &n, aad.p, (int)aad.n) != 1)
		return FAULT_INTERNAL;
	if (in.n != 0 &&
	    EVP_EncryptUpdate(g->ctx, out, &n, in.p, (int)in.n) != 1)
		return FAULT_INTERNAL;
	if (EVP_EncryptFinal_ex(g->ctx, out + in.n, &n) != 1)
		return FAULT_INTERNAL;
	if (EVP_CIPHER_CTX_ctrl(g->ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN,
		out + in.n) != 1)
		return FAULT_INTERNAL;
	return 0;
}

static int
decrypt(EVP_CIPHER_CTX *ctx, struct bytes aad, struct bytes ct,
    uint8_t tag[static GCM_TAG_LEN], uint8_t *out)
{
	uint8_t none[GCM_TAG_LEN];
	int n;

	if (aad.n != 0 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1)
		return FAULT_INTERNAL;
	if (ct.n != 0 && EVP_DecryptUpdate(ctx, out, &n, ct.p, (int)ct.n) != 1)
		return FAULT_INTERNAL;
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN,
		tag) != 1)
		return FAULT_INTERNAL;
	return EVP_DecryptFinal_ex(ctx, none, &n) == 1 ? 0 : FAULT_TAMPERED;
}

int
gcm_open(struct gcm *g, const uint8_t key[static GCM_KEY_LEN],
    const uint8_t nonce[static GCM_NONCE_LEN], struct bytes aad,
    struct bytes in, uint8_t *out)
{
	uint8_t tag[GCM_TAG_LEN];
	struct bytes ct;
	int rc;

	if (in.n < GCM_TAG_LEN)
		return FAULT_MALFORMED;
	if (in.n - GCM_TAG_LEN > GCM_MAX || aad.n > GCM_MAX)
		return FAULT_LIMIT;
	ct = bytes_of(in.p, in.n - GCM_TAG_LEN);
	memcpy(tag, in.p + ct.n, sizeof(tag));
	if (EVP_DecryptInit_ex2(g->ctx, NULL, key, nonce, NULL) != 1)
		return FAULT_INTERNAL;
	rc = decrypt(g->ctx, aad, ct, tag, out);
	if (rc != 0)
		secret_wipe(out, ct.n);
	return rc;
}
