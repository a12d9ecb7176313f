// SPDX-License-Identifier: Apache-2.0
#include "client/logbody.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "tlog/body.h"
#include "tlog/line.h"

static int
parse_release(struct bytes in, struct logbody *out)
{
	struct body_release b;
	struct logbody o = { .type = LEAF_RELEASE };
	int rc = body_release_read(in, &b);

	if (rc != 0)
		return rc;
	if (b.created > INT64_MAX || b.epoch == 0 || b.host[0] == '\0')
		return FAULT_MALFORMED;
	for (const char *p = b.host; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f)
			return FAULT_MALFORMED;
	memcpy(o.account, b.account, ID_LEN);
	memcpy(o.space, b.space, ID_LEN);
	memcpy(o.device, b.device, ID_LEN);
	o.epoch = b.epoch;
	o.request.params.created = (int64_t)b.created;
	memcpy(o.request.params.nonce, b.nonce, HTTPSIG_NONCE_LEN);
	memcpy(o.request.params.keyid, b.device, ID_LEN);
	memcpy(o.request.digest, b.digest, sizeof(o.request.digest));
	memcpy(o.request.signature, b.signature, SIGN_LEN);
	memcpy(o.host, b.host, sizeof(o.host));
	*out = o;
	return 0;
}

int
logbody_parse(enum leaf_type type, struct bytes body, struct logbody *out)
{
	struct rd r = rd_from(body.p, body.n);
	struct logbody b = { .type = type };
	int rc;

	rd_copy(&r, b.account, ID_LEN);
	switch (type) {
	case LEAF_ENROLMENT:
		rd_copy(&r, b.space, ID_LEN);
		rd_copy(&r, b.hash, HASH_LEN);
		break;
	case LEAF_DEVICE_ADDED:
	case LEAF_DEVICE_REVOKED:
		rd_copy(&r, b.device, ID_LEN);
		rd_copy(&r, b.hash, HASH_LEN);
		break;
	case LEAF_CUSTODY:
		rd_copy(&r, b.space, ID_LEN);
		break;
	case LEAF_RELEASE:
		return parse_release(body, out);
	case LEAF_EPOCH:
	case LEAF_SHRED:
		rd_copy(&r, b.space, ID_LEN);
		b.epoch = rd_u32(&r);
		rd_require(&r, b.epoch != 0);
		if (type == LEAF_SHRED && r.left != 0)
			rd_copy(&r, b.hash, HASH_LEN);
		break;
	default:
		return FAULT_VERSION;
	}
	rc = rd_finish(&r);
	if (rc == 0)
		*out = b;
	return rc;
}

int
logbody_asked(const struct logbody *b, const struct sign_pub *device)
{
	return httpsig_check_kept(device, &b->request, b->host,
	    LOGBODY_SESSION);
}

const char *
logbody_what(uint8_t type)
{
	static const char *const name[] = { "unknown", "enrolment",
		"device added", "device revoked", "custody set", "release",
		"epoch rotated", "request", "policy", "epoch destroyed" };

	return type < ARRAY_LEN(name) ? name[type] : name[0];
}

static int
split_extra(struct logopen *o)
{
	struct rd r;

	r = rd_from(o->raw.p, o->raw.n);
	rd_copy(&r, o->key.b, sizeof(o->key.b));
	o->entry = rd_take(&r, rd_u16(&r));
	o->body = rd_take(&r, r.left);
	rd_require(&r, o->body.n <= LEAF_BODY_MAX);
	return rd_finish(&r);
}

static int
parse(struct bytes text, struct logopen *o)
{
	size_t n = 0;
	int rc = proof_parse(text, &o->proof);

	if (rc == 0)
		rc = line_b64_check(o->proof.extra_b64, &n);
	if (rc == 0)
		rc = buf_reserve(&o->raw, n);
	if (rc == 0)
		rc = line_b64_parse(o->proof.extra_b64, o->raw.p, n);
	if (rc != 0)
		return rc;
	o->raw.n = n;
	rc = split_extra(o);
	return rc != 0 ? rc : leaf_decode(o->entry, &o->leaf);
}

int
logopen_parse(struct bytes text, struct logopen *out)
{
	struct logopen o;
	int rc = logopen_read(text, &o);

	if (rc == 0)
		rc = leaf_open(&o.leaf, &o.key, o.body);
	else
		return rc;
	if (rc != 0)
		logopen_wipe(&o);
	else
		*out = o;
	return rc;
}

int
logopen_read(struct bytes text, struct logopen *out)
{
	struct logopen o = { .raw = buf_init(PROOF_EXTRA_MAX) };
	int rc = parse(text, &o);

	if (rc != 0)
		logopen_wipe(&o);
	else
		*out = o;
	return rc;
}

void
logopen_wipe(struct logopen *o)
{
	buf_wipe(&o->raw);
}

int
logopen_format(const struct logopen *o, struct buf *out)
{
	struct buf extra defer(buf_wipe) = buf_init(PROOF_EXTRA_MAX);
	struct buf b64 defer(buf_wipe) = buf_init(
	    LINE_B64_LEN(PROOF_EXTRA_MAX) + 1);
	struct wr w = wr_to(&extra);
	struct proof p = o->proof;
	int rc;

	wr_copy(&w, o->key.b, sizeof(o->key.b));
	wr_u16(&w, (uint16_t)o->entry.n);
	wr_copy(&w, o->entry.p, o->entry.n);
	wr_copy(&w, o->body.p, o->body.n);
	rc = wr_finish(&w);
	if (rc == 0)
		rc = line_b64(buf_bytes(&extra), &b64);
	p.extra_b64 = buf_bytes(&b64);
	return rc != 0 ? rc : proof_format(&p, out);
}
