// SPDX-License-Identifier: Apache-2.0
/* Borrowed bytes, and an owned, growing buffer with a maximum. */
#ifndef SKERRY_BASE_BYTES_H
#define SKERRY_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct bytes {
	const uint8_t *p; /* borrowed; may be NULL if n is 0 */
	size_t n;
};

/* Borrows buf. */
static inline struct bytes
bytes_of(const void *buf, size_t n)
{
	return (struct bytes){ .p = buf, .n = n };
}

/* -1, 0, 1 as memcmp on unsigned bytes, the shorter first where one is the
 * other's prefix.  Not for secrets. */
int bytes_cmp(struct bytes a, struct bytes b);

struct buf {
	uint8_t *p; /* owned */
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated, <= max */
	size_t max; /* growing past this is FAULT_LIMIT */
};

/* An empty buffer; allocates nothing yet. */
struct buf buf_init(size_t max);

/* Makes room for extra more bytes.  FAULT_LIMIT, FAULT_MEMORY. */
int buf_reserve(struct buf *b, size_t extra) must_check;

/* Appends a copy.  FAULT_LIMIT, FAULT_MEMORY; b is unchanged on error. */
int buf_append(struct buf *b, const void *p, size_t n) must_check;

static inline struct bytes
buf_bytes(const struct buf *b)
{
	return (struct bytes){ .p = b->p, .n = b->n };
}

/* Zeroes everything that was allocated, frees it; b is empty, max kept.
 * Fit for defer(). */
void buf_wipe(struct buf *b);

#endif
