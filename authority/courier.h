// SPDX-License-Identifier: Apache-2.0
/*
 * The role that talks to witnesses: it POSTs what the ledger hands it and hands
 * back what they answer.  It has sockets, and neither a key nor the database.
 */
#ifndef SKERRY_AUTHORITY_COURIER_H
#define SKERRY_AUTHORITY_COURIER_H

#include "base/attr.h"
#include "base/fault.h"

/* The process.  Returns a FAULT_*. */
int courier_main(struct fault *f) must_check;

#endif
