// SPDX-License-Identifier: Apache-2.0
/* The HTTPS server and the metrics' plain one. */
#ifndef SKERRY_DEPOT_FRONT_H
#define SKERRY_DEPOT_FRONT_H

#include <signal.h>

#include "base/attr.h"
#include "base/fault.h"
#include "depot/request.h"
#include "serve/watch.h"

struct front_options {
	int listen_fd;  /* the front's from front_start on */
	int metrics_fd; /* likewise; -1: none */
	const char *cert, *key; /* PEM */
	unsigned threads;       /* of the network */
	unsigned disk_threads;
	struct watch_rule rule;
};

struct front; /* opaque */

/* site must outlive the front.  FAULT_CONFIG: certificate or key. */
int front_start(struct request_site *site, const struct front_options *o,
    struct front **out, struct fault *f) must_check;

/* Takes no new connection and no new work; waits until what is under way is
 * done, for so many seconds, or till a signal of stop comes.  Returns how many
 * requests were still under way. */
unsigned front_drain(struct front *front, unsigned seconds,
    const sigset_t *stop);

/* Cuts what is left, waits for the threads, frees. */
void front_stop(struct front *front);

#endif
