// SPDX-License-Identifier: Apache-2.0
/* Joining a device by the recovery code: spec/10-names.md, Recovery code. */
#ifndef SKERRY_CLIENT_RECOVER_H
#define SKERRY_CLIENT_RECOVER_H

#include "base/attr.h"
#include "client/cli.h"
#include "client/state.h"

/* Reads the code from file, or, where that is NULL, from the terminal; signs
 * this device in; in sealed custody, hands it the keys; binds the state.
 * FAULT_SECRET for a wrong code.  FAULT_TAMPERED: the state is bound, but the
 * code does not open the recovery keyslots. */
int recover_enrol(struct cli *cli, struct state *st,
    const char *file) must_check;

#endif
