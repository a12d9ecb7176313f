// SPDX-License-Identifier: Apache-2.0
/* What the handlers need of custody. */
#ifndef SKERRY_AUTHORITY_LEDGER_CUSTODY_H
#define SKERRY_AUTHORITY_LEDGER_CUSTODY_H

#include "authority/ledger.h"
#include "object/custody.h"

/* A set in base64.  FAULT_MALFORMED, FAULT_VERSION. */
int ledger_custody_read(const json_t *j, struct custody *out) must_check;

/* Whether the sender, a live device of its account's chain, signed it:
 * FAULT_DENIED. */
int ledger_custody_signed(struct ledger *l, const struct ledger_call *c,
    const struct custody *s, struct fault *f) must_check;

/* Member "custody" of a session: current, sets after seen, announced. */
int ledger_custody_json(struct ledger *l, const uint8_t space[static ID_LEN],
    uint32_t seen, json_t **out, struct fault *f) must_check;

/* Puts keyslots of the set's mode and, of shares, this holder's own.
 * FAULT_DENIED, FAULT_MALFORMED, FAULT_EXISTS. */
int ledger_custody_add(struct ledger *l, const struct db_space *space,
    const struct custody *set, const json_t *slots, struct fault *f)
	must_check;

/* Whether slots of an epoch, where the set is of sealed custody, have one for
 * each live device: FAULT_CONFLICT. */
int ledger_custody_covers(struct ledger *l, const struct db_space *space,
    const struct custody *set, uint32_t epoch, const json_t *slots,
    struct fault *f) must_check;

/* Whether this authority is the set's home. */
bool ledger_custody_home(const struct ledger *l, const struct custody *c);

#endif
