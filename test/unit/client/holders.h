// SPDX-License-Identifier: Apache-2.0
/*
 * Three authorities without a wire, for tests of what a device asks of all who
 * hold its space's keys: they are told what to answer, and remember in which
 * order they were asked.  Stands for authority.c and session.c.
 */
#ifndef SKERRY_TEST_CLIENT_HOLDERS_H
#define SKERRY_TEST_CLIENT_HOLDERS_H

#include "test/unit/client/site.h"

#include "client/authority.h"
#include "client/session.h"
#include "object/custody.h"
#include "object/receipt.h"

#define HOLDERS 3 /* a, the home, in aa; b in bb; c in cc */
#define HOLDERS_SLOTS 16

/* What is wrong with a receipt. */
enum holder_lie {
	HOLDER_HONEST,
	HOLDER_OTHER_KEY,   /* signed by another */
	HOLDER_OTHER_KIND,  /* of an epoch for of a custody, or the reverse */
	HOLDER_OTHER_EPOCH, /* of epochs */
	HOLDER_OTHER_SPACE,
	HOLDER_FLIPPED,     /* one bit */
};

struct holder {
	struct sign_key key;
	struct sign_pub signing;
	struct box_key box;
	struct box_pub intake;

	/* What it answers: */
	int rc;                /* not 0: this, to everything */
	uint32_t latest;       /* epoch: FAULT_CONFLICT up to here */
	bool stubborn;         /* FAULT_CONFLICT, and latest grows with it */
	uint32_t gone, refuse; /* destroy: FAULT_NOT_FOUND, FAULT_CONFLICT */
	bool untold;           /* epoch: FAULT_CONFLICT until custody */
	bool stranger;         /* custody: FAULT_DENIED until it is pushed */
	bool silent;           /* custody: no receipt */
	enum holder_lie lie;   /* of its last receipt */

	/* What it was given last: */
	struct authority_slot slot[HOLDERS_SLOTS];
	size_t n;
	bool recovery, named; /* named: the key that it is for, which is */
	uint8_t recovery_for[ID_LEN];
};

struct holders {
	struct site *site;
	struct state *st;
	struct policy policy, *own; /* the state's, and its own for the end */
	struct policy_authority peer[HOLDERS];
	struct holder h[HOLDERS];
	struct custody set; /* pinned; signed by nobody */
	struct chain_device device[4];
	struct chain chain; /* of device */
	struct box_key box[4];
	struct session_epoch epoch[8];
	struct space_key key[8];
	struct session ses; /* whose head is of epoch 3 */
	struct fault f;
	char log[512];  /* "b+2": epoch 2 begun at b; -: ended; k: keyslots;
	                 * c: custody; p: pushed; blanks between */
	uint32_t added; /* by session_add_epoch */
};

/* For cmocka: *state is a struct holders, in split custody, 2 of 3. */
int holders_setup(void **state);
int holders_teardown(void **state);

/* Another custody, pinned in place of the one before. */
void holders_set(struct holders *x, enum custody_mode mode, uint8_t n);

/* What follows x->set, in standard custody at the home; not pinned. */
struct custody holders_next(const struct holders *x);

/* Forgets what was asked. */
void holders_forget(struct holders *x);

/* The state folder has a file of that name. */
bool holders_has(const struct holders *x, const char *name);

#endif
