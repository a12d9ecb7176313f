// SPDX-License-Identifier: Apache-2.0
/*
 * Who held keyslots of a custody that was left, and has not shown yet that they
 * are destroyed: asked until there is a receipt for every epoch, over as many
 * commands as that takes.  spec/55-custody.md, Moving.
 */
#ifndef SKERRY_CLIENT_LEAVING_H
#define SKERRY_CLIENT_LEAVING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/session.h"
#include "object/custody.h"
#include "object/receipt.h"

#define LEAVING_MAX 64
#define LEAVING_EPOCHS_MAX 64

/* One holder of the set old, which set has ended. */
struct leaving {
	struct custody old, set;
	uint8_t index; /* in old */
	bool sure;     /* set was in force; else it was on its way there */
	uint8_t n;     /* epochs without a receipt: at least one */
	uint32_t epoch[LEAVING_EPOCHS_MAX];
};

struct leavings {
	size_t n;
	struct leaving *one; /* LEAVING_MAX; owned */
};

/* The file.  FAULT_MALFORMED, FAULT_MEMORY; *out is to be wiped. */
int leaving_parse(struct bytes body, struct leavings *out) must_check;
int leaving_format(const struct leavings *l, struct buf *out) must_check;
void leaving_wipe(struct leavings *l);

/* Notes the holders of old, and the session's epochs, before set is sent to the
 * home.  FAULT_LIMIT where too many are noted already. */
int leaving_note(const struct session *ses, const struct custody *old,
    const struct custody *set, struct fault *f) must_check;

/* What came of it. */
struct leaving_receipt {
	char holder[65];
	struct receipt receipt;
};

struct leaving_doubt {
	char holder[65]; /* in base64 its key, if it is not in the policy */
	char jurisdiction[3];
	uint8_t n;
	uint32_t epoch[LEAVING_EPOCHS_MAX];
	char why[FAULT_TEXT_MAX];
};

struct leaving_report {
	size_t nreceipts, ndoubts;
	size_t more; /* receipts that were kept and have no room here */
	struct leaving_receipt receipt[LEAVING_EPOCHS_MAX];
	struct leaving_doubt doubt[LEAVING_MAX];
};

/*
 * Tells everybody who is noted that the set is in force, and keeps what they
 * answer: receipt-<epoch>-<holder>-left-<serial of the set>.  What was proved
 * now is added to the report, and the doubts in it are those of now.
 * FAULT_PARTIAL where there are any; FAULT_TRUST where a receipt does not hold;
 * FAULT_LOG.
 */
int leaving_settle(struct session *ses, struct leaving_report *out,
    struct fault *f) must_check;

/*
 * Gives up on a holder, by the name that a doubt has for it: it is asked no
 * more.  *out gets what stays unproved of it, for ever.  FAULT_DENIED while an
 * epoch that it may have kept is the session's: that opens the space.
 * FAULT_NOT_FOUND where nothing is unproved of it.
 */
int leaving_forget(struct session *ses, const char *holder,
    struct leaving_report *out, struct fault *f) must_check;

#endif
