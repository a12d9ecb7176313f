// SPDX-License-Identifier: Apache-2.0
/* Keyslots of spec/10-names.md, "Other wrapped keys". */
#include "crypt/wrap.h"

#include <string.h>

#include "base/fault.h"
#include "crypt/gcm.h"
#include "crypt/secret.h"

int
wrap_bytes_seal(const struct wrap_key *key, struct bytes aad,
    struct bytes in, uint8_t *out)
{
	struct gcm *g defer(gcm_freep) = gcm_new();
	uint8_t nonce[GCM_NONCE_LEN];
	int rc;

	if (g == NULL)
		return FAULT_INTERNAL;
	secret_random(nonce, sizeof(nonce));
	rc = gcm_seal(g, key->b, nonce, aad, in, out + GCM_NONCE_LEN);
	if (rc == 0)
		memcpy(out, nonce, sizeof(nonce));
	return rc;
}

int
wrap_bytes_open(const struct wrap_key *key, struct bytes aad,
    struct bytes in, uint8_t *out)
{
	struct gcm *g defer(gcm_freep) = gcm_new();
	int rc;

	if (g == NULL)
		return FAULT_INTERNAL;
	if (in.n < WRAP_OVERHEAD)
		return FAULT_MALFORMED;
	rc = gcm_open(g, key->b, in.p, aad,
	    bytes_of(in.p + GCM_NONCE_LEN, in.n - GCM_NONCE_LEN), out);
	return rc == FAULT_TAMPERED ? FAULT_SECRET : rc;
}

int
wrap_seal(const struct wrap_key *key, struct bytes aad,
    const struct space_key *in, uint8_t out[static WRAP_LEN])
{
	struct gcm *g defer(gcm_freep) = gcm_new();
	uint8_t slot[WRAP_LEN];
	int rc;

	if (g == NULL)
		return FAULT_INTERNAL;
	secret_random(slot, GCM_NONCE_LEN);
	rc = gcm_seal(g, key->b, slot, aad, bytes_of(in->b, sizeof(in->b)),
	    slot + GCM_NONCE_LEN);
	if (rc != 0)
		return rc;
	memcpy(out, slot, sizeof(slot));
	return 0;
}

int
wrap_open(const struct wrap_key *key, struct bytes aad,
    const uint8_t in[static WRAP_LEN], struct space_key *out)
{
	struct gcm *g defer(gcm_freep) = gcm_new();
	struct space_key k;
	int rc;

	if (g == NULL)
		return FAULT_INTERNAL;
	rc = gcm_open(g, key->b, in, aad,
	    bytes_of(in + GCM_NONCE_LEN, WRAP_LEN - GCM_NONCE_LEN), k.b);
	if (rc == 0)
		*out = k;
	secret_wipe(&k, sizeof(k));
	return rc == FAULT_TAMPERED ? FAULT_SECRET : rc;
}
