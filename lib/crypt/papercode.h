// SPDX-License-Identifier: Apache-2.0
/*
 * A secret of 20 bytes as people copy it: base32 in groups of four, with a last
 * group that finds typing errors.  spec/10-names.md, "Code on paper".  Each
 * kind of code has a domain, so that one is not taken for another.
 */
#ifndef SKERRY_CRYPT_PAPERCODE_H
#define SKERRY_CRYPT_PAPERCODE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define PAPERCODE_LEN 20
#define PAPERCODE_TEXT_LEN 44 /* nine groups of four, hyphens between */

/* The code as text, NUL-terminated. */
void papercode_text(const char *domain,
    const uint8_t code[static PAPERCODE_LEN],
    char out[static PAPERCODE_TEXT_LEN + 1]);

/* The reverse, for text that a person typed.  FAULT_SECRET where the last group
 * does not fit the others, FAULT_MALFORMED for a wrong character or length. */
int papercode_parse(const char *domain, struct bytes text,
    uint8_t out[static PAPERCODE_LEN]) must_check;

#endif
