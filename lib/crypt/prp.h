// SPDX-License-Identifier: Apache-2.0
/* AES-128 as a keyed permutation of single blocks, many in one call. */
#ifndef SKERRY_CRYPT_PRP_H
#define SKERRY_CRYPT_PRP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define PRP_KEY_LEN 16
#define PRP_BLOCK 16u

/* Belongs to one thread. */
struct prp;

/* Sets *out.  FAULT_MEMORY, FAULT_INTERNAL. */
int prp_new(const uint8_t key[static PRP_KEY_LEN],
    struct prp **out) must_check;
void prp_free(struct prp *p);

/* Permutes n blocks, n below 2^26; in and out do not overlap.
 * FAULT_INTERNAL. */
int prp_blocks(struct prp *p, const uint8_t *in, size_t n,
    uint8_t *out) must_check;

#endif
