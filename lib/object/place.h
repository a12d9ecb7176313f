// SPDX-License-Identifier: Apache-2.0
/* Where a sealing lies: 24 bytes, spec/20-pack.md. */
#ifndef SKERRY_OBJECT_PLACE_H
#define SKERRY_OBJECT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"
#include "crypt/keys.h"
#include "object/limits.h"

#define PLACE_LEN 24u

struct place {
	uint8_t object[ID_LEN];
	uint32_t offset;
	uint32_t length; /* of the sealing, with its tag */
};

/* length >= SEAL_OVERHEAD, offset + length <= PACK_SIZE. */
bool place_valid(const struct place *p);

/* Reads one; fails r where it is not valid. */
void place_read(struct rd *r, struct place *out);
void place_write(struct wr *w, const struct place *p);

#endif
