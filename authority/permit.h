// SPDX-License-Identifier: Apache-2.0
/*
 * What the keys role answers: request x asking role x state, some once only.
 * Whatever the table does not have is refused.
 */
#ifndef SKERRY_AUTHORITY_PERMIT_H
#define SKERRY_AUTHORITY_PERMIT_H

#include "base/attr.h"

enum permit_role {
	PERMIT_PARENT = 1,
	PERMIT_LEDGER = 2,
	PERMIT_FRONT = 3,
};

enum permit_request {
	PERMIT_BOOT = 1,       /* the sealed keyfile, its passphrase */
	PERMIT_ADMIT = 2,      /* HPKE blob in, wrapped space key out */
	PERMIT_RELEASE = 3,    /* the same in, sealed to a device out */
	PERMIT_CAPABILITY = 4, /* token for a depot */
	PERMIT_SECRET = 5,     /* a new epoch secret, wrapped */
	PERMIT_COVER = 6,      /* opaque keyslot in, covered by it out */
	PERMIT_UNCOVER = 7,    /* the reverse */
	PERMIT_RECEIPT = 8,    /* what was destroyed, signed */
	PERMIT_RESUME = 9,     /* the log's last checkpoint, to what is known */
	PERMIT_SIGN = 10,      /* a larger tree in, its checkpoint out */
};

enum permit_state {
	PERMIT_STARTING,
	PERMIT_SERVING,
};

struct permit {
	enum permit_state state;
	unsigned done; /* requests asked once already, as bits */
};

/* Allows or refuses a request and moves the state.  request and role may be
 * any number.  FAULT_DENIED; p is unchanged then. */
int permit_ask(struct permit *p, unsigned role, unsigned request) must_check;

#endif
