// SPDX-License-Identifier: Apache-2.0
/* HTTP: POST /add-checkpoint, GET /<hash of origin>/checkpoint, /healthz. */
#ifndef SKERRY_WITNESS_FRONT_H
#define SKERRY_WITNESS_FRONT_H

#include "base/attr.h"
#include "base/fault.h"
#include "serve/watch.h"
#include "witness/state.h"

struct front; /* opaque */

struct front_options {
	int listen_fd;  /* the front's from here on */
	int metrics_fd; /* likewise; -1: none */
	const char *cert, *key; /* PEM, or NULL: plain HTTP */
	unsigned threads;
	struct watch_rule rule;
};

/* FAULT_CONFIG.  *out is to be stopped. */
int front_start(struct state *s, const struct front_options *o,
    struct front **out, struct fault *f) must_check;

/* Takes no more connections, waits up to seconds for what is under way. */
void front_stop(struct front *front, unsigned seconds);

#endif
