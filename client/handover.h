// SPDX-License-Identifier: Apache-2.0
/* How a new recovery code gets to its user, once. */
#ifndef SKERRY_CLIENT_HANDOVER_H
#define SKERRY_CLIENT_HANDOVER_H

#include "base/attr.h"
#include "client/cli.h"
#include "crypt/recovery.h"

/* That a file for a code could be made at path, or that it is NULL; names
 * --recovery-out.  FAULT_USAGE, FAULT_EXISTS and others. */
int handover_check(struct cli *cli, const char *path) must_check;

/* Prints the code at once, as the start of the --json answer too; or writes it
 * to a new file at path, mode 0600, synced.  A file that has this very code is
 * fine, one that has a part of it is replaced; another: FAULT_EXISTS.
 * FAULT_IO where it could not be printed. */
int handover_code(struct cli *cli, const struct recovery_code *code,
    const char *path) must_check;

#endif
