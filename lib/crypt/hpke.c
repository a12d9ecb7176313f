// SPDX-License-Identifier: Apache-2.0
/*
 * RFC 9180: DHKEM(X25519, HKDF-SHA256) of section 4.1, key schedule of section
 * 5.1 in mode base, one message under sequence number 0.
 */
#include "crypt/hpke.h"

#include <string.h>

#include <sodium.h>

#include "base/fault.h"
#include "base/wr.h"
#include "crypt/gcm.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "crypt/sign.h"

#define HASH_LEN 32
#define MODE_BASE 0

struct suite {
	const char *id;
	size_t n;
};

static const struct suite kem = { "KEM\x00\x20", 5 };
static const struct suite whole = { "HPKE\x00\x20\x00\x01\x00\x02", 10 };

static const struct bytes nothing = { NULL, 0 };

struct schedule {
	uint8_t key[GCM_KEY_LEN];
	uint8_t nonce[GCM_NONCE_LEN];
};

static void
label_to(struct wr *w, const struct suite *s, const char *label,
    struct bytes last)
{
	wr_copy(w, "HPKE-v1", 7);
	wr_copy(w, s->id, s->n);
	wr_copy(w, label, strlen(label));
	wr_copy(w, last.p, last.n);
}

/* LabeledExtract of section 4. */
static int
extract(const struct suite *s, struct bytes salt, const char *label,
    struct bytes ikm, uint8_t out[static HASH_LEN])
{
	struct buf b defer(buf_wipe) = buf_init(SIZE_MAX);
	struct wr w = wr_to(&b);
	int rc;

	label_to(&w, s, label, ikm);
	rc = wr_finish(&w);
	return rc != 0 ? rc : kdf_extract(buf_bytes(&b), salt, out);
}

/* LabeledExpand of section 4. */
static int
expand(const struct suite *s, const uint8_t prk[static HASH_LEN],
    const char *label, struct bytes info, uint8_t *out, size_t out_len)
{
	struct buf b defer(buf_wipe) = buf_init(256);
	struct wr w = wr_to(&b);
	int rc;

	wr_u16(&w, (uint16_t)out_len);
	label_to(&w, s, label, info);
	rc = wr_finish(&w);
	return rc != 0 ? rc : kdf_expand(prk, buf_bytes(&b), out, out_len);
}

/* ExtractAndExpand of section 4.1 over the Diffie-Hellman value of key and
 * peer; context is enc || public key of the receiver. */
static int
shared_secret(const struct box_key *key, const struct box_pub *peer,
    const uint8_t context[static 64], uint8_t out[static HASH_LEN])
{
	uint8_t dh[32], prk[HASH_LEN];
	int rc;

	if (crypto_scalarmult(dh, key->b, peer->b) != 0)
		return FAULT_MALFORMED;
	rc = extract(&kem, nothing, "eae_prk", bytes_of(dh, sizeof(dh)), prk);
	if (rc == 0)
		rc = expand(&kem, prk, "shared_secret", bytes_of(context, 64),
		    out, HASH_LEN);
	secret_wipe(dh, sizeof(dh));
	secret_wipe(prk, sizeof(prk));
	return rc;
}

/* KeySchedule of section 5.1, without a pre-shared key. */
static int
schedule(const uint8_t shared[static HASH_LEN], struct bytes info,
    struct schedule *out)
{
	uint8_t context[1 + 2 * HASH_LEN] = { MODE_BASE };
	const struct bytes ctx = bytes_of(context, sizeof(context));
	uint8_t secret[HASH_LEN];
	int rc;

	rc = extract(&whole, nothing, "psk_id_hash", nothing, context + 1);
	if (rc == 0)
		rc = extract(&whole, nothing, "info_hash", info,
		    context + 1 + HASH_LEN);
	if (rc == 0)
		rc = extract(&whole, bytes_of(shared, HASH_LEN), "secret",
		    nothing, secret);
	if (rc == 0)
		rc = expand(&whole, secret, "key", ctx, out->key,
		    sizeof(out->key));
	if (rc == 0)
		rc = expand(&whole, secret, "base_nonce", ctx, out->nonce,
		    sizeof(out->nonce));
	secret_wipe(secret, sizeof(secret));
	return rc;
}

static int
setup(const struct box_key *key, const struct box_pub *peer,
    const uint8_t context[static 64], struct bytes info, struct schedule *out)
{
	uint8_t shared[HASH_LEN];
	int rc = shared_secret(key, peer, context, shared);

	if (rc == 0)
		rc = schedule(shared, info, out);
	secret_wipe(shared, sizeof(shared));
	return rc;
}

int
hpke_seal(const struct box_pub *to, struct bytes info, struct bytes aad,
    struct bytes pt, uint8_t *out)
{
	struct gcm *g defer(gcm_freep) = gcm_new();
	struct box_key eph;
	struct box_pub enc;
	uint8_t context[64];
	struct schedule s;
	int rc;

	if (g == NULL)
		return FAULT_INTERNAL;
	sign_box_new(&eph, &enc);
	memcpy(context, enc.b, 32);
	memcpy(context + 32, to->b, 32);
	rc = setup(&eph, to, context, info, &s);
	if (rc == 0)
		rc = gcm_seal(g, s.key, s.nonce, aad, pt, out + sizeof(enc.b));
	if (rc == 0)
		memcpy(out, enc.b, sizeof(enc.b));
	secret_wipe(&eph, sizeof(eph));
	secret_wipe(&s, sizeof(s));
	return rc;
}

int
hpke_open(const struct box_key *key, struct bytes info, struct bytes aad,
    struct bytes in, uint8_t *out)
{
	struct gcm *g defer(gcm_freep) = gcm_new();
	struct box_pub enc, mine;
	uint8_t context[64];
	struct schedule s;
	int rc;

	if (in.n < HPKE_OVERHEAD)
		return FAULT_MALFORMED;
	if (g == NULL)
		return FAULT_INTERNAL;
	memcpy(enc.b, in.p, sizeof(enc.b));
	sign_box_public(key, &mine);
	memcpy(context, enc.b, 32);
	memcpy(context + 32, mine.b, 32);
	rc = setup(key, &enc, context, info, &s);
	if (rc == 0)
		rc = gcm_open(g, s.key, s.nonce, aad,
		    bytes_of(in.p + sizeof(enc.b), in.n - sizeof(enc.b)), out);
	secret_wipe(&s, sizeof(s));
	return rc;
}
