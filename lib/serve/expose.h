// SPDX-License-Identifier: Apache-2.0
/*
 * What an operator sees of a server: Prometheus' text exposition format.  Each
 * metric is named skerry_SERVER_NAME.  Numbers only, nothing of anybody.
 */
#ifndef SKERRY_SERVE_EXPOSE_H
#define SKERRY_SERVE_EXPOSE_H

#include "base/attr.h"
#include "base/bytes.h"

struct expose {
	const char *server; /* "depot" */
	struct buf *out;
	int rc; /* the first failure; nothing is appended after it */
};

/* The lines in front of a metric's samples. */
void expose_head(struct expose *e, const char *name, const char *type,
    const char *help);

/* One sample: "skerry_SERVER_" goes in front of it, a newline behind it. */
void expose_sample(struct expose *e, const char *fmt, ...) printf_like(2, 3);

/* A metric that is one number. */
void expose_counter(struct expose *e, const char *name, const char *help,
    unsigned long long v);
void expose_gauge(struct expose *e, const char *name, const char *help,
    long long v);

#endif
