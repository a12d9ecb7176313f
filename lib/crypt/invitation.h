// SPDX-License-Identifier: Apache-2.0
/* The code that lets somebody make an account at an authority which wants one:
 * spec/10-names.md. */
#ifndef SKERRY_CRYPT_INVITATION_H
#define SKERRY_CRYPT_INVITATION_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/papercode.h"

#define INVITATION_LEN PAPERCODE_LEN
#define INVITATION_TEXT_LEN PAPERCODE_TEXT_LEN
#define INVITATION_HASH_LEN 32

struct invitation {
	uint8_t b[INVITATION_LEN];
};

/* A random one. */
void invitation_new(struct invitation *out);

/* It as text, NUL-terminated. */
void invitation_text(const struct invitation *in,
    char out[static INVITATION_TEXT_LEN + 1]);

/* The reverse, with the errors of papercode_parse(): a recovery code is none of
 * these. */
int invitation_parse(struct bytes text, struct invitation *out) must_check;

/* What an authority keeps of it. */
void invitation_hash(const struct invitation *in,
    uint8_t out[static INVITATION_HASH_LEN]);

#endif
