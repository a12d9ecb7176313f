// SPDX-License-Identifier: Apache-2.0
#include "base/wr.h"

struct wr
wr_to(struct buf *b)
{
	return (struct wr){ .b = b };
}

void
wr_copy(struct wr *w, const void *p, size_t n)
{
	if (w->rc == 0)
		w->rc = buf_append(w->b, p, n);
}

static void
be(struct wr *w, uint64_t v, size_t n)
{
	uint8_t out[8];

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	wr_copy(w, out, n);
}

void
wr_u8(struct wr *w, uint8_t v)
{
	be(w, v, 1);
}

void
wr_u16(struct wr *w, uint16_t v)
{
	be(w, v, 2);
}

void
wr_u32(struct wr *w, uint32_t v)
{
	be(w, v, 4);
}

void
wr_u64(struct wr *w, uint64_t v)
{
	be(w, v, 8);
}

int
wr_finish(const struct wr *w)
{
	return w->rc;
}
