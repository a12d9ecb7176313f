// SPDX-License-Identifier: Apache-2.0
/* What an operator sees of a depot: numbers only, nothing of any prefix. */
#ifndef SKERRY_DEPOT_METRICS_H
#define SKERRY_DEPOT_METRICS_H

#include <stdatomic.h>

#include "serve/tally.h"

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
	struct tally tally; /* by verb */
	atomic_ullong bytes_in, bytes_out;
	atomic_ullong objects_created, objects_deleted;
};

/* For a struct scrape; arg: struct metrics. */
void metrics_expose(void *arg, struct expose *e);

#endif
