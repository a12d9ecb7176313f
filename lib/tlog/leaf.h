// SPDX-License-Identifier: Apache-2.0
/*
 * The entries of Skerry's log: blinded, recognised by who has the log key, and
 * opened one at a time to an auditor.  spec/60-log.md, Entries.
 */
#ifndef SKERRY_TLOG_LEAF_H
#define SKERRY_TLOG_LEAF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define LEAF_NONCE_LEN 16
#define LEAF_TAG_LEN 32
#define LEAF_PUBLIC_MAX 1024 /* bytes */
#define LEAF_BODY_MAX 4096   /* bytes */
#define LEAF_HEAD_LEN 92     /* bytes of an entry before its public part */
#define LEAF_MAX (LEAF_HEAD_LEN + LEAF_PUBLIC_MAX)

enum leaf_type {
	LEAF_ENROLMENT = 1,
	LEAF_DEVICE_ADDED,
	LEAF_DEVICE_REVOKED,
	LEAF_CUSTODY,
	LEAF_RELEASE,
	LEAF_EPOCH,
	LEAF_REQUEST,
	LEAF_POLICY,
	LEAF_SHRED,
};

/* Of a space (or of the request desk): recognises all its entries. */
struct leaf_log_key {
	uint8_t b[KEY_LEN];
};

/* Of one entry: recognises and opens it, and no other. */
struct leaf_key {
	uint8_t b[KEY_LEN];
};

struct leaf {
	uint8_t type; /* enum leaf_type */
	uint64_t time; /* Unix seconds */
	uint8_t nonce[LEAF_NONCE_LEN];
	uint8_t tag[LEAF_TAG_LEN];
	uint8_t commitment[LEAF_TAG_LEN];
	struct bytes open; /* public part, borrowed */
};

/* The log key of a space.  FAULT_INTERNAL. */
int leaf_log_key(const struct dedup_key *dedup, struct leaf_log_key *out)
	must_check;

/* The same of a space that has only its first epoch, from that one's key. */
int leaf_log_key_first(const struct space_key *epoch1,
    struct leaf_log_key *out) must_check;

/* The key of the entry that has this nonce. */
void leaf_key(const struct leaf_log_key *log,
    const uint8_t nonce[static LEAF_NONCE_LEN], struct leaf_key *out);

/* Fills tag and commitment from the other members and body. */
void leaf_blind(const struct leaf_key *key, struct bytes body,
    struct leaf *io);

/* Whether the entry was made with this key: recognition. */
bool leaf_is(const struct leaf *l, const struct leaf_key *key);

/* Whether body is what the entry commits to, and key its key.  0, or
 * FAULT_TAMPERED. */
int leaf_open(const struct leaf *l, const struct leaf_key *key,
    struct bytes body) must_check;

/* Appends the entry's bytes.  FAULT_LIMIT, FAULT_MEMORY, FAULT_MALFORMED for a
 * type that there is not. */
int leaf_encode(const struct leaf *l, struct buf *out) must_check;

/* Borrows the entry.  FAULT_MALFORMED, FAULT_VERSION, FAULT_LIMIT. */
int leaf_decode(struct bytes entry, struct leaf *out) must_check;

#endif
