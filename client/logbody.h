// SPDX-License-Identifier: Apache-2.0
/* What an entry of the log says to whom it is opened: spec/60-log.md, Entries
 * and Proofs. */
#ifndef SKERRY_CLIENT_LOGBODY_H
#define SKERRY_CLIENT_LOGBODY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "net/httpsig.h"
#include "object/limits.h"
#include "tlog/body.h"
#include "tlog/leaf.h"
#include "tlog/proof.h"

#define LOGBODY_SESSION "/v1/session" /* whose request a release answers */

/* One type's members are filled; the rest is zero. */
struct logbody {
	enum leaf_type type;
	uint8_t account[ID_LEN];
	uint8_t space[ID_LEN];  /* not of 2 and 3 */
	uint8_t device[ID_LEN]; /* 2, 3, 5 */
	uint8_t hash[HASH_LEN]; /* of the chain entry: 1, 2, 3; of the receipt
	                         * for a custody that was left: 9, or zero */
	uint32_t epoch;         /* 5, 6, 9 */
	struct httpsig_kept request; /* 5: who asked, in its own words … */
	char host[BODY_HOST_MAX + 1]; /* … and whom */
};

/* A body of that type, strictly.  FAULT_MALFORMED; FAULT_VERSION for types
 * that belong to no space. */
int logbody_parse(enum leaf_type type, struct bytes body,
    struct logbody *out) must_check;

/* That the device with this key signed the request which a release answers.
 * FAULT_TAMPERED, FAULT_MALFORMED. */
int logbody_asked(const struct logbody *b,
    const struct sign_pub *device) must_check;

/* "release" and the like; never NULL. */
const char *logbody_what(uint8_t type);

/*
 * A proof that opens its entry: extra is leaf key ‖ u16 n ‖ entry [n] ‖ body.
 * Parses all of it, and opens the entry.  raw holds what the rest points into;
 * text is borrowed.  FAULT_MALFORMED, FAULT_VERSION, FAULT_LIMIT, FAULT_MEMORY,
 * FAULT_TAMPERED (key and body are not the entry's).  The log is not looked at:
 * that is for proof_check.
 */
struct logopen {
	struct buf raw; /* of extra; wiped by the caller */
	struct proof proof;
	struct leaf_key key;
	struct bytes entry, body;
	struct leaf leaf;
};
int logopen_parse(struct bytes text, struct logopen *out) must_check;

/* The same without opening: of an entry whose body nobody has. */
int logopen_read(struct bytes text, struct logopen *out) must_check;
void logopen_wipe(struct logopen *o);

/* Appends such a proof; o's entry, body, key, and the proof but its extra, are
 * read.  FAULT_LIMIT, FAULT_MEMORY. */
int logopen_format(const struct logopen *o, struct buf *out) must_check;

#endif
