// SPDX-License-Identifier: Apache-2.0
/*
 * Who may do what: checks the capability of each request.  Tokens that were
 * verified lately are known by a tag, so that a signature is not checked at
 * every request.
 */
#ifndef SKERRY_DEPOT_GATE_H
#define SKERRY_DEPOT_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/keys.h"
#include "net/capability.h"

#define GATE_KEYS_MAX 16

enum gate_answer {
	GATE_OPEN,
	GATE_UNAUTHENTICATED, /* token missing or not valid */
	GATE_EXPIRED,         /* or not valid yet */
	GATE_DENIED,          /* for another depot, prefix or verb */
};

struct gate; /* opaque; any thread */

/* keys: of the authorities, 1 .. GATE_KEYS_MAX, copied; depot: this depot's
 * name, copied.  NULL when out of memory or random bytes. */
struct gate *gate_new(const struct sign_pub *keys, size_t n,
    const char *depot);
void gate_free(struct gate *g);

/* authorization: the field's value, or NULL.  now: Unix seconds.  quota_out:
 * that of the capability, if GATE_OPEN. */
enum gate_answer gate_check(struct gate *g, const char *authorization,
    enum capability_verb verb, const uint8_t prefix[ID_LEN], int64_t now,
    uint64_t *quota_out);

#endif
