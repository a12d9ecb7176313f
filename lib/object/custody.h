// SPDX-License-Identifier: Apache-2.0
/*
 * The custody set: who holds a space's keys, in which jurisdictions, how many
 * of them it takes.  spec/55-custody.md.
 */
#ifndef SKERRY_OBJECT_CUSTODY_H
#define SKERRY_OBJECT_CUSTODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "object/chain.h"
#include "object/limits.h"

#define CUSTODY_HOLDERS_MAX 16
#define CUSTODY_LEN(n) (164u + 34u * (n))
#define CUSTODY_MAX CUSTODY_LEN(CUSTODY_HOLDERS_MAX)
#define CUSTODY_DELAY 2592000 /* seconds, where the policy says none */

enum custody_mode {
	CUSTODY_STANDARD = 1,
	CUSTODY_SPLIT = 2,
	CUSTODY_SEALED = 3,
};

enum custody_kind {
	CUSTODY_DEVICE = 1,   /* signed by a device of the chain */
	CUSTODY_OPERATOR = 2, /* announced: signed by the policy key */
};

struct custody_holder {
	struct sign_pub signing; /* the authority's */
	char jurisdiction[3];
};

struct custody {
	enum custody_mode mode;
	uint8_t k, n;
	uint32_t serial;
	uint32_t epoch; /* the first that is kept this way */
	uint8_t space[ID_LEN];
	uint8_t prev[HASH_LEN]; /* custody_hash of the set before */
	int64_t time, effective;
	struct custody_holder holder[CUSTODY_HOLDERS_MAX]; /* 0: the home */
	enum custody_kind kind;
	uint8_t signer[ID_LEN]; /* of a device; zero for the operator */
	uint8_t raw[CUSTODY_MAX]; /* as it was signed … */
	size_t len;               /* … and how long that is */
};

/* Strict; the signature is not looked at.  FAULT_VERSION, FAULT_MALFORMED. */
int custody_decode(struct bytes in, struct custody *out) must_check;

/* Signs what is in c (n holders, kind, signer and all) and fills raw.
 * FAULT_USAGE where custody_decode would not take it. */
int custody_sign(struct custody *c, const struct sign_key *key) must_check;

/* SHA-256 of the whole set, for the next one's prev. */
void custody_hash(const struct custody *c, uint8_t out[static HASH_LEN]);

/* Whom a set may be signed by. */
struct custody_who {
	const struct chain *chain;
	const struct sign_pub *policy; /* the pinned policy key, or NULL */
	int64_t delay;                 /* of announcements, in seconds */
};

/*
 * The signature: of a device that the chain has, revoked or not (*live says),
 * or of the policy key with effective >= time + delay.  FAULT_TRUST where the
 * signer is nobody who may, or the delay too short; FAULT_TAMPERED.
 */
int custody_check(const struct custody *c, const struct custody_who *who,
    bool *live) must_check;

/* Whether next is the set right after prev: FAULT_TRUST if not.  prev NULL: the
 * first set of the space. */
int custody_follows(const struct custody *prev, const struct custody *next,
    const uint8_t space[static ID_LEN]) must_check;

/* The same bytes. */
bool custody_same(const struct custody *a, const struct custody *b);

/* Position of a holder; -1 if it is none. */
int custody_find(const struct custody *c, const struct sign_pub *signing);

/* "standard", "split", "sealed". */
const char *custody_mode_text(enum custody_mode mode);

#endif
