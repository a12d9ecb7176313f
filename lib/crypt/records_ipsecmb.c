// SPDX-License-Identifier: Apache-2.0
/*
 * A provider of OpenSSL (provider(7), provider-cipher(7)) that has one cipher,
 * AES-256-GCM with nonces of 12 and tags of 16 bytes: what libssl asks for,
 * and no more.  It is preferred, not demanded, so that all else is OpenSSL's.
 */
#include "crypt/records.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "base/attr.h"
#include "crypt/ipsecmb.h"
#include "crypt/secret.h"

#define NAME "skerry"
#define KEY_LEN 32
#define NONCE_LEN 12
#define TAG_LEN 16

struct cipher {
	struct gcm_key_data key; /* expanded */
	struct gcm_context_data gcm;
	const IMB_MGR *mgr; /* borrowed, of the provider */
	bool sealing;
	bool has_key, has_nonce, has_tag;
	bool begun; /* the nonce is in gcm */
	uint8_t nonce[NONCE_LEN];
	uint8_t tag[TAG_LEN]; /* made, or to be found */
};

static void *
cipher_new(void *provider)
{
	struct cipher *c = aligned_alloc(64, (sizeof(*c) + 63) / 64 * 64);

	if (c == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->mgr = provider;
	return c;
}

static void
cipher_free(void *ctx)
{
	if (ctx == NULL)
		return;
	secret_wipe(ctx, sizeof(struct cipher));
	free(ctx);
}

static bool
length_is(const OSSL_PARAM *p, size_t want)
{
	size_t n;

	return p == NULL || (OSSL_PARAM_get_size_t(p, &n) == 1 && n == want);
}

static int
cipher_set(void *ctx, const OSSL_PARAM params[])
{
	struct cipher *c = ctx;
	const OSSL_PARAM *tag;

	if (params == NULL)
		return 1;
	if (!length_is(OSSL_PARAM_locate_const(params,
			   OSSL_CIPHER_PARAM_AEAD_IVLEN),
		NONCE_LEN) ||
	    !length_is(OSSL_PARAM_locate_const(params,
			   OSSL_CIPHER_PARAM_KEYLEN),
		KEY_LEN))
		return 0;
	tag = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_AEAD_TAG);
	if (tag == NULL)
		return 1;
	if (c->sealing || tag->data_type != OSSL_PARAM_OCTET_STRING ||
	    tag->data == NULL || tag->data_size != TAG_LEN)
		return 0;
	memcpy(c->tag, tag->data, TAG_LEN);
	c->has_tag = true;
	return 1;
}

/* Key and nonce may come one after the other; NULL: as it is. */
static int
init(struct cipher *c, const uint8_t *key, size_t key_n, const uint8_t *nonce,
    size_t nonce_n)
{
	if ((key != NULL && key_n != KEY_LEN) ||
	    (nonce != NULL && nonce_n != NONCE_LEN))
		return 0;
	c->begun = c->has_tag = false;
	if (key != NULL) {
		IMB_AES256_GCM_PRE(c->mgr, key, &c->key);
		c->has_key = true;
	}
	if (nonce != NULL) {
		memcpy(c->nonce, nonce, NONCE_LEN);
		c->has_nonce = true;
	}
	return 1;
}

static int
cipher_init_seal(void *ctx, const unsigned char *key, size_t key_n,
    const unsigned char *nonce, size_t nonce_n, const OSSL_PARAM params[])
{
	struct cipher *c = ctx;

	c->sealing = true;
	return init(c, key, key_n, nonce, nonce_n) && cipher_set(c, params);
}

static int
cipher_init_open(void *ctx, const unsigned char *key, size_t key_n,
    const unsigned char *nonce, size_t nonce_n, const OSSL_PARAM params[])
{
	struct cipher *c = ctx;

	c->sealing = false;
	return init(c, key, key_n, nonce, nonce_n) && cipher_set(c, params);
}

/* out NULL: in is all of the additional data, once and before all else. */
static int
cipher_update(void *ctx, unsigned char *out, size_t *out_n, size_t out_max,
    const unsigned char *in, size_t n)
{
	struct cipher *c = ctx;
	bool first = !c->begun;

	if (!c->has_key || !c->has_nonce ||
	    (out == NULL ? !first : out_max < n))
		return 0;
	if (first)
		IMB_AES256_GCM_INIT(c->mgr, &c->key, &c->gcm, c->nonce,
		    out == NULL ? in : NULL, out == NULL ? n : 0);
	c->begun = true;
	*out_n = n;
	if (out == NULL || n == 0)
		return 1;
	if (c->sealing)
		IMB_AES256_GCM_ENC_UPDATE(c->mgr, &c->key, &c->gcm, out, in,
		    n);
	else
		IMB_AES256_GCM_DEC_UPDATE(c->mgr, &c->key, &c->gcm, out, in,
		    n);
	return 1;
}

/* A nonce seals once: the next message needs another. */
static int
cipher_final(void *ctx, unsigned char *out, size_t *out_n, size_t out_max)
{
	struct cipher *c = ctx;
	uint8_t tag[TAG_LEN];
	int ok;

	(void)out;
	(void)out_max;
	if (!c->begun || (!c->sealing && !c->has_tag))
		return 0;
	*out_n = 0;
	c->begun = c->has_nonce = false;
	c->has_tag = c->sealing;
	if (c->sealing) {
		IMB_AES256_GCM_ENC_FINALIZE(c->mgr, &c->key, &c->gcm, c->tag,
		    TAG_LEN);
		return 1;
	}
	IMB_AES256_GCM_DEC_FINALIZE(c->mgr, &c->key, &c->gcm, tag, TAG_LEN);
	ok = secret_equal(tag, c->tag, TAG_LEN);
	secret_wipe(tag, sizeof(tag));
	return ok;
}

static int
cipher_get_fixed(OSSL_PARAM params[])
{
	static const struct {
		const char *name;
		int value;
	} fixed[] = {
		{ OSSL_CIPHER_PARAM_MODE, EVP_CIPH_GCM_MODE },
		{ OSSL_CIPHER_PARAM_KEYLEN, KEY_LEN },
		{ OSSL_CIPHER_PARAM_IVLEN, NONCE_LEN },
		{ OSSL_CIPHER_PARAM_AEAD_TAGLEN, TAG_LEN },
		{ OSSL_CIPHER_PARAM_BLOCK_SIZE, 1 },
		{ OSSL_CIPHER_PARAM_AEAD, 1 },
		{ OSSL_CIPHER_PARAM_CUSTOM_IV, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		OSSL_PARAM *p = OSSL_PARAM_locate(params, fixed[i].name);

		if (p != NULL && OSSL_PARAM_set_int(p, fixed[i].value) != 1)
			return 0;
	}
	return 1;
}

static int
cipher_get(void *ctx, OSSL_PARAM params[])
{
	const struct cipher *c = ctx;
	OSSL_PARAM *tag;

	if (cipher_get_fixed(params) != 1)
		return 0;
	tag = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD_TAG);
	if (tag == NULL)
		return 1;
	return c->sealing && c->has_tag && tag->data_size == TAG_LEN &&
	    OSSL_PARAM_set_octet_string(tag, c->tag, TAG_LEN) == 1;
}

typedef void (*function)(void);

static const OSSL_ALGORITHM *
provider_query(void *provider, int operation, int *no_store)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_CIPHER_NEWCTX, (function)cipher_new },
		{ OSSL_FUNC_CIPHER_FREECTX, (function)cipher_free },
		{ OSSL_FUNC_CIPHER_ENCRYPT_INIT, (function)cipher_init_seal },
		{ OSSL_FUNC_CIPHER_DECRYPT_INIT, (function)cipher_init_open },
		{ OSSL_FUNC_CIPHER_UPDATE, (function)cipher_update },
		{ OSSL_FUNC_CIPHER_FINAL, (function)cipher_final },
		{ OSSL_FUNC_CIPHER_GET_PARAMS, (function)cipher_get_fixed },
		{ OSSL_FUNC_CIPHER_GET_CTX_PARAMS, (function)cipher_get },
		{ OSSL_FUNC_CIPHER_SET_CTX_PARAMS, (function)cipher_set },
		{ 0, NULL },
	};
	static const OSSL_ALGORITHM ciphers[] = {
		{ "AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46",
		    "provider=" NAME, functions, NULL },
		{ NULL, NULL, NULL, NULL },
	};

	(void)provider;
	*no_store = 0;
	return operation == OSSL_OP_CIPHER ? ciphers : NULL;
}

static void
provider_free(void *provider)
{
	free_mb_mgr(provider);
}

static int
provider_new(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION,
		    (function)provider_query },
		{ OSSL_FUNC_PROVIDER_TEARDOWN, (function)provider_free },
		{ 0, NULL },
	};
	IMB_MGR *mgr = ipsecmb_new();

	(void)handle;
	(void)in;
	if (mgr == NULL)
		return 0;
	if ((mgr->features & IMB_FEATURE_VAES) == 0) {
		free_mb_mgr(mgr); /* nothing would be won */
		return 0;
	}
	*provider = mgr;
	*out = functions;
	return 1;
}

static OSSL_PROVIDER *loaded;

static void
unload(void)
{
	(void)OSSL_PROVIDER_unload(loaded);
}

/* "try": OSSL_PROVIDER_load() would keep OpenSSL from loading its own. */
void
records_accelerate(void)
{
	const char *wanted = secure_getenv("SKERRY_BULK");

	if (wanted != NULL && strcmp(wanted, "openssl") == 0)
		return;
	if (OSSL_PROVIDER_add_builtin(NULL, NAME, provider_new) != 1)
		return;
	loaded = OSSL_PROVIDER_try_load(NULL, NAME, 1);
	if (loaded == NULL)
		return;
	(void)OPENSSL_atexit(unload);
	(void)EVP_set_default_properties(NULL, "?provider=" NAME);
}
