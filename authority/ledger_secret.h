// SPDX-License-Identifier: Apache-2.0
/* The secrets of epochs as handlers use them: spec/55-custody.md, Epochs. */
#ifndef SKERRY_AUTHORITY_LEDGER_SECRET_H
#define SKERRY_AUTHORITY_LEDGER_SECRET_H

#include "authority/keymsg.h"
#include "authority/ledger.h"

/* The one of an epoch that has keyslots; has is false for an epoch from before
 * there were secrets.  FAULT_AUTHORITY where it was destroyed: the database is
 * an old copy. */
int ledger_secret_get(struct ledger *l, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct keymsg_secret *out, struct fault *f) must_check;

/* For a keyslot that is about to be put: a new secret, durable, where the epoch
 * has none yet here, else as above.  FAULT_AUTHORITY, too, where this batch
 * takes the epoch's last keyslot: its secret is to be there until that is
 * committed. */
int ledger_secret_for(struct ledger *l, const struct db_space *space,
    uint32_t epoch, struct keymsg_secret *out, struct fault *f) must_check;

/* After keyslots were dropped: the epoch's secret goes with them, if it has no
 * other here once that is committed. */
int ledger_secret_doom(struct ledger *l, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct fault *f) must_check;

/* A keyslot that the authority cannot open, covered under the secret before it
 * is stored, and as it came.  in and out may be the same. */
int ledger_secret_cover(struct ledger *l, const struct db_space *space,
    enum db_kind kind, const struct db_slot *in, struct db_slot *out,
    struct fault *f) must_check;
int ledger_secret_uncover(struct ledger *l, const struct db_space *space,
    enum db_kind kind, const struct db_slot *in, struct db_slot *out,
    struct fault *f) must_check;

/* After a request that failed and was undone: the secrets that it made, of
 * epochs that have no keyslot then, are destroyed.  l->nmade is 0 again. */
void ledger_secret_undo(struct ledger *l);

/* After a commit: destroys the secrets of l->doomed and what the database has
 * left of deleted rows, where this batch has doomed any.  What fails, as while
 * another process reads the database, stays doomed: FAULT_AUTHORITY then. */
int ledger_secret_shred(struct ledger *l, struct fault *f) must_check;

/* Between batches: what a batch before could not destroy, once a second and
 * without waiting. */
void ledger_secret_again(struct ledger *l, int64_t now);

/* At the start: what a crash left between a commit and that. */
int ledger_secret_resume(struct ledger *l, struct fault *f) must_check;

#endif
