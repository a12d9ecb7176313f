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

#define ANSWER_MAX (1024u * 1024) /* bytes of an answer's body */
#define ANSWER_SEALED_LEN (KEY_LEN + HPKE_OVERHEAD)
#define ANSWER_SPACES_MAX 256
#define ANSWER_TEXT_MAX 256
#define ANSWER_SETS_MAX 256
#define ANSWER_SETS_BYTES (ANSWER_SETS_MAX * (CUSTODY_MAX + 2))
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

/* Frees chain and custody; fit for what was never read, if zeroed. */
void answer_wipe_session(struct answer_session *s);

/* All: FAULT_MALFORMED, FAULT_MEMORY; *out is then wiped. */
int answer_read_session(struct bytes in, struct answer_session *out) must_check;
int answer_read_account(struct bytes in, struct answer_account *out) must_check;
int answer_read_error(struct bytes in, struct answer_error *out) must_check;

/* {} */
int answer_read_empty(struct bytes in) must_check;

/* {"number":n}, {"seq":n}, {"expires":n}: name is the one member. */
int answer_read_number(struct bytes in, const char *name,
    uint64_t *out) must_check;

/* {"ed","box"} */
int answer_read_keys(struct bytes in, struct sign_pub *ed,
    struct box_pub *box) must_check;

/* {"receipt":…}, not verified. */
int answer_read_receipt(struct bytes in,
    uint8_t out[static RECEIPT_LEN]) must_check;

/* {"keyslots":[…]}: at most max; *n is how many. */
int answer_read_slots(struct bytes in, struct answer_slot *out, size_t max,
    size_t *n) must_check;

#endif
