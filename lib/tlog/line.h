// SPDX-License-Identifier: Apache-2.0
/*
 * The text forms that C2SP's log formats share: lines, decimals, base64
 * (RFC 4648 section 4, padded, one text per value).  All of it is public, so
 * time may depend on it.
 */
#ifndef SKERRY_TLOG_LINE_H
#define SKERRY_TLOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define LINE_B64_LEN(n) (((n) + 2) / 3 * 4)
#define LINE_U64_MAX 21 /* characters of a u64 with a NUL */

/* Cuts the next line off *left; *out is it without its newline.
 * FAULT_MALFORMED where no newline is left. */
int line_next(struct bytes *left, struct bytes *out) must_check;

/* Cuts prefix off the front of *line.  False: it does not begin so. */
bool line_skip(struct bytes *line, const char *prefix);

bool line_is(struct bytes line, const char *text);

/* Digits without leading zeros.  FAULT_MALFORMED. */
int line_u64(struct bytes text, uint64_t *out) must_check;

/* Digits and a NUL; returns their number. */
size_t line_u64_format(uint64_t v, char out[static LINE_U64_MAX]);

/* The text is base64 of some bytes; *n: how many.  FAULT_MALFORMED. */
int line_b64_check(struct bytes text, size_t *n) must_check;

/* The text is exactly n bytes in base64.  FAULT_MALFORMED. */
int line_b64_parse(struct bytes text, uint8_t *out, size_t n) must_check;

/* Appends the base64 of in.  FAULT_LIMIT, FAULT_MEMORY. */
int line_b64(struct bytes in, struct buf *out) must_check;

/* Appends text without its NUL. */
int line_put(struct buf *out, const char *text) must_check;

#endif
