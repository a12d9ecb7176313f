// SPDX-License-Identifier: Apache-2.0
/* A pack under construction: spec/20-pack.md. */
#ifndef SKERRY_OBJECT_PACK_H
#define SKERRY_OBJECT_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "object/limits.h"
#include "object/place.h"

struct pack {
	uint8_t id[ID_LEN]; /* object id */
	uint8_t *p;         /* owned; PACK_SIZE bytes */
	uint32_t n;         /* bytes in use */
};

/* n rounded up so that its size tells little; n itself below 2. */
uint64_t pack_padme(uint64_t n);

/* Allocates the buffer and begins an empty pack.  FAULT_MEMORY. */
int pack_init(struct pack *k) must_check;
void pack_wipe(struct pack *k);

/* Begins anew in the same buffer, with a new random id. */
void pack_begin(struct pack *k);

/* Bytes that still fit. */
static inline size_t
pack_room(const struct pack *k)
{
	return PACK_SIZE - k->n;
}

/* Where the next sealing goes: pack_room() bytes. */
static inline uint8_t *
pack_tail(struct pack *k)
{
	return k->p + k->n;
}

/* Takes the length bytes that were written to pack_tail() and says where they
 * lie.  length is SEAL_OVERHEAD..pack_room(). */
struct place pack_commit(struct pack *k, uint32_t length);

/* Copies a sealing in.  FAULT_LIMIT where there is no room. */
int pack_append(struct pack *k, struct bytes sealed,
    struct place *out) must_check;

/* Fills up with random bytes to PACK_SIZE, or, where it is the last of a put,
 * to pack_padme(n), at least PACK_MIN.  The bytes to upload; borrowed until
 * pack_begin.  Empty where nothing was put in. */
struct bytes pack_finish(struct pack *k, bool last);

#endif
