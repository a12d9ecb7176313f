// SPDX-License-Identifier: Apache-2.0
/* What the authority lets a caller do at a depot: spec/40-depot.md. */
#ifndef SKERRY_NET_CAPABILITY_H
#define SKERRY_NET_CAPABILITY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define CAPABILITY_DEPOT_MAX 64 /* characters of a depot's name */

enum capability_verb {
	CAPABILITY_GET = 1,
	CAPABILITY_PUT = 2,
	CAPABILITY_LIST = 4,
	CAPABILITY_DELETE = 8,
};

struct capability {
	char depot[CAPABILITY_DEPOT_MAX + 1];
	uint8_t prefix[ID_LEN];
	unsigned verbs; /* enum capability_verb, or-ed; not 0 */
	uint64_t quota; /* bytes; 0: no limit */
	int64_t nbf, exp; /* Unix seconds */
};

/* Appends the token to out.  FAULT_MALFORMED: cap says what no token may. */
int capability_issue(const struct sign_key *key, const struct capability *cap,
    struct buf *out) must_check;

/* Checks the signature and the form of a token; depot, prefix, verbs and time
 * are the caller's to check.  FAULT_MALFORMED, FAULT_TAMPERED, FAULT_LIMIT,
 * FAULT_VERSION. */
int capability_verify(const struct sign_pub *pub, struct bytes token,
    struct capability *out) must_check;

#endif
