// SPDX-License-Identifier: Apache-2.0
/*
 * The only code that writes wire bytes.  A writer latches the first failure;
 * ask wr_finish() once at the end.
 */
#ifndef SKERRY_BASE_WR_H
#define SKERRY_BASE_WR_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

struct wr {
	struct buf *b; /* borrowed; grows up to its maximum */
	int rc;        /* first failure, or 0 */
};

/* Appends to b, which must outlive the writer. */
struct wr wr_to(struct buf *b);

/* Integers are big-endian. */
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_copy(struct wr *w, const void *p, size_t n);

/* 0, or the first of FAULT_LIMIT, FAULT_MEMORY. */
int wr_finish(const struct wr *w) must_check;

#endif
