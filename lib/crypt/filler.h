// SPDX-License-Identifier: Apache-2.0
/* Many random bytes, fast. */
#ifndef SKERRY_CRYPT_FILLER_H
#define SKERRY_CRYPT_FILLER_H

#include <stddef.h>
#include <stdint.h>

/* n random bytes, n at most 2^38: one seed from secret_random, expanded by
 * ChaCha20.  Not for keys. */
void filler_random(uint8_t *out, size_t n);

#endif
