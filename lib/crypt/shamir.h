// SPDX-License-Identifier: Apache-2.0
/*
 * Splitting a space key among holders: Shamir's scheme over GF(2^8), byte by
 * byte.  spec/55-custody.md, Splitting.
 */
#ifndef SKERRY_CRYPT_SHAMIR_H
#define SKERRY_CRYPT_SHAMIR_H

#include <stdint.h>

#include "base/attr.h"
#include "crypt/keys.h"

#define SHAMIR_MAX 16 /* holders */

/* Share number i + 1 goes to out[i], which is secret memory.  2 <= k <= n <=
 * SHAMIR_MAX, else FAULT_USAGE.  FAULT_MEMORY. */
int shamir_split(const struct space_key *key, unsigned k, unsigned n,
    struct key_share *out) must_check;

/* The same from given coefficients, coef[0] being the key; for the vectors. */
int shamir_split_by(const struct key_share *coef, unsigned k, unsigned n,
    struct key_share *out) must_check;

/*
 * The key from k shares, whose indices are distinct and 1..SHAMIR_MAX (else
 * FAULT_USAGE).  Shares that do not belong together give another key: only what
 * is sealed under the key tells.  FAULT_MEMORY.
 */
int shamir_join(const uint8_t *index, const struct key_share *share,
    unsigned k, struct space_key *out) must_check;

#endif
