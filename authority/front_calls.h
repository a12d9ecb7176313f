// SPDX-License-Identifier: Apache-2.0
/*
 * The front's requests that are under way at the ledger: many at once over one
 * link, whose answers come in any order.  A thread of its own sends and hears;
 * who puts a request does not wait.
 */
#ifndef SKERRY_AUTHORITY_FRONT_CALLS_H
#define SKERRY_AUTHORITY_FRONT_CALLS_H

#include "authority/link.h"
#include "base/attr.h"
#include "base/bytes.h"

#define FRONT_CALLS_MAX 512

struct front_calls;

/* Gets what the ledger answered to the request of who, to keep; FAULT_AUTHORITY
 * where it did not.  On the thread, once for each request. */
typedef void front_calls_done(void *who, int rc, struct buf *answer);

/* NULL where there is no memory or thread.  ms: that a request may take. */
struct front_calls *front_calls_new(struct link link, int ms,
    front_calls_done *done);

/* Takes over what is in ask.  FAULT_LIMIT: FRONT_CALLS_MAX are under way, or
 * none is taken any more; ask is unchanged. */
int front_calls_put(struct front_calls *c, struct buf *ask, void *who)
	must_check;

/* Ends the thread: what is under way has no answer, and no more is taken. */
void front_calls_end(struct front_calls *c);

void front_calls_free(struct front_calls *c);

#endif
