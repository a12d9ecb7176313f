// SPDX-License-Identifier: Apache-2.0
/*
 * Private to crypt: what a backend of bulk provides.  bulk.c has checked the
 * lengths, and zeroes the output of an opening that fails.
 */
#ifndef SKERRY_CRYPT_BULK_BACKEND_H
#define SKERRY_CRYPT_BULK_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypt/bulk.h"
#include "crypt/keys.h"

#define BULK_NONCE_LEN 12

struct bulk_ops {
	const char *name;

	/* NULL where this machine or its memory does not allow it. */
	void *(*new)(void);
	void (*free)(void *ctx);

	int (*sha256)(void *ctx, const struct bytes *msg, size_t n,
	    uint8_t (*out)[BULK_HASH_LEN]);
	/* Two parts, one after the other; the second may be empty. */
	int (*seal)(void *ctx, const struct seal_key *key,
	    const uint8_t nonce[static BULK_NONCE_LEN], struct bytes aad,
	    const struct bytes in[static 2], uint8_t *out);
	int (*open)(void *ctx, const struct seal_key *key,
	    const uint8_t nonce[static BULK_NONCE_LEN], struct bytes aad,
	    struct bytes in, uint8_t *out);
};

extern const struct bulk_ops bulk_openssl;
#ifdef SKERRY_HAVE_IPSEC_MB
extern const struct bulk_ops bulk_ipsecmb;
#endif

#endif
