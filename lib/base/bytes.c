// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

int
bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c < 0 ? -1 : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

struct buf
buf_init(size_t max)
{
	return (struct buf){ .max = max };
}

int
buf_reserve(struct buf *b, size_t extra)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;
	uint8_t *p;

	if (extra > b->max || b->n > b->max - extra)
		return FAULT_LIMIT;
	if (b->n + extra <= b->cap)
		return 0;
	while (cap < b->n + extra)
		cap = cap > b->max / 2 ? b->max : cap * 2;

	/* Not realloc(): the old place may hold a secret. */
	p = malloc(cap);
	if (p == NULL)
		return FAULT_MEMORY;
	if (b->n != 0)
		memcpy(p, b->p, b->n);
	if (b->p != NULL) {
		explicit_bzero(b->p, b->n);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return 0;
}

int
buf_append(struct buf *b, const void *p, size_t n)
{
	int rc = buf_reserve(b, n);

	if (rc != 0)
		return rc;
	if (n != 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL) {
		explicit_bzero(b->p, b->cap);
		free(b->p);
	}
	*b = buf_init(b->max);
}
