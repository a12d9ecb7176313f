// SPDX-License-Identifier: Apache-2.0
/* What an operator sees of a depot: numbers only, nothing of any prefix. */
#ifndef SKERRY_DEPOT_METRICS_H
#define SKERRY_DEPOT_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define METRICS_STATUSES 20
#define METRICS_BUCKETS 11 /* the last is +Inf */

enum metrics_verb {
	METRICS_GET,
	METRICS_HEAD,
	METRICS_PUT,
	METRICS_DELETE,
	METRICS_LIST,
	METRICS_HEALTH,
	METRICS_OTHER,
	METRICS_VERBS,
};

/* Why the depot ended a connection, or took none. */
enum metrics_cut {
	METRICS_CUT_IDLE,    /* no request began in time */
	METRICS_CUT_SLOW,    /* one did not come on */
	METRICS_CUT_FULL,    /* the place was wanted for another */
	METRICS_CUT_ADDRESS, /* the address has enough of them */
	METRICS_CUTS,
};

/* All zero to begin with. */
struct metrics {
	atomic_ullong requests[METRICS_VERBS][METRICS_STATUSES];
	atomic_ullong seconds[METRICS_BUCKETS];
	atomic_ullong nanoseconds_sum;
	atomic_ullong bytes_in, bytes_out;
	atomic_ullong objects_created, objects_deleted;
	atomic_llong in_flight;
	atomic_llong connections;
	atomic_ullong cuts[METRICS_CUTS];
};

/* An answered request.  status 0: the connection broke before. */
void metrics_request(struct metrics *m, enum metrics_verb verb,
    unsigned status, uint64_t nanoseconds);

void metrics_cut(struct metrics *m, enum metrics_cut why);

/* Appends Prometheus text. */
int metrics_format(struct metrics *m, struct buf *out) must_check;

#endif
