// SPDX-License-Identifier: Apache-2.0
#include "object/head.h"

#include <assert.h>
#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/hash.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "crypt/sign.h"

#define VERSION 1
#define LABEL "skerry head v1" /* signed with its terminator, a zero byte */
#define BODY_LEN 156u
#define INNER_LEN (BODY_LEN + SIGN_LEN)
#define SIGNED_LEN (sizeof(LABEL) + HEAD_CLEAR_LEN + BODY_LEN)

static_assert(HEAD_LEN == HEAD_CLEAR_LEN + INNER_LEN + BULK_TAG_LEN,
    "the head is its parts");

static void
write_clear(struct wr *w, const struct head *h)
{
	wr_u8(w, VERSION);
	wr_u8(w, 0);
	wr_u16(w, 0);
	wr_u32(w, h->epoch);
	wr_u64(w, h->number);
	wr_copy(w, h->salt, HEAD_SALT_LEN);
}

static void
write_body(struct wr *w, const struct head *h)
{
	wr_copy(w, h->space, ID_LEN);
	wr_copy(w, h->prev, HASH_LEN);
	ref_write(w, &h->commit);
	wr_copy(w, h->device, ID_LEN);
}

/* What is signed, for a clear part and a body. */
static void
signed_text(const uint8_t *clear, const uint8_t *body,
    uint8_t out[static SIGNED_LEN])
{
	memcpy(out, LABEL, sizeof(LABEL));
	memcpy(out + sizeof(LABEL), clear, HEAD_CLEAR_LEN);
	memcpy(out + sizeof(LABEL) + HEAD_CLEAR_LEN, body, BODY_LEN);
}

static int
derive(const struct space_key *key, const uint8_t *salt, struct seal_key *out)
{
	return kdf_hkdf(bytes_of(key->b, KEY_LEN),
	    bytes_of(salt, HEAD_SALT_LEN), "skerry/1 head", out->b, KEY_LEN);
}

/* [head]: zero for number 1, and only there */
static bool
prev_valid(const struct head *h)
{
	static const uint8_t zero[HASH_LEN];

	return h->number != 0 &&
	    (h->number == 1) == (memcmp(h->prev, zero, HASH_LEN) == 0);
}

int
head_seal(struct bulk *b, const struct space_key *key,
    const struct sign_key *sign, const struct head *h,
    uint8_t out[static HEAD_LEN])
{
	uint8_t got[HEAD_LEN], inner[INNER_LEN], text[SIGNED_LEN];
	struct buf cb = { .p = got, .cap = HEAD_CLEAR_LEN,
		.max = HEAD_CLEAR_LEN };
	struct buf ib = { .p = inner, .cap = BODY_LEN, .max = BODY_LEN };
	struct wr cw = wr_to(&cb), iw = wr_to(&ib);
	struct seal_key k;
	int rc;

	assert(prev_valid(h));
	write_clear(&cw, h);
	write_body(&iw, h);
	assert(wr_finish(&cw) == 0 && cb.n == HEAD_CLEAR_LEN);
	assert(wr_finish(&iw) == 0 && ib.n == BODY_LEN);
	signed_text(got, inner, text);
	sign_make(sign, bytes_of(text, SIGNED_LEN), inner + BODY_LEN);
	rc = derive(key, h->salt, &k);
	if (rc == 0)
		rc = bulk_seal(b, &k, 0, bytes_of(got, HEAD_CLEAR_LEN),
		    bytes_of(inner, INNER_LEN), got + HEAD_CLEAR_LEN);
	secret_wipe(&k, sizeof(k));
	secret_wipe(inner, sizeof(inner));
	secret_wipe(text, sizeof(text));
	if (rc == 0)
		memcpy(out, got, HEAD_LEN);
	return rc;
}

static int
read_clear(struct bytes in, struct head *h)
{
	struct rd r = rd_from(in.p, in.n);
	uint8_t version = rd_u8(&r);

	if (in.n != 0 && version != VERSION)
		return FAULT_VERSION;
	rd_require(&r, rd_u8(&r) == 0);
	rd_require(&r, rd_u16(&r) == 0);
	h->epoch = rd_u32(&r);
	h->number = rd_u64(&r);
	rd_copy(&r, h->salt, HEAD_SALT_LEN);
	rd_require(&r, h->number >= 1 && in.n == HEAD_LEN);
	return r.failed ? FAULT_MALFORMED : 0;
}

static int
read_body(const uint8_t body[static BODY_LEN], struct head *h)
{
	struct rd r = rd_from(body, BODY_LEN);

	rd_copy(&r, h->space, ID_LEN);
	rd_copy(&r, h->prev, HASH_LEN);
	ref_read(&r, &h->commit);
	rd_copy(&r, h->device, ID_LEN);
	rd_require(&r, prev_valid(h));
	return rd_finish(&r);
}

/* Opens the body and the signature of a head into inner. */
static int
open_inner(struct bulk *b, const struct space_key *key, struct bytes in,
    const struct head *h, uint8_t inner[static INNER_LEN])
{
	struct seal_key k;
	int rc = derive(key, h->salt, &k);

	if (rc == 0)
		rc = bulk_open(b, &k, 0, bytes_of(in.p, HEAD_CLEAR_LEN),
		    bytes_of(in.p + HEAD_CLEAR_LEN, in.n - HEAD_CLEAR_LEN),
		    inner);
	secret_wipe(&k, sizeof(k));
	return rc;
}

int
head_open(struct bulk *b, const struct space_key *key,
    const uint8_t space[static ID_LEN], struct head_lookup who, struct bytes in,
    struct head *out)
{
	uint8_t inner[INNER_LEN], text[SIGNED_LEN];
	struct sign_pub pub;
	struct head h;
	int rc = read_clear(in, &h);

	if (rc == 0)
		rc = open_inner(b, key, in, &h, inner);
	if (rc == 0)
		rc = read_body(inner, &h);
	if (rc == 0 && memcmp(h.space, space, ID_LEN) != 0)
		rc = FAULT_TRUST;
	if (rc == 0)
		rc = who.find(who.arg, h.device, &pub);
	if (rc == 0) {
		signed_text(in.p, inner, text);
		rc = sign_check(&pub, bytes_of(text, SIGNED_LEN),
		    inner + BODY_LEN);
	}
	if (rc == 0)
		*out = h;
	secret_wipe(&h, sizeof(h));
	secret_wipe(inner, sizeof(inner));
	secret_wipe(text, sizeof(text));
	return rc;
}

int
head_clear(struct bytes in, uint32_t *epoch, uint64_t *number)
{
	struct head h;
	int rc = read_clear(in, &h);

	if (rc == 0) {
		*epoch = h.epoch;
		*number = h.number;
	}
	return rc;
}

void
head_hash(struct bytes in, uint8_t out[static HASH_LEN])
{
	hash_sha256(&in, 1, out);
}

void
head_new_salt(struct head *h)
{
	secret_random(h->salt, HEAD_SALT_LEN);
}
