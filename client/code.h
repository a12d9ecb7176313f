// SPDX-License-Identifier: Apache-2.0
/* A device's id as the code that people compare and type: base32 (spec/00) in
 * groups of four.  And what is alike for codes on paper, which are secret:
 * crypt/papercode.h. */
#ifndef SKERRY_CLIENT_CODE_H
#define SKERRY_CLIENT_CODE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"

#define CODE_LINE_MAX 256 /* bytes of a file with a code on paper */

#define CODE_SYMBOLS 26 /* of 16 bytes */
#define CODE_SIZE (CODE_SYMBOLS + (CODE_SYMBOLS - 1) / 4 + 1) /* with NUL */

void code_text(const uint8_t id[static ID_LEN], char out[static CODE_SIZE]);

/* The account check of spec/15-devices.md: 10 bytes, the same form. */
#define CODE_CHECK_LEN 10
#define CODE_CHECK_SIZE (16 + 3 + 1)
void code_check_text(const uint8_t hash[static CODE_CHECK_LEN],
    char out[static CODE_CHECK_SIZE]);
int code_check_parse(const char *text,
    uint8_t out[static CODE_CHECK_LEN]) must_check;

/* Hyphens, blanks and case do not matter.  FAULT_MALFORMED. */
int code_parse(const char *text, uint8_t out[static ID_LEN]) must_check;

/* Appends what a file has of a code on paper, without the end of its line. */
int code_read(const char *file, struct buf *out, struct fault *f) must_check;

/* FAULT_SECRET and why, of a code that was not parsed; what: "recovery code".
 * Other rc as they are. */
int code_unread(const char *what, int rc, struct fault *f) must_check;

#endif
