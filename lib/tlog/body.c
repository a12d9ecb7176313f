// SPDX-License-Identifier: Apache-2.0
#include "tlog/body.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"

int
body_release_write(const struct body_release *b, struct buf *out)
{
	size_t n = strnlen(b->host, sizeof(b->host) - 1);
	struct wr w = wr_to(out);

	wr_copy(&w, b->account, ID_LEN);
	wr_copy(&w, b->space, ID_LEN);
	wr_u32(&w, b->epoch);
	wr_copy(&w, b->device, ID_LEN);
	wr_u64(&w, b->created);
	wr_copy(&w, b->nonce, BODY_NONCE_LEN);
	wr_copy(&w, b->digest, BODY_DIGEST_LEN);
	wr_copy(&w, b->signature, SIGN_LEN);
	wr_u8(&w, (uint8_t)n);
	wr_copy(&w, b->host, n);
	return wr_finish(&w);
}

int
body_release_read(struct bytes in, struct body_release *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct body_release b = { 0 };
	size_t n;
	int rc;

	rd_copy(&r, b.account, ID_LEN);
	rd_copy(&r, b.space, ID_LEN);
	b.epoch = rd_u32(&r);
	rd_copy(&r, b.device, ID_LEN);
	b.created = rd_u64(&r);
	rd_copy(&r, b.nonce, BODY_NONCE_LEN);
	rd_copy(&r, b.digest, BODY_DIGEST_LEN);
	rd_copy(&r, b.signature, SIGN_LEN);
	n = rd_u8(&r);
	rd_copy(&r, b.host, n);
	rd_require(&r, memchr(b.host, 0, n) == NULL);
	rc = rd_finish(&r);
	if (rc != 0)
		return rc;
	*out = b;
	return 0;
}
