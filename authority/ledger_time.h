// SPDX-License-Identifier: Apache-2.0
/* The ledger's clock, and what goes by it without anybody asking. */
#ifndef SKERRY_AUTHORITY_LEDGER_TIME_H
#define SKERRY_AUTHORITY_LEDGER_TIME_H

#include "authority/ledger.h"

/* Goes on from what the database kept; wall: the time, in seconds. */
int ledger_time_start(struct ledger *l, int64_t wall, struct fault *f)
	must_check;

/* Reads the clock: l->pace is as of now.  Tells the operator when it is ahead
 * of what is sure, and when no longer. */
void ledger_time_read(struct ledger *l, int64_t wall);

/* In a transaction: drops what has expired for sure, and what keeps requests
 * from being repeated for long enough; stores how the clock went. */
int ledger_time_pass(struct ledger *l, struct fault *f);

/* The same, of the clock alone, where there is no transaction for long. */
void ledger_time_rest(struct ledger *l);

#endif
