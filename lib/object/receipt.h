// SPDX-License-Identifier: Apache-2.0
/* What an authority signs once it has destroyed keyslots: spec/55-custody.md,
 * Epochs. */
#ifndef SKERRY_OBJECT_RECEIPT_H
#define SKERRY_OBJECT_RECEIPT_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "object/limits.h"

#define RECEIPT_SIGNED_LEN 64
#define RECEIPT_LEN (RECEIPT_SIGNED_LEN + SIGN_LEN)
#define RECEIPT_EPOCH_AT 4 /* where the epoch is, u32 */
#define RECEIPT_LABEL "skerry receipt v1" /* with its zero byte */

enum receipt_what {
	RECEIPT_EPOCH = 1,   /* an epoch's keyslots and secret */
	RECEIPT_CUSTODY = 2, /* keyslots of a custody that was left */
};

struct receipt {
	enum receipt_what what;
	uint32_t epoch;
	uint8_t space[ID_LEN];
	int64_t time;
	uint8_t blobs[HASH_LEN]; /* SHA-256 of what was destroyed */
};

/* The bytes that are signed, RECEIPT_LABEL and its zero byte in front. */
int receipt_signed(const struct receipt *r, struct buf *out) must_check;

/* Strict, and under the authority's signing key.  FAULT_MALFORMED,
 * FAULT_VERSION, FAULT_TAMPERED. */
int receipt_check(struct bytes in, const struct sign_pub *authority,
    struct receipt *out) must_check;

#endif
