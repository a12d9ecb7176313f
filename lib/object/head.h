// SPDX-License-Identifier: Apache-2.0
/* The space's current commit, signed and sealed: spec/30-tree.md, Head. */
#ifndef SKERRY_OBJECT_HEAD_H
#define SKERRY_OBJECT_HEAD_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/bulk.h"
#include "crypt/keys.h"
#include "object/limits.h"
#include "object/ref.h"

#define HEAD_LEN 284u
#define HEAD_CLEAR_LEN 48u
#define HEAD_SALT_LEN 32u

struct head {
	uint32_t epoch;
	uint64_t number; /* >= 1 */
	uint8_t salt[HEAD_SALT_LEN];
	uint8_t space[ID_LEN];
	uint8_t prev[HASH_LEN]; /* SHA-256 of the previous head's bytes */
	struct ref commit;
	uint8_t device[ID_LEN]; /* who signed */
};

/* The signing key of a device whose heads count; FAULT_TRUST for any other.
 * chain_lookup() and chain_lookup_any() are such. */
struct head_lookup {
	int (*find)(void *arg, const uint8_t device[static ID_LEN],
	    struct sign_pub *out);
	void *arg;
};

/* Seals and signs; salt is taken from h, prev must be zero for number 1 and
 * only there.  FAULT_INTERNAL. */
int head_seal(struct bulk *b, const struct space_key *key,
    const struct sign_key *sign, const struct head *h,
    uint8_t out[static HEAD_LEN]) must_check;

/*
 * Checks version, opening, space, device, signature, in this order.  The caller
 * checks number and epoch against what it has seen.  FAULT_VERSION,
 * FAULT_MALFORMED, FAULT_TAMPERED (opening, signature), FAULT_TRUST (another
 * space; the lookup's).
 */
int head_open(struct bulk *b, const struct space_key *key,
    const uint8_t space[static ID_LEN], struct head_lookup who,
    struct bytes in, struct head *out) must_check;

/* The clear part, of HEAD_LEN bytes, for those without the key.  FAULT_VERSION,
 * FAULT_MALFORMED. */
int head_clear(struct bytes in, uint32_t *epoch, uint64_t *number) must_check;

/* SHA-256 of a head, for the next one's prev. */
void head_hash(struct bytes in, uint8_t out[static HASH_LEN]);

/* A random salt. */
void head_new_salt(struct head *h);

#endif
