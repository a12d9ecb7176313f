// SPDX-License-Identifier: Apache-2.0
#include "object/chain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/hash.h"
#include "crypt/sign.h"

#define VERSION 1
#define ID_LABEL "skerry device v1"
#define SIGN_LABEL "skerry device v1 chain" /* with its zero byte */

/* One entry as it stands. */
struct item {
	uint8_t op;
	uint32_t seq;
	uint8_t prev[HASH_LEN];
	uint8_t account[ID_LEN];
	uint8_t device[ID_LEN];
	struct sign_pub sign;
	struct box_pub box;
	uint8_t signer[ID_LEN];
	uint8_t sig[SIGN_LEN];
};

void
chain_wipe(struct chain *c)
{
	free(c->device);
	*c = (struct chain){ 0 };
}

void
chain_device_id(const struct sign_pub *sign, const struct box_pub *box,
    uint8_t out[static ID_LEN])
{
	const struct bytes part[] = {
		bytes_of(ID_LABEL, sizeof(ID_LABEL) - 1),
		bytes_of(sign->b, sizeof(sign->b)),
		bytes_of(box->b, sizeof(box->b)),
	};
	uint8_t hash[HASH_LEN];

	hash_sha256(part, ARRAY_LEN(part), hash);
	memcpy(out, hash, ID_LEN);
}

static int
read_item(struct bytes in, struct item *it)
{
	struct rd r = rd_from(in.p, in.n);
	uint8_t version = rd_u8(&r);

	if (in.n != 0 && version != VERSION)
		return FAULT_VERSION;
	it->op = rd_u8(&r);
	rd_require(&r, it->op >= CHAIN_ADD && it->op <= CHAIN_RECOVERY);
	rd_require(&r, rd_u16(&r) == 0);
	it->seq = rd_u32(&r);
	rd_copy(&r, it->prev, HASH_LEN);
	rd_copy(&r, it->account, ID_LEN);
	rd_copy(&r, it->device, ID_LEN);
	rd_copy(&r, it->sign.b, sizeof(it->sign.b));
	rd_copy(&r, it->box.b, sizeof(it->box.b));
	rd_copy(&r, it->signer, ID_LEN);
	rd_copy(&r, it->sig, SIGN_LEN);
	return rd_finish(&r);
}

static bool
same_id(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, ID_LEN) == 0;
}

const struct chain_device *
chain_find(const struct chain *c, const uint8_t id[static ID_LEN])
{
	for (uint32_t i = 0; i < c->devices; i++) {
		if (same_id(c->device[i].id, id))
			return &c->device[i];
	}
	return NULL;
}

const struct chain_device *
chain_recovery(const struct chain *c)
{
	for (uint32_t i = 0; i < c->devices; i++) {
		if (c->device[i].recovery && c->device[i].live)
			return &c->device[i];
	}
	return NULL;
}

bool
chain_recovery_changed(const struct chain *c)
{
	for (uint32_t i = 0; i < c->devices; i++) {
		if (c->device[i].recovery)
			return !c->device[i].live;
	}
	return false;
}

static int
lookup(const struct chain *c, const uint8_t *id, bool revoked_too,
    struct sign_pub *out)
{
	const struct chain_device *d = chain_find(c, id);

	if (d == NULL || d->recovery || (!d->live && !revoked_too))
		return FAULT_TRUST;
	*out = d->sign;
	return 0;
}

int
chain_lookup(void *arg, const uint8_t id[static ID_LEN], struct sign_pub *out)
{
	return lookup(arg, id, false, out);
}

int
chain_lookup_any(void *arg, const uint8_t id[static ID_LEN],
    struct sign_pub *out)
{
	return lookup(arg, id, true, out);
}

/* [devices]: the entry is the next one of this chain, and what it does to its
 * device can be done. */
static bool
fits(const struct chain *c, const struct item *it)
{
	const struct chain_device *d = chain_find(c, it->device);
	uint8_t id[ID_LEN];

	chain_device_id(&it->sign, &it->box, id);
	if (it->seq != c->n || memcmp(it->prev, c->last, HASH_LEN) != 0 ||
	    !same_id(id, it->device))
		return false;
	if (c->n == 0)
		return it->op == CHAIN_ADD && same_id(it->signer, it->device);
	if (!same_id(it->account, c->account))
		return false;
	/* The id stands for the keys: a revoked device's are its own. */
	return it->op == CHAIN_REVOKE ? d != NULL && d->live : d == NULL;
}

/* The key that must have signed; NULL where the signer is not live. */
static const struct sign_pub *
signer_of(const struct chain *c, const struct item *it)
{
	const struct chain_device *d;

	if (c->n == 0)
		return &it->sign;
	d = chain_find(c, it->signer);
	return d != NULL && d->live ? &d->sign : NULL;
}

static void
signed_text(const uint8_t entry[static CHAIN_SIGNED_LEN],
    uint8_t out[static sizeof(SIGN_LABEL) + CHAIN_SIGNED_LEN])
{
	memcpy(out, SIGN_LABEL, sizeof(SIGN_LABEL));
	memcpy(out + sizeof(SIGN_LABEL), entry, CHAIN_SIGNED_LEN);
}

/* All of chain_append's checks. */
static int
verify(const struct chain *c, struct bytes entry, struct item *it)
{
	uint8_t text[sizeof(SIGN_LABEL) + CHAIN_SIGNED_LEN];
	const struct sign_pub *by;
	int rc = read_item(entry, it);

	if (rc != 0)
		return rc;
	if (c->n >= CHAIN_MAX)
		return FAULT_LIMIT;
	if (!fits(c, it))
		return FAULT_TRUST;
	by = signer_of(c, it);
	if (by == NULL)
		return FAULT_TRUST;
	signed_text(entry.p, text);
	return sign_check(by, bytes_of(text, sizeof(text)), it->sig);
}

static int
add_device(struct chain *c, const struct item *it)
{
	struct chain_device *p =
	    reallocarray(c->device, c->devices + 1u, sizeof(*p));

	if (p == NULL)
		return FAULT_MEMORY;
	c->device = p;
	p += c->devices++;
	*p = (struct chain_device){ .sign = it->sign, .box = it->box,
		.recovery = it->op == CHAIN_RECOVERY, .live = true,
		.seq = it->seq };
	memcpy(p->id, it->device, ID_LEN);
	return 0;
}

static void
revoke(struct chain *c, const uint8_t id[static ID_LEN])
{
	for (uint32_t i = 0; i < c->devices; i++) {
		if (same_id(c->device[i].id, id))
			c->device[i].live = false;
	}
}

int
chain_append(struct chain *c, struct bytes entry)
{
	struct item it;
	int rc = verify(c, entry, &it);

	if (rc != 0)
		return rc;
	if (it.op == CHAIN_REVOKE)
		revoke(c, it.device);
	else
		rc = add_device(c, &it);
	if (rc != 0)
		return rc;
	if (c->n++ == 0)
		memcpy(c->account, it.account, ID_LEN);
	hash_sha256(&entry, 1, c->last);
	return 0;
}

int
chain_append_all(struct chain *c, struct bytes entries)
{
	while (entries.n != 0) {
		size_t n = entries.n < CHAIN_ENTRY_LEN ? entries.n
						       : CHAIN_ENTRY_LEN;
		int rc = chain_append(c, bytes_of(entries.p, n));

		if (rc != 0)
			return rc;
		entries = bytes_of(entries.p + n, entries.n - n);
	}
	return 0;
}

bool
chain_has_room(const struct chain *c, enum chain_op op)
{
	uint32_t live = 0, spare = op == CHAIN_ADD ? CHAIN_SPARE : 0;

	if (op == CHAIN_REVOKE || c->n >= CHAIN_MAX)
		return c->n < CHAIN_MAX;
	for (uint32_t i = 0; i < c->devices; i++)
		live += c->device[i].live;
	/* [devices] Itself, and then whoever is live. */
	return CHAIN_MAX - c->n >= 1 + (live + 1) + spare;
}

int
chain_make_entry(const struct chain *c, const struct chain_make *m,
    const struct sign_key *key, uint8_t out[static CHAIN_ENTRY_LEN])
{
	uint8_t got[CHAIN_ENTRY_LEN], id[ID_LEN];
	uint8_t text[sizeof(SIGN_LABEL) + CHAIN_SIGNED_LEN];
	struct buf b = { .p = got, .cap = sizeof(got), .max = sizeof(got) };
	struct wr w = wr_to(&b);
	struct item it;
	int rc;

	chain_device_id(&m->sign, &m->box, id);
	wr_u8(&w, VERSION);
	wr_u8(&w, (uint8_t)m->op);
	wr_u16(&w, 0);
	wr_u32(&w, c->n);
	wr_copy(&w, c->last, HASH_LEN);
	wr_copy(&w, c->n == 0 ? m->account : c->account, ID_LEN);
	wr_copy(&w, id, ID_LEN);
	wr_copy(&w, m->sign.b, sizeof(m->sign.b));
	wr_copy(&w, m->box.b, sizeof(m->box.b));
	wr_copy(&w, m->signer, ID_LEN);
	assert(wr_finish(&w) == 0 && b.n == CHAIN_SIGNED_LEN);
	signed_text(got, text);
	sign_make(key, bytes_of(text, sizeof(text)), got + CHAIN_SIGNED_LEN);
	rc = verify(c, bytes_of(got, sizeof(got)), &it);
	if (rc == 0)
		memcpy(out, got, CHAIN_ENTRY_LEN);
	return rc;
}
