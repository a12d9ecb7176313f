// SPDX-License-Identifier: Apache-2.0
#include "crypt/prp.h"

#include <openssl/evp.h>

#include "base/fault.h"

/* A struct prp is OpenSSL's context, under a name of our own. */
static EVP_CIPHER_CTX *
ctx_of(struct prp *p)
{
	return (EVP_CIPHER_CTX *)p;
}

int
prp_new(const uint8_t key[static PRP_KEY_LEN], struct prp **out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (c == NULL)
		return FAULT_MEMORY;
	if (EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(c, 0) != 1) {
		EVP_CIPHER_CTX_free(c);
		return FAULT_INTERNAL;
	}
	*out = (struct prp *)c;
	return 0;
}

void
prp_free(struct prp *p)
{
	EVP_CIPHER_CTX_free(ctx_of(p));
}

int
prp_blocks(struct prp *p, const uint8_t *in, size_t n, uint8_t *out)
{
	int len = 0;

	if (EVP_EncryptUpdate(ctx_of(p), out, &len, in,
		(int)(n * PRP_BLOCK)) != 1)
		return FAULT_INTERNAL;
	return (size_t)len == n * PRP_BLOCK ? 0 : FAULT_INTERNAL;
}
