// SPDX-License-Identifier: Apache-2.0
#include "object/receipt.h"

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/sign.h"

#define VERSION 1

int
receipt_signed(const struct receipt *r, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_copy(&w, RECEIPT_LABEL, sizeof(RECEIPT_LABEL));
	wr_u8(&w, VERSION);
	wr_u8(&w, (uint8_t)r->what);
	wr_u16(&w, 0);
	wr_u32(&w, r->epoch);
	wr_copy(&w, r->space, ID_LEN);
	wr_u64(&w, (uint64_t)r->time);
	wr_copy(&w, r->blobs, HASH_LEN);
	return wr_finish(&w);
}

int
receipt_check(struct bytes in, const struct sign_pub *authority,
    struct receipt *out)
{
	struct buf b defer(buf_wipe) = buf_init(256);
	struct rd rd = rd_from(in.p, in.n);
	uint8_t sig[SIGN_LEN], what;
	struct receipt r;
	int rc;

	if (rd_u8(&rd) != VERSION)
		return rd.failed ? FAULT_MALFORMED : FAULT_VERSION;
	what = rd_u8(&rd);
	rd_require(&rd, what == RECEIPT_EPOCH || what == RECEIPT_CUSTODY);
	rd_require(&rd, rd_u16(&rd) == 0);
	r.what = what;
	r.epoch = rd_u32(&rd);
	rd_require(&rd, r.epoch >= 1);
	rd_copy(&rd, r.space, ID_LEN);
	r.time = (int64_t)rd_u64(&rd);
	rd_require(&rd, r.time >= 0);
	rd_copy(&rd, r.blobs, HASH_LEN);
	rd_copy(&rd, sig, sizeof(sig));
	rc = rd_finish(&rd);
	if (rc == 0)
		rc = receipt_signed(&r, &b);
	if (rc == 0)
		rc = sign_check(authority, buf_bytes(&b), sig);
	if (rc != 0)
		return rc;
	*out = r;
	return 0;
}
