// SPDX-License-Identifier: Apache-2.0
/* What becomes of the keyslots of a custody that is left. */
#ifndef SKERRY_AUTHORITY_LEDGER_LEFT_H
#define SKERRY_AUTHORITY_LEDGER_LEFT_H

#include "authority/ledger.h"
#include "object/custody.h"

/* set comes into force: deletes the keyslots of what was before, and stores a
 * signed receipt for each epoch that had any.  FAULT_LIMIT. */
int ledger_left_end(struct ledger *l, const struct custody *set,
    struct fault *f) must_check;

/* The receipts that were made for set, now or earlier, and their entries into
 * the answer: *out is a new array of base64.  The secrets of their epochs are
 * doomed. */
int ledger_left_tell(struct ledger *l, const struct ledger_call *c,
    const struct db_space *space, const struct custody *set, json_t **out,
    struct fault *f) must_check;

#endif
