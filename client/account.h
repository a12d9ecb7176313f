// SPDX-License-Identifier: Apache-2.0
/* The account at its authority, for the commands that read or extend the chain
 * of its devices. */
#ifndef SKERRY_CLIENT_ACCOUNT_H
#define SKERRY_CLIENT_ACCOUNT_H

#include "base/attr.h"
#include "client/authority.h"
#include "client/cli.h"
#include "client/state.h"
#include "object/chain.h"

/* The whole file, a policy; buf_wipe.  Faults in cli. */
int account_read_policy(struct cli *cli, const char *path,
    struct buf *out) must_check;

/* Pins the user's own trust file; an empty one takes it back. */
int account_pin_trust(struct cli *cli, const struct state *st,
    const char *path) must_check;

/* A --policy-key value. */
int account_parse_key(struct cli *cli, const char *text,
    struct sign_pub *out) must_check;

/* The state of --home under this policy file, made if there is none; key: a
 * --policy-key value or NULL. */
int account_begin(struct cli *cli, const char *policy, const char *key,
    struct state **out) must_check;

/* For defer(): an account on the heap and its chain. */
void account_freep(struct answer_account **a);

/* A handle that signs as this device; the binding names the authority. */
int account_open(struct cli *cli, const struct state *st,
    struct authority **out) must_check;

/* Fetches and pins what the chain has grown by. */
int account_sync(struct cli *cli, struct authority *a,
    struct state *st) must_check;

/* All of it: the state of a device that is ready, its authority, the chain as
 * it is now.  Both are the caller's to close, after a fault too.
 * FAULT_AUTHORITY: st is there, with the chain as it was seen last. */
int account_current(struct cli *cli, struct state **st,
    struct authority **a) must_check;

/* FAULT_LIMIT, and why, where the chain has no room for such an entry. */
int account_room(struct cli *cli, const struct chain *c,
    enum chain_op op) must_check;

/* Makes the entry, signs it as this device, sends it and pins it; takes in what
 * others have added meanwhile and tries again. */
int account_append(struct cli *cli, struct authority *a, struct state *st,
    struct chain_make *make) must_check;

/* The same, once: FAULT_CONFLICT where others were faster, and what the entry
 * is about is to be looked at again.  slot: the keyslots that come with another
 * recovery key, or NULL. */
int account_append_once(struct cli *cli, struct authority *a,
    struct state *st, struct chain_make *make, const struct answer_slot *slot,
    size_t n) must_check;

/* Binds the state to the account's space, if the policy allows what the
 * authority says of it and this device is in the chain.  check: the account
 * check that its first entry must have, or NULL.  FAULT_TRUST, FAULT_DENIED. */
int account_bind(struct cli *cli, struct state *st,
    const struct answer_account *a, const char *check) must_check;

/* Prints the account check (spec/15-devices.md). */
void account_show_check(struct cli *cli, const struct state *st);

/* What init and enrol print when they are done. */
void account_show(struct cli *cli, const struct state *st);

#endif
