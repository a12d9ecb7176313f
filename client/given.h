// SPDX-License-Identifier: Apache-2.0
/*
 * Who was given shares by a move of this device that did not come into force:
 * noted before they have them, until the epochs of these shares have ended and
 * are destroyed there, too.  spec/55-custody.md, Moving.
 */
#ifndef SKERRY_CLIENT_GIVEN_H
#define SKERRY_CLIENT_GIVEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/epoch.h"
#include "client/session.h"
#include "object/custody.h"

#define GIVEN_MAX 256

struct given {
	struct sign_pub holder;
	uint32_t epoch;
};

struct givens {
	size_t n;
	struct given one[GIVEN_MAX];
};

/* The file.  FAULT_MALFORMED, FAULT_LIMIT; FAULT_MEMORY. */
int given_parse(struct bytes body, struct givens *out) must_check;
int given_format(const struct givens *g, struct buf *out) must_check;

/* Notes the other holders of set, and the session's epochs, before the first of
 * them gets its shares.  FAULT_LIMIT where too many are noted already. */
int given_note(const struct session *ses, const struct custody *set,
    struct fault *f) must_check;

/*
 * Forgets who holds by the set in force, and has all others destroy what they
 * were given of epochs that have ended; *left: how many have shares of others.
 * Receipts are kept as by epoch_end, and added to ends, which may be NULL.
 * FAULT_PARTIAL where one does not answer; FAULT_TRUST.
 */
int given_settle(struct session *ses, struct epoch_ends *ends, size_t *left,
    struct fault *f) must_check;

#endif
