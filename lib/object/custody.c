// SPDX-License-Identifier: Apache-2.0
#include "object/custody.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/hash.h"
#include "crypt/sign.h"

#define VERSION 1
#define LABEL "skerry custody v1" /* with its zero byte */
#define SIGNED_MAX (CUSTODY_MAX - SIGN_LEN)

static bool
zero(const uint8_t *p, size_t n)
{
	uint8_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= p[i];
	return all == 0;
}

static void
read_holder(struct rd *r, struct custody *c, size_t i)
{
	struct custody_holder *h = &c->holder[i];

	rd_copy(r, h->signing.b, sizeof(h->signing.b));
	rd_copy(r, h->jurisdiction, 2);
	h->jurisdiction[2] = '\0';
	for (size_t k = 0; k < 2; k++)
		rd_require(r, h->jurisdiction[k] >= 'a' &&
			h->jurisdiction[k] <= 'z');
	/* [custody] No two holders share a key or a jurisdiction. */
	for (size_t k = 0; k < i; k++)
		rd_require(r, strcmp(h->jurisdiction,
			c->holder[k].jurisdiction) != 0 &&
			memcmp(&h->signing, &c->holder[k].signing,
			    sizeof(h->signing)) != 0);
}

static bool
numbers_ok(const struct custody *c)
{
	if (c->mode == CUSTODY_SPLIT)
		return c->k >= 2 && c->k <= c->n &&
		    c->n <= CUSTODY_HOLDERS_MAX;
	return (c->mode == CUSTODY_STANDARD || c->mode == CUSTODY_SEALED) &&
	    c->k == 1 && c->n == 1;
}

static bool
times_ok(const struct custody *c)
{
	if (c->time < 0 || c->effective < c->time)
		return false;
	if (c->kind == CUSTODY_DEVICE)
		return c->effective == c->time;
	return c->kind == CUSTODY_OPERATOR && c->serial > 1 &&
	    zero(c->signer, ID_LEN);
}

int
custody_decode(struct bytes in, struct custody *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct custody c = { 0 };
	uint8_t version = rd_u8(&r), pad[7];
	int rc;

	if (in.n != 0 && version != VERSION)
		return FAULT_VERSION;
	c.mode = rd_u8(&r);
	c.k = rd_u8(&r);
	c.n = rd_u8(&r);
	rd_require(&r, numbers_ok(&c));
	c.serial = rd_u32(&r);
	c.epoch = rd_u32(&r);
	rd_require(&r, c.serial >= 1 && c.epoch >= 1);
	rd_copy(&r, c.space, ID_LEN);
	rd_copy(&r, c.prev, HASH_LEN);
	rd_require(&r, (c.serial == 1) == zero(c.prev, HASH_LEN));
	c.time = (int64_t)rd_u64(&r);
	c.effective = (int64_t)rd_u64(&r);
	for (size_t i = 0; !r.failed && i < c.n; i++)
		read_holder(&r, &c, i);
	c.kind = rd_u8(&r);
	rd_copy(&r, pad, sizeof(pad));
	rd_copy(&r, c.signer, ID_LEN);
	rd_require(&r, zero(pad, sizeof(pad)) && times_ok(&c));
	(void)rd_take(&r, SIGN_LEN);
	rc = rd_finish(&r);
	if (rc != 0)
		return rc;
	memcpy(c.raw, in.p, in.n);
	c.len = in.n;
	*out = c;
	return 0;
}

static void
write_set(struct wr *w, const struct custody *c)
{
	static const uint8_t pad[7];

	wr_u8(w, VERSION);
	wr_u8(w, (uint8_t)c->mode);
	wr_u8(w, c->k);
	wr_u8(w, c->n);
	wr_u32(w, c->serial);
	wr_u32(w, c->epoch);
	wr_copy(w, c->space, ID_LEN);
	wr_copy(w, c->prev, HASH_LEN);
	wr_u64(w, (uint64_t)c->time);
	wr_u64(w, (uint64_t)c->effective);
	for (size_t i = 0; i < c->n && i < CUSTODY_HOLDERS_MAX; i++) {
		wr_copy(w, c->holder[i].signing.b, 32);
		wr_copy(w, c->holder[i].jurisdiction, 2);
	}
	wr_u8(w, (uint8_t)c->kind);
	wr_copy(w, pad, sizeof(pad));
	wr_copy(w, c->signer, ID_LEN);
}

static size_t
signed_text(const uint8_t *raw, size_t n,
    uint8_t out[static sizeof(LABEL) + SIGNED_MAX])
{
	memcpy(out, LABEL, sizeof(LABEL));
	memcpy(out + sizeof(LABEL), raw, n);
	return sizeof(LABEL) + n;
}

int
custody_sign(struct custody *c, const struct sign_key *key)
{
	uint8_t raw[CUSTODY_MAX], text[sizeof(LABEL) + SIGNED_MAX];
	struct buf b = { .p = raw, .cap = sizeof(raw), .max = sizeof(raw) };
	struct wr w = wr_to(&b);
	struct custody made;
	size_t n;

	write_set(&w, c);
	if (wr_finish(&w) != 0 || b.n + SIGN_LEN > sizeof(raw))
		return FAULT_USAGE;
	n = signed_text(raw, b.n, text);
	sign_make(key, bytes_of(text, n), raw + b.n);
	if (custody_decode(bytes_of(raw, b.n + SIGN_LEN), &made) != 0)
		return FAULT_USAGE;
	*c = made;
	return 0;
}

void
custody_hash(const struct custody *c, uint8_t out[static HASH_LEN])
{
	const struct bytes all = bytes_of(c->raw, c->len);

	hash_sha256(&all, 1, out);
}

int
custody_check(const struct custody *c, const struct custody_who *who,
    bool *live)
{
	uint8_t text[sizeof(LABEL) + SIGNED_MAX];
	const struct sign_pub *by = who->policy;
	const struct chain_device *d = NULL;
	size_t n = c->len - SIGN_LEN;
	int rc;

	if (c->kind == CUSTODY_DEVICE) {
		d = chain_find(who->chain, c->signer);
		by = d != NULL && !d->recovery ? &d->sign : NULL;
	} else if (c->effective - c->time < who->delay) {
		return FAULT_TRUST;
	}
	if (by == NULL)
		return FAULT_TRUST;
	rc = sign_check(by, bytes_of(text, signed_text(c->raw, n, text)),
	    c->raw + n);
	if (rc == 0)
		*live = d == NULL || d->live;
	return rc;
}

int
custody_follows(const struct custody *prev, const struct custody *next,
    const uint8_t space[static ID_LEN])
{
	uint8_t hash[HASH_LEN];

	if (memcmp(next->space, space, ID_LEN) != 0)
		return FAULT_TRUST;
	if (prev == NULL)
		return next->serial == 1 ? 0 : FAULT_TRUST;
	custody_hash(prev, hash);
	if (prev->serial == UINT32_MAX || next->serial != prev->serial + 1 ||
	    next->epoch < prev->epoch ||
	    memcmp(next->prev, hash, HASH_LEN) != 0)
		return FAULT_TRUST;
	return 0;
}

bool
custody_same(const struct custody *a, const struct custody *b)
{
	return a->len == b->len && memcmp(a->raw, b->raw, a->len) == 0;
}

int
custody_find(const struct custody *c, const struct sign_pub *signing)
{
	for (int i = 0; i < c->n; i++)
		if (memcmp(&c->holder[i].signing, signing,
			sizeof(*signing)) == 0)
			return i;
	return -1;
}

const char *
custody_mode_text(enum custody_mode mode)
{
	return mode == CUSTODY_STANDARD ? "standard" :
	    mode == CUSTODY_SPLIT	? "split" :
					  "sealed";
}
