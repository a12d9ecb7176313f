// SPDX-License-Identifier: Apache-2.0
/* Operands that are paths of the space, as keys. */
#ifndef SKERRY_CLIENT_PATHS_H
#define SKERRY_CLIENT_PATHS_H

#include <stddef.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "client/cli.h"

/* Sorted, none within another. */
struct paths {
	struct bytes *key; /* each owned */
	size_t n;
};

/* The operands from optind on.  FAULT_USAGE for the root. */
int paths_read(struct cli *cli, int argc, char **argv, struct paths *out)
	must_check;
void paths_wipe(struct paths *p);

#endif
