// SPDX-License-Identifier: Apache-2.0
#include "authority/request.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"

static void
text_write(struct wr *w, const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	wr_u16(w, (uint16_t)n);
	wr_copy(w, s, n);
}

/* max counts the NUL. */
static void
text_read(struct rd *r, char *out, size_t max)
{
	size_t n = rd_u16(r);

	rd_require(r, n < max);
	if (r->failed)
		n = 0;
	rd_copy(r, out, n);
	rd_require(r, memchr(out, 0, n) == NULL);
	out[n] = '\0';
}

int
request_write(const struct request *q, struct buf *out)
{
	struct wr w = wr_to(out);

	text_write(&w, q->path, sizeof(q->path));
	text_write(&w, q->sig.digest, sizeof(q->sig.digest));
	text_write(&w, q->sig.input, sizeof(q->sig.input));
	text_write(&w, q->sig.signature, sizeof(q->sig.signature));
	wr_u32(&w, (uint32_t)q->body.n);
	wr_copy(&w, q->body.p, q->body.n);
	return wr_finish(&w);
}

int
request_read(struct bytes in, struct request *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct request q = { 0 };
	uint32_t n;
	int rc;

	text_read(&r, q.path, sizeof(q.path));
	text_read(&r, q.sig.digest, sizeof(q.sig.digest));
	text_read(&r, q.sig.input, sizeof(q.sig.input));
	text_read(&r, q.sig.signature, sizeof(q.sig.signature));
	n = rd_u32(&r);
	rd_require(&r, n <= REQUEST_BODY_MAX);
	q.body = rd_take(&r, n);
	rc = rd_finish(&r);
	if (rc != 0)
		return rc;
	*out = q;
	return 0;
}

int
request_answer_write(const struct request_answer *a, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_u16(&w, (uint16_t)a->status);
	wr_u64(&w, a->log.size);
	wr_u64(&w, a->log.appends);
	wr_u64(&w, (uint64_t)a->log.shown);
	wr_u64(&w, a->log.ahead);
	wr_copy(&w, a->json.p, a->json.n);
	return wr_finish(&w);
}

int
request_answer_read(struct bytes in, struct request_answer *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct request_answer a = { .status = rd_u16(&r) };

	a.log.size = rd_u64(&r);
	a.log.appends = rd_u64(&r);
	a.log.shown = (int64_t)rd_u64(&r);
	a.log.ahead = rd_u64(&r);
	rd_require(&r, a.status >= 200 && a.status <= 599);
	if (r.failed)
		return FAULT_MALFORMED;
	a.json = bytes_of(r.p, r.left);
	*out = a;
	return 0;
}
