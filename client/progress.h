// SPDX-License-Identifier: Apache-2.0
/*
 * Progress of a long command: a bar on a terminal (bytes, rate, time left,
 * files), nothing otherwise.  Threads may add at the same time.
 */
#ifndef SKERRY_CLIENT_PROGRESS_H
#define SKERRY_CLIENT_PROGRESS_H

#include <stdint.h>

struct progress;

/* what: the verb, "put".  NULL where standard error is no terminal, or quiet;
 * every function takes NULL. */
struct progress *progress_new(const char *what, int quiet);

/* Totals, as far as known; may grow. */
void progress_expect(struct progress *p, uint64_t files, uint64_t bytes);

void progress_add(struct progress *p, uint64_t files, uint64_t bytes);

/* Clears the line and frees. */
void progress_free(struct progress *p);

#endif
