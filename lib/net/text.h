// SPDX-License-Identifier: Apache-2.0
/*
 * Short binary values as text: base64 with padding and lower-case hex, as
 * spec/00-conventions.md has them.  Each value has one valid text.  Time does
 * not depend on the values.
 */
#ifndef SKERRY_NET_TEXT_H
#define SKERRY_NET_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Characters of n bytes, with the NUL. */
#define TEXT_B64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
#define TEXT_HEX_SIZE(n) (2 * (n) + 1)

/* Writes the text and a NUL; max is at least TEXT_B64_SIZE(n). */
void text_b64(const void *p, size_t n, char *out, size_t max);

/* The text s is exactly n bytes in base64.  FAULT_MALFORMED. */
int text_b64_parse(const char *s, size_t len, void *out, size_t n) must_check;

/* Writes the text and a NUL; max is at least TEXT_HEX_SIZE(n). */
void text_hex(const void *p, size_t n, char *out, size_t max);

/* The text s is exactly n bytes in lower-case hex.  FAULT_MALFORMED. */
int text_hex_parse(const char *s, size_t len, void *out, size_t n) must_check;

#endif
