// SPDX-License-Identifier: Apache-2.0
/* The recovery code that a person keeps on paper: spec/10-names.md. */
#ifndef SKERRY_CRYPT_RECOVERY_H
#define SKERRY_CRYPT_RECOVERY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "crypt/papercode.h"

#define RECOVERY_LEN PAPERCODE_LEN
#define RECOVERY_TEXT_LEN PAPERCODE_TEXT_LEN

/* Belongs in secret memory. */
struct recovery_code {
	uint8_t b[RECOVERY_LEN];
};

/* A random code. */
void recovery_new(struct recovery_code *out);

/* The code as text, NUL-terminated. */
void recovery_text(const struct recovery_code *code,
    char out[static RECOVERY_TEXT_LEN + 1]);

/* The reverse, with the errors of papercode_parse(). */
int recovery_parse(struct bytes text, struct recovery_code *out) must_check;

/* What the code stands for.  FAULT_INTERNAL. */
int recovery_keys(const struct recovery_code *code, struct sign_key *sign,
    struct box_key *box) must_check;

#endif
