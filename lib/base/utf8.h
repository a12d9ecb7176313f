// SPDX-License-Identifier: Apache-2.0
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */
#ifndef SKERRY_BASE_UTF8_H
#define SKERRY_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that p[0..n) begins with; 0 where none does.  NUL is
 * a character of one byte. */
size_t utf8_len(const uint8_t *p, size_t n);

#endif
