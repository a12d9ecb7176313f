// SPDX-License-Identifier: Apache-2.0
/* How many requests a server had, of which kind, how they ended and how long
 * they took; and its connections. */
#ifndef SKERRY_SERVE_TALLY_H
#define SKERRY_SERVE_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/expose.h"
#include "serve/watch.h"

#define TALLY_KINDS_MAX 20
#define TALLY_STATUSES 21
#define TALLY_BUCKETS 12 /* the last is +Inf */

/* The kinds of a server's requests, TALLY_KINDS_MAX at most. */
struct tally_kinds {
	const char *label;
	const char *const *name;
	size_t n;
};

/* All zero to begin with.  Any thread. */
struct tally {
	atomic_ullong requests[TALLY_KINDS_MAX][TALLY_STATUSES];
	atomic_ullong seconds[TALLY_BUCKETS];
	atomic_ullong nanoseconds;
	atomic_llong in_flight;
	struct watch_count watch;
};

/* A request begins.  Returns when, for its end. */
uint64_t tally_begin(struct tally *t);

/* It ended.  status 0: the connection broke before. */
void tally_end(struct tally *t, size_t kind, unsigned status,
    uint64_t begun);

void tally_expose(struct tally *t, const struct tally_kinds *kinds,
    struct expose *e);

#endif
