// SPDX-License-Identifier: Apache-2.0
/*
 * Crockford's base32, for codes that people copy by hand (spec/00-conventions).
 * Neither direction branches on the value of a symbol or looks it up, since a
 * code may be a secret.
 */
#ifndef SKERRY_BASE_BASE32_H
#define SKERRY_BASE_BASE32_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

/* Symbols that stand for n bytes. */
#define BASE32_LEN(n) (((n) * 8 + 4) / 5)

/* Writes BASE32_LEN(in.n) symbols in upper case, without a NUL. */
void base32_encode(struct bytes in, char *out);

/* Writes what text says in canonical symbols to out, without a NUL: hyphens and
 * spaces dropped, upper case, O as 0, I and L as 1.  Exactly n symbols, else,
 * and where any other character occurs, FAULT_MALFORMED. */
int base32_canonical(struct bytes text, char *out, size_t n) must_check;

/* The n bytes that text stands for; text is read as base32_canonical does.
 * FAULT_MALFORMED also where bits are set after the last byte. */
int base32_decode(struct bytes text, uint8_t *out, size_t n) must_check;

#endif
