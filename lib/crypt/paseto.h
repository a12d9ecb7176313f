// SPDX-License-Identifier: Apache-2.0
/* PASETO v4.public: a signed JSON payload, no footer, no implicit assertion. */
#ifndef SKERRY_CRYPT_PASETO_H
#define SKERRY_CRYPT_PASETO_H

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define PASETO_TOKEN_MAX 262144 /* characters; callers set lower limits */

/* Appends "v4.public.…" (no NUL) to out.  FAULT_LIMIT, FAULT_MEMORY. */
int paseto_sign(const struct sign_key *key, struct bytes payload,
    struct buf *out) must_check;

/* Appends the payload of a token to out.  FAULT_MALFORMED, FAULT_TAMPERED,
 * FAULT_LIMIT, FAULT_MEMORY. */
int paseto_verify(const struct sign_pub *pub, struct bytes token,
    struct buf *out) must_check;

#endif
