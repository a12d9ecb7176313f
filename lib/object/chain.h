// SPDX-License-Identifier: Apache-2.0
/* The devices of an account: a chain of signed entries, spec/15-devices.md. */
#ifndef SKERRY_OBJECT_CHAIN_H
#define SKERRY_OBJECT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "object/limits.h"

#define CHAIN_ENTRY_LEN 216u
#define CHAIN_SIGNED_LEN 152u

enum chain_op {
	CHAIN_ADD = 1,
	CHAIN_REVOKE = 2,
	CHAIN_RECOVERY = 3,
};

struct chain_device {
	uint8_t id[ID_LEN];
	struct sign_pub sign;
	struct box_pub box;
	bool recovery; /* added by CHAIN_RECOVERY */
	bool live;     /* not revoked */
	uint32_t seq;  /* of the entry that added it */
};

struct chain {
	uint32_t n; /* entries verified; the next one's seq */
	uint8_t account[ID_LEN];
	uint8_t last[HASH_LEN]; /* SHA-256 of the last entry; zero if none */
	uint32_t devices;
	struct chain_device *device; /* owned; in the order of being added */
};

/* An empty chain is zeroed.  Frees the list; fit for defer(). */
void chain_wipe(struct chain *c);

/* First 16 bytes of SHA-256 over label and both keys. */
void chain_device_id(const struct sign_pub *sign, const struct box_pub *box,
    uint8_t out[static ID_LEN]);

/*
 * Verifies the next entry and takes it in; c is unchanged on error.
 * FAULT_VERSION, FAULT_MALFORMED, FAULT_TAMPERED (signature), FAULT_TRUST (does
 * not fit the chain: seq, hash, account, signer, keys, double or missing
 * device), FAULT_LIMIT past CHAIN_MAX, FAULT_MEMORY.
 */
int chain_append(struct chain *c, struct bytes entry) must_check;

/* A whole chain of entries back to back, after what c holds.  On error c holds
 * the entries before the bad one. */
int chain_append_all(struct chain *c, struct bytes entries) must_check;

/* The device, live or not; NULL where it was never added.  Borrowed. */
const struct chain_device *chain_find(const struct chain *c,
    const uint8_t id[static ID_LEN]);

/* The recovery key in force: the first live one; NULL where there is none.
 * changed: whether one before it was revoked. */
const struct chain_device *chain_recovery(const struct chain *c);
bool chain_recovery_changed(const struct chain *c);

/* Whether such an entry may be the next: one that adds has to leave room to
 * revoke all who are live then, and a device also for other recovery keys. */
bool chain_has_room(const struct chain *c, enum chain_op op);

/* For head_open(): arg is a struct chain; live devices, not recovery keys.
 * _any: revoked ones too, for a head that was good before or is somebody's who
 * looked ([tree] Head). */
int chain_lookup(void *arg, const uint8_t id[static ID_LEN],
    struct sign_pub *out) must_check;
int chain_lookup_any(void *arg, const uint8_t id[static ID_LEN],
    struct sign_pub *out) must_check;

/* What chain_make_entry is to write, after c; account counts for seq 0 only. */
struct chain_make {
	enum chain_op op;
	uint8_t account[ID_LEN];
	struct sign_pub sign; /* of the device it is about */
	struct box_pub box;
	uint8_t signer[ID_LEN];
};

/* Writes the entry, signed by key, and checks that chain_append would take it.
 * c is not changed.  The same errors. */
int chain_make_entry(const struct chain *c, const struct chain_make *m,
    const struct sign_key *key, uint8_t out[static CHAIN_ENTRY_LEN]) must_check;

#endif
