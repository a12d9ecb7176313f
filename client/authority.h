// SPDX-License-Identifier: Apache-2.0
/*
 * A device's requests to its authority: spec/50-authority.md.  Each is signed,
 * and sent again under a new nonce where no answer came.
 */
#ifndef SKERRY_CLIENT_AUTHORITY_H
#define SKERRY_CLIENT_AUTHORITY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/answer.h"
#include "crypt/keys.h"
#include "net/http.h"
#include "net/policy.h"

struct authority;
struct invitation;
struct state;

struct authority_config {
	const struct policy_authority *peer;
	const struct sign_key *key;     /* who signs … */
	uint8_t signer[ID_LEN];         /* … and its device id */
	struct http_wire *wire;
	const atomic_bool *stop;
	const struct state *state; /* with what is pinned of the logs */
};

/* What config points to must outlive the handle.  No request is made.
 * FAULT_CONFIG where the policy has no log of the peer. */
int authority_open(const struct authority_config *config,
    struct authority **out, struct fault *f) must_check;
void authority_close(struct authority *a);
void authority_closep(struct authority **a);

/*
 * All of these: FAULT_AUTHORITY (no answer, or a fault of its own),
 * FAULT_TRUST (certificate), FAULT_CLOCK naming both clocks, FAULT_MALFORMED
 * (answer not understood), FAULT_INTERRUPTED, and the authority's own codes.
 * FAULT_LOG where what the answer says of the log does not hold: logcheck.h.
 */

/* body: of /v1/accounts, as JSON; see authority_account_body. */
int authority_create(struct authority *a, struct bytes body,
    struct fault *f) must_check;

/* What a session is asked for, and what is known already. */
struct authority_ask {
	const uint8_t *account, *space; /* ID_LEN bytes each; borrowed */
	uint32_t chain_seen;            /* entries */
	uint32_t custody_seen; /* serial of the pinned set; 0: none */
};

/* out is the caller's to wipe.  The request is noted as asked before it is
 * sent; keys in out have their entries in the log. */
int authority_session(struct authority *a, const struct authority_ask *ask,
    struct answer_session *out, struct fault *f) must_check;

/* FAULT_CONFLICT: *has_current and current say what is there. */
int authority_move_head(struct authority *a, const uint8_t space[static ID_LEN],
    uint64_t expect, const uint8_t head[static STORE_HEAD_LEN],
    bool *has_current, uint8_t current[static STORE_HEAD_LEN],
    struct fault *f) must_check;

int authority_enrol(struct authority *a, const struct sign_pub *ed,
    const struct box_pub *box, int64_t *expires, struct fault *f) must_check;

int authority_lookup(struct authority *a, const uint8_t account[static ID_LEN],
    const uint8_t device[static ID_LEN], struct sign_pub *ed,
    struct box_pub *box, struct fault *f) must_check;

/* An entry of the chain to add; all borrowed. */
struct authority_entry {
	const uint8_t *account;
	uint32_t seen;                  /* entries that are known */
	const uint8_t *entry;           /* CHAIN_ENTRY_LEN bytes */
	const uint8_t *space;           /* of slot */
	const struct answer_slot *slot; /* the next recovery key's keyslots */
	size_t nslots;                  /* 0: that in force stays */
};

/* FAULT_CONFLICT: entries after those seen are appended to newer. */
int authority_add_entry(struct authority *a, const struct authority_entry *e,
    struct buf *newer, struct fault *f) must_check;

/* chain in out is the caller's to wipe. */
int authority_account(struct authority *a, uint32_t chain_seen,
    struct answer_account *out, struct fault *f) must_check;

/* The recovery keyslots of ask's space; max is out's room, *n what is used. */
int authority_recovery(struct authority *a, const struct authority_ask *ask,
    struct answer_slot *out, size_t max, size_t *n,
    struct fault *f) must_check;

/* A keyslot to add. */
struct authority_slot {
	uint32_t epoch;
	enum answer_kind kind;
	uint8_t index;          /* of a share */
	uint8_t device[ID_LEN]; /* of ANSWER_DEVICE */
	uint8_t sealed[ANSWER_SEALED_LEN];
};

/* /v1/custody: FAULT_CONFLICT where the set does not follow what is there.
 * *out: the receipts for what it ended, unverified. */
int authority_custody(struct authority *a, const struct custody *set,
    const struct authority_slot *slot, size_t n, struct answer_receipts *out,
    struct fault *f) must_check;

/* /v1/keyslots: more of the kind of the custody in force. */
int authority_keyslots(struct authority *a,
    const uint8_t space[static ID_LEN], const struct authority_slot *slot,
    size_t n, struct fault *f) must_check;

/* /v1/epochs.  FAULT_CONFLICT: *latest is the epoch that is there. */
struct authority_epoch_parts {
	const uint8_t *space;
	uint32_t epoch, custody; /* custody: serial of the set in force */
	const struct authority_slot *slot;
	size_t n;
	const uint8_t *recovery; /* NULL where it is not the home */
	const uint8_t *recovery_for; /* the recovery key's id; NULL while the
	                              * account has had no other */
};
int authority_epoch(struct authority *a, const struct authority_epoch_parts *p,
    uint32_t *latest, struct fault *f) must_check;

/* /v1/epochs/destroy: the receipt, unverified. */
int authority_epoch_destroy(struct authority *a,
    const uint8_t space[static ID_LEN], uint32_t epoch,
    uint8_t receipt[static RECEIPT_LEN], struct fault *f) must_check;

/* Of a chain that is sent in parts: the sender's keys, who may be in a later
 * one. */
struct authority_part {
	uint32_t from; /* of its first entry */
	bool more;
	const struct sign_pub *sign;
	const struct box_pub *box;
};

/* /v1/holders: makes a space known whose home is another authority.  chain:
 * entries back to back. */
struct authority_space {
	const uint8_t *device, *account, *space; /* ids */
	struct bytes chain;
	const char *residency, *capability;
	const struct custody *set;
	const struct leaf_log_key *log_key; /* NULL: not known here yet */
	const struct authority_part *part;  /* NULL: chain is all of it */
};

int authority_holder(struct authority *a, const struct authority_space *s,
    struct fault *f) must_check;

/* Bodies of the space's entries in the log, from index on; *out is to be
 * wiped. */
int authority_entries(struct authority *a, const uint8_t space[static ID_LEN],
    uint64_t from, struct answer_entries *out, struct fault *f) must_check;

/* The body of /v1/accounts. */
struct authority_account_parts {
	uint8_t account[ID_LEN], space[ID_LEN];
	const char *residency, *depot;
	uint8_t chain[2][CHAIN_ENTRY_LEN];
	uint8_t admission[ANSWER_SEALED_LEN];
	uint8_t recovery[ANSWER_SEALED_LEN];
	struct bytes custody; /* the first set */
	struct leaf_log_key log_key;
	const struct invitation *invitation; /* NULL: none */
};

/* Appends it.  FAULT_MEMORY, FAULT_LIMIT. */
int authority_account_body(const struct authority_account_parts *p,
    struct buf *out) must_check;

#endif
