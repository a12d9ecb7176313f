// SPDX-License-Identifier: Apache-2.0
#include "authority/posting.h"

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"

int
posting_write(const struct posting *p, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_u8(&w, (uint8_t)p->n);
	for (size_t i = 0; i < p->n; i++) {
		const struct posting_one *o = &p->one[i];

		wr_u8(&w, o->witness);
		wr_u64(&w, o->old);
		wr_u8(&w, (uint8_t)o->proof.n);
		wr_copy(&w, o->proof.hash, o->proof.n * MERKLE_LEN);
	}
	wr_u32(&w, (uint32_t)p->note.n);
	wr_copy(&w, p->note.p, p->note.n);
	return wr_finish(&w);
}

int
posting_read(struct bytes in, struct posting *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct posting p = { .n = rd_u8(&r) };
	int rc;

	rd_require(&r, p.n >= 1 && p.n <= POSTING_WITNESSES_MAX);
	for (size_t i = 0; !r.failed && i < p.n; i++) {
		struct posting_one *o = &p.one[i];

		o->witness = rd_u8(&r);
		rd_require(&r, o->witness < POSTING_WITNESSES_MAX);
		o->old = rd_u64(&r);
		o->proof.n = rd_u8(&r);
		rd_require(&r, o->proof.n <= MERKLE_PROOF_MAX);
		if (r.failed)
			return FAULT_MALFORMED;
		rd_copy(&r, o->proof.hash, o->proof.n * MERKLE_LEN);
	}
	p.note = rd_take(&r, rd_u32(&r));
	rd_require(&r, p.note.n <= NOTE_MAX);
	rc = rd_finish(&r);
	if (rc == 0)
		*out = p;
	return rc;
}

int
posting_answer_write(const struct posting_answer *a, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_u8(&w, a->witness);
	wr_u8(&w, a->kind);
	wr_u64(&w, a->size);
	wr_copy(&w, a->text.p, a->text.n);
	return wr_finish(&w);
}

int
posting_answer_read(struct bytes in, struct posting_answer *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct posting_answer a = { .witness = rd_u8(&r) };

	a.kind = rd_u8(&r);
	a.size = rd_u64(&r);
	rd_require(&r, a.witness < POSTING_WITNESSES_MAX);
	rd_require(&r, a.kind >= POSTING_LINES && a.kind <= POSTING_FAILED);
	rd_require(&r, r.left <= POSTING_TEXT_MAX);
	if (r.failed)
		return FAULT_MALFORMED;
	a.text = bytes_of(r.p, r.left);
	*out = a;
	return 0;
}
