// SPDX-License-Identifier: Apache-2.0
/*
 * Progress of a long command: a bar on a terminal (bytes, rate, files or what
 * else is counted, time left; as much of that as fits), nothing otherwise.
 * Threads may add at the same time.
 */
#ifndef SKERRY_CLIENT_PROGRESS_H
#define SKERRY_CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress;

/* what: the verb, "put"; one, many: what is counted, "file", "files"; all
 * literals.  NULL where terminal_redraws() is false, or quiet; every function
 * takes NULL. */
struct progress *progress_new(const char *what, const char *one,
    const char *many, int quiet);

/* So much more is to be done than was known before. */
void progress_expect(struct progress *p, uint64_t items, uint64_t bytes);

/* Whether more will be expected than was until now: while that is so, no total,
 * no bar and no time left is shown.  Not so at first. */
void progress_grows(struct progress *p, bool grows);

/* So much more is done. */
void progress_add(struct progress *p, uint64_t items, uint64_t bytes);

/* Clears the line and frees. */
void progress_free(struct progress *p);

#endif
