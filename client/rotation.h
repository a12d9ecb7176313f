// SPDX-License-Identifier: Apache-2.0
/* What rotate and shred have in common: a new epoch, the history written into
 * it, the end of the old ones.  spec/55-custody.md, Epochs. */
#ifndef SKERRY_CLIENT_ROTATION_H
#define SKERRY_CLIENT_ROTATION_H

#include "base/attr.h"
#include "client/cli.h"
#include "client/engine/rewrite.h"

/* w: message and keys.  Ends what an earlier run left, rotates, ends the old
 * epochs, shows and sets the result; receipts are in the state folder.  0 also
 * where w->lost is not. */
int rotation_run(struct cli *cli, struct state *st, const char *verb,
    struct rewrite *w) must_check;

/* After it: w->why, and what that means in cli's fault; 0 where nothing is
 * lost. */
int rotation_lost(struct cli *cli, const struct rewrite *w) must_check;

/* After done ("revoked", "the custody is changed"), which holds in any case:
 * rotates, but for an empty space.  What is lost at the depot is said, and is
 * no fault of this.  FAULT_PARTIAL if it fails. */
int rotation_follow(struct cli *cli, struct state *st, const char *done)
	must_check;

/* Ends epochs that somebody began and did not finish. */
int rotation_clear(struct session *ses, struct fault *f) must_check;

#endif
