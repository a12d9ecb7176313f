// SPDX-License-Identifier: Apache-2.0
/* What an operator sees of a depot: numbers only, nothing of any prefix. */
#ifndef SKERRY_DEPOT_METRICS_H
#define SKERRY_DEPOT_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "serve/watch.h"

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

/* All zero to begin with. */
struct metrics {
	atomic_ullong requests[METRICS_VERBS][METRICS_STATUSES];
	atomic_ullong seconds[METRICS_BUCKETS];
	atomic_ullong nanoseconds_sum;
	atomic_ullong bytes_in, bytes_out;
	atomic_ullong objects_created, objects_deleted;
	atomic_llong in_flight;
	struct watch_count watch;
};

/* An answered request.  status 0: the connection broke before. */
void metrics_request(struct metrics *m, enum metrics_verb verb,
    unsigned status, uint64_t nanoseconds);

/* Appends Prometheus text. */
int metrics_format(struct metrics *m, struct buf *out) must_check;

#endif
