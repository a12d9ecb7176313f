// SPDX-License-Identifier: Apache-2.0
#include "base/rd.h"

#include <string.h>

#include "base/fault.h"

struct rd
rd_from(const void *buf, size_t len)
{
	return (struct rd){ .p = buf, .left = len };
}

static void
fail(struct rd *r)
{
	r->failed = true;
	r->left = 0;
}

struct bytes
rd_take(struct rd *r, size_t n)
{
	struct bytes b;

	if (r->failed || n > r->left) {
		fail(r);
		return bytes_of(NULL, 0);
	}
	b = bytes_of(r->p, n);
	if (n != 0)
		r->p += n;
	r->left -= n;
	return b;
}

static uint64_t
be(struct rd *r, size_t n)
{
	struct bytes b = rd_take(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

uint8_t
rd_u8(struct rd *r)
{
	return (uint8_t)be(r, 1);
}

uint16_t
rd_u16(struct rd *r)
{
	return (uint16_t)be(r, 2);
}

uint32_t
rd_u32(struct rd *r)
{
	return (uint32_t)be(r, 4);
}

uint64_t
rd_u64(struct rd *r)
{
	return be(r, 8);
}

void
rd_copy(struct rd *r, void *out, size_t n)
{
	struct bytes b = rd_take(r, n);

	if (b.n != n)
		memset(out, 0, n);
	else if (n != 0)
		memcpy(out, b.p, n);
}

void
rd_require(struct rd *r, bool ok)
{
	if (!ok)
		fail(r);
}

int
rd_finish(const struct rd *r)
{
	return r->failed || r->left != 0 ? FAULT_MALFORMED : 0;
}
