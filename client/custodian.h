// SPDX-License-Identifier: Apache-2.0
/*
 * Who holds the space's keys, as this device pinned it, and what becomes of
 * what an authority shows: spec/55-custody.md, Custody set.  A change that
 * nobody announced ends in FAULT_CUSTODY and a file of evidence.
 */
#ifndef SKERRY_CLIENT_CUSTODIAN_H
#define SKERRY_CLIENT_CUSTODIAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/answer.h"
#include "object/custody.h"

struct state;

struct custodian {
	bool known;          /* false: nothing is pinned yet */
	struct custody set;  /* the pinned one */
	bool announced;      /* next was shown, and follows set */
	struct custody next;
	int64_t first_shown; /* when, by this device's clock */
	bool moved;          /* the last custodian_verify pinned another */
};

/* What is pinned.  FAULT_CONFIG for a damaged file. */
int custodian_load(const struct state *st, struct custodian *out,
    struct fault *f) must_check;

/* Pins a set that this device made itself, at first or after the pinned one;
 * what was announced falls with it. */
int custodian_pin(const struct state *st, const struct custody *set,
    struct custodian *c, struct fault *f) must_check;

/*
 * The four cases: takes in what was shown, pins it, and leaves in c how things
 * stand.  authority: who showed it.  chain_seen: how much of the device chain
 * was pinned before this answer.  FAULT_CUSTODY: the file of evidence is
 * named in f, and nothing was pinned.
 */
int custodian_verify(const struct state *st, const struct answer_custody *shown,
    const char *authority, uint32_t chain_seen, struct custodian *c,
    struct fault *f) must_check;

/* Keeps entries of the device chain that do not hold, after those pinned; adds
 * the file's name to f. */
void custodian_keep_chain(const struct state *st, const char *authority,
    uint32_t seen, struct bytes entries, struct fault *f);

/* The policy's authority that holder i is; FAULT_CONFIG where it is not in the
 * pinned policy. */
int custodian_holder(const struct state *st, const struct custody *c, int i,
    const struct policy_authority **out, struct fault *f) must_check;

#endif
