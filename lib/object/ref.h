// SPDX-License-Identifier: Apache-2.0
/* All that opens one tree node or commit: 92 bytes, spec/20-pack.md. */
#ifndef SKERRY_OBJECT_REF_H
#define SKERRY_OBJECT_REF_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/keys.h"
#include "object/limits.h"
#include "object/place.h"

#define REF_LEN 92u

struct ref {
	struct place place;
	uint32_t plain_len; /* of the content, before the codec; >= 1 */
	struct seal_key key;
	uint8_t hash[HASH_LEN]; /* treehash of the content */
};

/* Reads one; fails r where it is not valid: place_valid, plain_len
 * 1..COMMIT_MAX, place.length <= plain_len + SEAL_OVERHEAD. */
void ref_read(struct rd *r, struct ref *out);
void ref_write(struct wr *w, const struct ref *ref);

/* Of exactly REF_LEN bytes.  FAULT_MALFORMED. */
int ref_decode(struct bytes in, struct ref *out) must_check;

/* Writes REF_LEN bytes. */
void ref_encode(const struct ref *ref, uint8_t out[static REF_LEN]);

#endif
