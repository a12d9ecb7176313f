// SPDX-License-Identifier: Apache-2.0
/* A policy key's file: one line, "skerry-policy-key-v1 " and the Ed25519 seed
 * in base64.  Keep it off line. */
#ifndef SKERRY_AUTHORITY_POLICYKEY_H
#define SKERRY_AUTHORITY_POLICYKEY_H

#include "base/attr.h"
#include "base/fault.h"
#include "crypt/sign.h"
#include "net/text.h"

#define POLICYKEY_MAGIC "skerry-policy-key-v1 "
#define POLICYKEY_LINE_LEN                                     \
	(sizeof(POLICYKEY_MAGIC) - 1 + TEXT_B64_SIZE(32)) /* newline too */

/* out: secret memory.  FAULT_CONFIG. */
int policykey_read(const char *path, struct sign_key *out,
    struct fault *f) must_check;

#endif
