// SPDX-License-Identifier: Apache-2.0
/* The operator's listener of a server: plain HTTP on loopback, GET /metrics and
 * GET /healthz. */
#ifndef SKERRY_SERVE_SCRAPE_H
#define SKERRY_SERVE_SCRAPE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "serve/expose.h"

struct MHD_Daemon;

/* Must outlive the listener. */
struct scrape {
	const char *server;
	void (*expose)(void *ctx, struct expose *e); /* all that it has */
	void *ctx;
	const atomic_bool *draining; /* /healthz says so */
};

/* Takes over fd, a listening socket, where it starts.  To be stopped by
 * MHD_stop_daemon; NULL: out of memory or threads. */
struct MHD_Daemon *scrape_start(int fd, const struct scrape *s);

#endif
