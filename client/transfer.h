// SPDX-License-Identifier: Apache-2.0
/*
 * Moving a space to another custody: its keys are wrapped anew for whoever is
 * to hold them, and no longer for who held them.  No data moves.
 * spec/55-custody.md.
 */
#ifndef SKERRY_CLIENT_TRANSFER_H
#define SKERRY_CLIENT_TRANSFER_H

#include "base/attr.h"
#include "base/fault.h"
#include "client/custodian.h"
#include "client/session.h"

/* holder[0] is the home authority, which stays. */
struct transfer {
	enum custody_mode mode;
	uint8_t k, n;
	const struct policy_authority *holder[CUSTODY_HOLDERS_MAX];
};

/*
 * In this order: shares to the other holders, the set and its keyslots to the
 * home (from then on it is in force), then word to who holds for the first
 * time.  Those that held are noted for leaving_settle(), which is to follow.
 * *out is the new pin.  FAULT_CONFLICT: another device was faster.
 * FAULT_PARTIAL: in force, but a holder could not be told, which f names.
 */
int transfer_run(struct session *ses, const struct transfer *t,
    struct custodian *out, struct fault *f) must_check;

/* Keyslots of a sealed space for one more device; does nothing in another
 * custody. */
int transfer_admit(struct session *ses, const struct chain_device *d,
    struct fault *f) must_check;

#endif
