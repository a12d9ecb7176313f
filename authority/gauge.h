// SPDX-License-Identifier: Apache-2.0
/* What an operator sees of an authority: numbers only, nothing of anybody. */
#ifndef SKERRY_AUTHORITY_GAUGE_H
#define SKERRY_AUTHORITY_GAUGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "authority/request.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "serve/watch.h"

#define GAUGE_PATHS 15 /* the last is every other path */
#define GAUGE_STATUSES 8
#define GAUGE_BUCKETS 10 /* the last is +Inf */

/* All zero to begin with; safe from several threads. */
struct gauge {
	atomic_ullong requests[GAUGE_PATHS][GAUGE_STATUSES];
	atomic_ullong seconds[GAUGE_BUCKETS];
	atomic_ullong nanoseconds_sum;
	atomic_llong in_flight;
	/* Log and clock, as the ledger's last answer had it. */
	atomic_ullong log_size, log_appends, clock_ahead;
	atomic_llong log_shown;
	struct watch_count watch;
};

/* An answered request. */
void gauge_request(struct gauge *g, const char *path, unsigned status,
    uint64_t nanoseconds);

/* What an answer said of the log. */
void gauge_log(struct gauge *g, const struct request_log *log);

/* Appends Prometheus text. */
int gauge_format(struct gauge *g, struct buf *out) must_check;

#endif
