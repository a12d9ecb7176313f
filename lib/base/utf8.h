// SPDX-License-Identifier: Apache-2.0
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */
#ifndef SKERRY_BASE_UTF8_H
#define SKERRY_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that p[0..n) begins with; 0 where none does.  NUL is
 * a character of one byte. */
size_t utf8_len(const uint8_t *p, size_t n);

/* Whether all of p[0..n) is UTF-8. */
bool utf8_valid(const void *p, size_t n);

/* Whether a terminal shows the character of n bytes, as utf8_len has it, as
 * itself and nothing else: no control (C0, DEL, C1), none that turns the
 * direction of what is around it. */
bool utf8_harmless(const uint8_t *p, size_t n);

#endif
