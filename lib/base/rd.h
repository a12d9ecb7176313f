// SPDX-License-Identifier: Apache-2.0
/*
 * The only code that reads wire bytes.  A reader latches failure and yields
 * zeros from then on, so a decoder reads all fields into a local, asks
 * rd_finish() once, and copies out: there is no partial result.
 */
#ifndef SKERRY_BASE_RD_H
#define SKERRY_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

struct rd {
	const uint8_t *p; /* next byte */
	size_t left;      /* bytes after p; 0 once failed */
	bool failed;      /* never goes back to false */
};

/* Borrows buf for the life of the reader. */
struct rd rd_from(const void *buf, size_t len);

/* Integers are big-endian. */
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);

/* Copies n bytes to out; zeros them where the reader fails. */
void rd_copy(struct rd *r, void *out, size_t n);

/* Borrows the next n bytes; {NULL, 0} where the reader fails. */
struct bytes rd_take(struct rd *r, size_t n);

/* Fails the reader unless ok. */
void rd_require(struct rd *r, bool ok);

/* 0 if every read succeeded and no byte is left; else FAULT_MALFORMED. */
int rd_finish(const struct rd *r) must_check;

#endif
