// SPDX-License-Identifier: Apache-2.0
/* Choice of a backend, and the checks that all of them need: spec/10-names.md,
 * "Treehash" and "Sealing". */
#include "crypt/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/bulk_backend.h"
#include "crypt/secret.h"

struct bulk {
	const struct bulk_ops *ops;
	void *ctx; /* owned, by ops */
};

/* Fastest first. */
static const struct bulk_ops *const backends[] = {
#ifdef SKERRY_HAVE_IPSEC_MB
	&bulk_ipsecmb,
#endif
	&bulk_openssl,
};

/* NULL: any will do. */
static const char *
wanted(enum bulk_kind kind)
{
	switch (kind) {
	case BULK_OPENSSL:
		return "openssl";
	case BULK_IPSEC_MB:
		return "ipsec-mb";
	case BULK_BEST:
		break;
	}
	return secure_getenv("SKERRY_BULK");
}

struct bulk *
bulk_new(enum bulk_kind kind)
{
	const char *name = wanted(kind);
	struct bulk *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		b->ops = backends[i];
		if (name != NULL && strcmp(name, b->ops->name) != 0)
			continue;
		b->ctx = b->ops->new();
		if (b->ctx != NULL)
			return b;
	}
	free(b);
	return NULL;
}

void
bulk_free(struct bulk *b)
{
	if (b == NULL)
		return;
	b->ops->free(b->ctx);
	free(b);
}

void
bulk_freep(struct bulk **b)
{
	bulk_free(*b);
	*b = NULL;
}

const char *
bulk_name(const struct bulk *b)
{
	return b->ops->name;
}

int
bulk_sha256(struct bulk *b, const struct bytes *msg, size_t n,
    uint8_t (*out)[BULK_HASH_LEN])
{
	for (size_t i = 0; i < n; i++)
		if (msg[i].n > BULK_MSG_MAX)
			return FAULT_LIMIT;
	return b->ops->sha256(b->ctx, msg, n, out);
}

static void
nonce_of(uint32_t counter, uint8_t nonce[static BULK_NONCE_LEN])
{
	memset(nonce, 0, BULK_NONCE_LEN);
	for (size_t i = 0; i < 4; i++)
		nonce[BULK_NONCE_LEN - 1 - i] = (uint8_t)(counter >> 8 * i);
}

int
bulk_seal(struct bulk *b, const struct seal_key *key, uint32_t counter,
    struct bytes aad, struct bytes in, uint8_t *out)
{
	uint8_t nonce[BULK_NONCE_LEN];

	if (in.n > BULK_SEAL_MAX || aad.n > BULK_SEAL_MAX)
		return FAULT_LIMIT;
	nonce_of(counter, nonce);
	return b->ops->seal(b->ctx, key, nonce, aad,
	    (const struct bytes[2]){ in, bytes_of("", 0) }, out);
}

int
bulk_seal_prefixed(struct bulk *b, const struct seal_key *key,
    struct bytes aad, uint8_t first, struct bytes in, uint8_t *out)
{
	const uint8_t nonce[BULK_NONCE_LEN] = { 0 };

	if (in.n >= BULK_SEAL_MAX || aad.n > BULK_SEAL_MAX)
		return FAULT_LIMIT;
	return b->ops->seal(b->ctx, key, nonce, aad,
	    (const struct bytes[2]){ bytes_of(&first, 1), in }, out);
}

int
bulk_open(struct bulk *b, const struct seal_key *key, uint32_t counter,
    struct bytes aad, struct bytes in, uint8_t *out)
{
	uint8_t nonce[BULK_NONCE_LEN];
	int rc;

	if (in.n < BULK_TAG_LEN)
		return FAULT_MALFORMED;
	if (in.n - BULK_TAG_LEN > BULK_SEAL_MAX || aad.n > BULK_SEAL_MAX)
		return FAULT_LIMIT;
	nonce_of(counter, nonce);
	rc = b->ops->open(b->ctx, key, nonce, aad, in, out);
	if (rc != 0)
		secret_wipe(out, in.n - BULK_TAG_LEN);
	return rc;
}
