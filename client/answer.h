// SPDX-License-Identifier: Apache-2.0
/*
 * What an authority answers (spec/50-authority.md), read strictly: every member
 * there, of its type, within its limits, and no other.  Nothing is believed
 * here; what is signed or sealed is checked by the callers.
 */
#ifndef SKERRY_CLIENT_ANSWER_H
#define SKERRY_CLIENT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "client/lease.h"
#include "client/state.h"
#include "crypt/hpke.h"
#include "crypt/wrap.h"
#include "object/custody.h"
#include "object/limits.h"
#include "object/receipt.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/note.h"
#include "tlog/proof.h"

#define ANSWER_MAX (1024u * 1024) /* bytes of an answer's body */
#define ANSWER_SEALED_LEN (KEY_LEN + HPKE_OVERHEAD)
#define ANSWER_SPACES_MAX 256
#define ANSWER_TEXT_MAX 256
#define ANSWER_SETS_MAX 256
#define ANSWER_SETS_BYTES (ANSWER_SETS_MAX * (CUSTODY_MAX + 2))
#define ANSWER_RECEIPTS_MAX 63 /* an answer with them has one proof more */
#define ANSWER_CHAIN_BYTES (CHAIN_MAX * CHAIN_ENTRY_LEN)

enum answer_kind {
	ANSWER_WHOLE,  /* the key, released by an authority */
	ANSWER_SHARE,  /* a holder's share of it */
	ANSWER_DEVICE, /* the key, as another device sealed it */
};

struct answer_key {
	uint32_t epoch;
	enum answer_kind kind;
	uint8_t index; /* of a share; else 0 */
	uint8_t sealed[ANSWER_SEALED_LEN];
};

/* Custody sets as they came, not decoded: what is no set is evidence, too. */
struct answer_custody {
	struct buf current;
	struct buf sets;      /* u16 length || set, each after the seen one */
	struct buf announced; /* empty: none */
};

#define ANSWER_PROOFS_MAX 256 /* of a chain that fits into a request, too */
#define ANSWER_PROOF_MAX 65536 /* bytes of one */
#define ANSWER_PROOFS_BYTES (ANSWER_MAX)

/* "log": what of the answer is in the authority's log.  Wiped by the caller. */
struct answer_log {
	bool has; /* false: the answer has no such member; the rest is zero */
	struct buf checkpoint; /* a note */
	struct buf proofs;     /* u32 length || text, nproofs times */
	size_t nproofs;
	struct merkle_proof consistency;
};

struct answer_session {
	int64_t now;
	struct buf chain; /* entries back to back; wiped by the caller */
	uint32_t chain_length;
	struct answer_key key[LEASE_EPOCHS_MAX]; /* epochs do not descend */
	size_t nkeys;
	uint32_t lease; /* seconds, 1..LEASE_SECONDS_MAX */
	bool has_head;
	uint8_t head[STORE_HEAD_LEN];
	char depot[STATE_NAME_MAX + 1];
	uint8_t prefix[ID_LEN];
	char capability[LEASE_CAPABILITY_MAX + 1];
	struct answer_custody custody; /* wiped by the caller */
	struct answer_log log;         /* wiped by the caller */
	/* Of releases whose log key is still to be checked: logcheck.h. */
	struct answer_leaf {
		uint8_t nonce[LEAF_NONCE_LEN];
		struct leaf_key key;
	} leaf[LEASE_EPOCHS_MAX];
	size_t nleaves;
};

struct answer_space {
	uint8_t space[ID_LEN];
	char residency[STATE_NAME_MAX + 1];
	char depot[STATE_NAME_MAX + 1];
};

struct answer_account {
	uint8_t account[ID_LEN];
	struct buf chain; /* as above */
	struct answer_space space[ANSWER_SPACES_MAX];
	size_t nspaces;
};

struct answer_slot {
	uint32_t epoch;
	uint8_t blob[ANSWER_SEALED_LEN];
};

struct answer_error {
	int code;                       /* FAULT_*, never 0 */
	char text[ANSWER_TEXT_MAX + 1]; /* for people; may be "" */
	int64_t now;
	bool has_head; /* "head" of CONFLICT: null or missing if not */
	uint8_t head[STORE_HEAD_LEN];
	uint32_t epoch; /* "epoch" of CONFLICT; 0 if missing */
	struct buf chain; /* "chain" of CONFLICT; wiped by the caller */
};

/* Bodies of a space's entries in the log. */
#define ANSWER_ENTRIES_MAX 1024
struct answer_entry {
	uint64_t index;
	struct bytes body; /* points into raw */
};
struct answer_entries {
	struct answer_entry *entry; /* indexes ascend */
	size_t n;
	uint8_t *raw;
	bool more; /* from next on there are others */
	uint64_t next;
};
void answer_wipe_entries(struct answer_entries *e);

/* What is published of requests: spec/60-log.md, Requests. */
struct answer_request {
	uint64_t index;
	uint64_t until; /* of a gag; 0: there is none, and … */
	struct leaf_key key;
	struct bytes body; /* … these are it; points into raw */
};
struct answer_requests {
	struct answer_request *request; /* indexes ascend */
	size_t n;
	uint8_t *raw;
	bool more; /* from next on, which is above them, there are others */
	uint64_t next;
};
void answer_wipe_requests(struct answer_requests *r);

void answer_wipe_log(struct answer_log *l);

/* Frees chain, custody and log; fit for what was never read, if zeroed. */
void answer_wipe_session(struct answer_session *s);

/* All: FAULT_MALFORMED, FAULT_MEMORY; *out is then wiped. */
int answer_read_session(struct bytes in, struct answer_session *out) must_check;
int answer_read_account(struct bytes in, struct answer_account *out) must_check;
int answer_read_error(struct bytes in, struct answer_error *out) must_check;

/* {}, and "log" where log is not NULL (which is then the caller's to wipe). */
int answer_read_empty(struct bytes in, struct answer_log *log) must_check;

/* {"number":n}, {"seq":n}, {"expires":n}: name is the one member; log as
 * above. */
int answer_read_number(struct bytes in, const char *name, uint64_t *out,
    struct answer_log *log) must_check;

/* {"entries":[{"index","body"}…],"next":n or null}; *out is to be wiped. */
int answer_read_entries(struct bytes in,
    struct answer_entries *out) must_check;

/* {"requests":[{"index","key","body"} or {"index","until"}…],"next":n or null};
 * *out is to be wiped. */
int answer_read_requests(struct bytes in,
    struct answer_requests *out) must_check;

/* {"ed","box"} */
int answer_read_keys(struct bytes in, struct sign_pub *ed,
    struct box_pub *box) must_check;

/* {"receipt":…}, not verified; log as above. */
int answer_read_receipt(struct bytes in, uint8_t out[static RECEIPT_LEN],
    struct answer_log *log) must_check;

/* {"receipts":[…]}, likewise. */
struct answer_receipts {
	size_t n;
	uint8_t raw[ANSWER_RECEIPTS_MAX][RECEIPT_LEN];
};
int answer_read_receipts(struct bytes in, struct answer_receipts *out,
    struct answer_log *log) must_check;

/* {"sets":[…]}, appended as in a session's custody; what a list that breaks off
 * had stays. */
int answer_read_sets(struct bytes in, struct buf *out) must_check;

/* {"keyslots":[…]}: at most max; *n is how many. */
int answer_read_slots(struct bytes in, struct answer_slot *out, size_t max,
    size_t *n) must_check;

#endif
