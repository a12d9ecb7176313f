// SPDX-License-Identifier: Apache-2.0
/* What an authority opens the entries of a space to, a page at a time. */
#ifndef SKERRY_CLIENT_AUDITBODY_H
#define SKERRY_CLIENT_AUDITBODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/answer.h"

struct authority;
struct policy_authority;

struct auditbody {
	struct authority *ask; /* owned */
	const struct policy_authority *peer;
	const uint8_t *space;
	struct answer_entries page; /* that was fetched last, from … on */
	uint64_t from;
	bool has;
};

/* The body of entry index, borrowed until the next call; empty where the
 * authority has none.  In rising order no page is fetched twice. */
int auditbody_of(struct auditbody *b, uint64_t index, struct bytes *out,
    struct fault *f) must_check;
void auditbody_wipe(struct auditbody *b);

#endif
