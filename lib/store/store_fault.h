// SPDX-License-Identifier: Apache-2.0
/*
 * A store that goes wrong on purpose, around any other: for tests of what
 * stands above.  All dups share one plan, so that "the fifth put" means the
 * fifth of the whole command.
 */
#ifndef SKERRY_STORE_STORE_FAULT_H
#define SKERRY_STORE_STORE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "store/store.h"

enum store_fault_how {
	STORE_FAULT_REFUSE, /* the call fails and nothing is done */
	STORE_FAULT_LOSE,   /* it is done, and the answer lost */
	STORE_FAULT_TEAR,   /* put: half the bytes are stored, then it fails;
	                     * get: the second half of the answer is zero */
	STORE_FAULT_FLIP,   /* put and get: one bit is wrong, in success */
};

/* Calls are counted from 1, each kind for itself; 0: never. */
struct store_fault_plan {
	unsigned put_at, get_at, head_get_at, head_put_at;
	bool from_there_on; /* that call and all later ones */
	enum store_fault_how how;
	int code;           /* of a call that fails; FAULT_DEPOT if 0 */
	bool stale_head;    /* head_get gives the first one ever seen */

	/* Written by the store. */
	atomic_uint puts, gets, head_gets, head_puts;
	atomic_bool has_head;
	uint8_t head[STORE_HEAD_LEN];
};

/* Takes inner; borrows plan, which outlives the store and its dups.
 * FAULT_MEMORY (inner is then closed). */
int store_fault_open(struct store *inner, struct store_fault_plan *plan,
    struct store **out, struct fault *f) must_check;

#endif
