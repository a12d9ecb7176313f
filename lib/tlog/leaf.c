// SPDX-License-Identifier: Apache-2.0
#include "tlog/leaf.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/hash.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"

#define VERSION 1

static const char key_label[] = "skerry log v1 key";
static const char tag_label[] = "skerry log v1 tag";
static const char body_label[] = "skerry log v1 body";

int
leaf_log_key(const struct dedup_key *dedup, struct leaf_log_key *out)
{
	return kdf_hkdf(bytes_of(dedup->b, sizeof(dedup->b)),
	    bytes_of(NULL, 0), "skerry/1 log", out->b, sizeof(out->b));
}

int
leaf_log_key_first(const struct space_key *epoch1, struct leaf_log_key *out)
{
	struct dedup_key dedup;
	int rc = kdf_hkdf(bytes_of(epoch1->b, sizeof(epoch1->b)),
	    bytes_of(NULL, 0), "skerry/1 dedup", dedup.b, sizeof(dedup.b));

	if (rc == 0)
		rc = leaf_log_key(&dedup, out);
	explicit_bzero(&dedup, sizeof(dedup));
	return rc;
}

void
leaf_key(const struct leaf_log_key *log,
    const uint8_t nonce[static LEAF_NONCE_LEN], struct leaf_key *out)
{
	const struct bytes part[] = {
		bytes_of(key_label, sizeof(key_label) - 1),
		bytes_of(nonce, LEAF_NONCE_LEN) };

	hash_hmac(log->b, part, ARRAY_LEN(part), out->b);
}

/* HMAC(key, label ‖ type ‖ time ‖ nonce ‖ SHA-256(public part) ‖ body). */
static void
blind(const struct leaf *l, const struct leaf_key *key, const char *label,
    struct bytes body, uint8_t out[static LEAF_TAG_LEN])
{
	uint8_t type_time[9], open[32];
	const struct bytes part[] = { bytes_of(label, strlen(label)),
		bytes_of(type_time, sizeof(type_time)),
		bytes_of(l->nonce, LEAF_NONCE_LEN),
		bytes_of(open, sizeof(open)), body };

	type_time[0] = l->type;
	for (unsigned i = 0; i < 8; i++)
		type_time[1 + i] = (uint8_t)(l->time >> (56 - 8 * i));
	hash_sha256(&l->open, 1, open);
	hash_hmac(key->b, part, ARRAY_LEN(part), out);
}

void
leaf_blind(const struct leaf_key *key, struct bytes body, struct leaf *io)
{
	blind(io, key, tag_label, bytes_of(NULL, 0), io->tag);
	blind(io, key, body_label, body, io->commitment);
}

bool
leaf_is(const struct leaf *l, const struct leaf_key *key)
{
	uint8_t tag[LEAF_TAG_LEN];

	blind(l, key, tag_label, bytes_of(NULL, 0), tag);
	return secret_equal(tag, l->tag, sizeof(tag));
}

int
leaf_open(const struct leaf *l, const struct leaf_key *key, struct bytes body)
{
	uint8_t commitment[LEAF_TAG_LEN];

	if (!leaf_is(l, key))
		return FAULT_TAMPERED;
	blind(l, key, body_label, body, commitment);
	return secret_equal(commitment, l->commitment, sizeof(commitment)) ?
	    0 : FAULT_TAMPERED;
}

static bool
known(uint8_t type)
{
	return type >= LEAF_ENROLMENT && type <= LEAF_SHRED;
}

int
leaf_encode(const struct leaf *l, struct buf *out)
{
	struct wr w = wr_to(out);
	size_t n = out->n;

	if (!known(l->type))
		return FAULT_MALFORMED;
	if (l->open.n > LEAF_PUBLIC_MAX)
		return FAULT_LIMIT;
	wr_u8(&w, VERSION);
	wr_u8(&w, l->type);
	wr_u64(&w, l->time);
	wr_copy(&w, l->nonce, sizeof(l->nonce));
	wr_copy(&w, l->tag, sizeof(l->tag));
	wr_copy(&w, l->commitment, sizeof(l->commitment));
	wr_u16(&w, (uint16_t)l->open.n);
	wr_copy(&w, l->open.p, l->open.n);
	if (wr_finish(&w) != 0)
		out->n = n;
	return wr_finish(&w);
}

int
leaf_decode(struct bytes entry, struct leaf *out)
{
	struct rd r = rd_from(entry.p, entry.n);
	struct leaf l;
	uint16_t n;

	if (rd_u8(&r) != VERSION)
		return entry.n == 0 ? FAULT_MALFORMED : FAULT_VERSION;
	l.type = rd_u8(&r);
	l.time = rd_u64(&r);
	rd_copy(&r, l.nonce, sizeof(l.nonce));
	rd_copy(&r, l.tag, sizeof(l.tag));
	rd_copy(&r, l.commitment, sizeof(l.commitment));
	n = rd_u16(&r);
	if (n > LEAF_PUBLIC_MAX)
		return FAULT_LIMIT;
	l.open = rd_take(&r, n);
	rd_require(&r, known(l.type));
	if (rd_finish(&r) != 0)
		return FAULT_MALFORMED;
	*out = l;
	return 0;
}
