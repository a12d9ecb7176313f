// SPDX-License-Identifier: Apache-2.0
/* How a space's epoch begins and ends, at every holder of its custody:
 * spec/55-custody.md, Epochs. */
#ifndef SKERRY_CLIENT_EPOCH_H
#define SKERRY_CLIENT_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/session.h"
#include "net/policy.h"
#include "object/custody.h"
#include "object/receipt.h"

/* A new epoch with a new random key: its keyslots at every holder, and the key
 * in the session.  *epoch is its number. */
int epoch_begin(struct session *ses, uint32_t *epoch,
    struct fault *f) must_check;

#define EPOCH_ENDED_MAX 256

/* One receipt: verified, and kept in the state folder. */
struct epoch_ended {
	uint32_t epoch;
	char holder[65]; /* the authority's name */
	struct receipt receipt;
};

struct epoch_ends {
	size_t n;
	struct epoch_ended end[EPOCH_ENDED_MAX];
};

/* That of the session's head; 1 where there is none. */
uint32_t epoch_of_head(const struct session *ses);

/* Whether any holder still has epochs before the head's, or after it. */
bool epoch_stale(const struct session *ses);
bool epoch_abandoned(const struct session *ses);

/* Has all holders destroy the epochs before the head's and, where abandoned is
 * set, those after it, which nobody finished.  FAULT_TRUST for a receipt that
 * does not hold; FAULT_PARTIAL naming holders that did not answer. */
int epoch_end(struct session *ses, bool abandoned, struct epoch_ends *out,
    struct fault *f) must_check;

/* The same of one epoch at one authority, whether or not it holds now; 0 where
 * it never had it. */
int epoch_end_at(struct session *ses, const struct policy_authority *p,
    uint32_t epoch, struct epoch_ends *out, struct fault *f) must_check;

#endif
