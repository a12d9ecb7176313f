// SPDX-License-Identifier: Apache-2.0
/* The JSON that an operator copies into a policy. */
#ifndef SKERRY_AUTHORITY_PUBLICS_H
#define SKERRY_AUTHORITY_PUBLICS_H

#include "authority/config.h"
#include "authority/keystore.h"
#include "base/attr.h"
#include "base/fault.h"

/* On stdout.  FAULT_IO. */
int publics_print(const struct config *c, const struct keystore_public *pub,
    const struct note_key *log, struct fault *f) must_check;

#endif
