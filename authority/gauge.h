// SPDX-License-Identifier: Apache-2.0
/* What an operator sees of an authority: numbers only, nothing of anybody. */
#ifndef SKERRY_AUTHORITY_GAUGE_H
#define SKERRY_AUTHORITY_GAUGE_H

#include <stdatomic.h>

#include "authority/request.h"
#include "serve/tally.h"

/* All zero to begin with; safe from several threads. */
struct gauge {
	struct tally tally; /* by path */
	/* Log and clock, as the ledger's last answer had it. */
	atomic_ullong log_size, log_appends, clock_ahead;
	atomic_llong log_shown;
};

/* The kind of a request, for the tally. */
size_t gauge_kind(const char *path);

/* What an answer said of the log. */
void gauge_log(struct gauge *g, const struct request_log *log);

/* For a struct scrape; arg: struct gauge. */
void gauge_expose(void *arg, struct expose *e);

#endif
