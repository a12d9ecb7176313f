// SPDX-License-Identifier: Apache-2.0
/*
 * The connections that are open: how many each address has, what each is at,
 * and which of the threads that serve them it is given to.  Those that hold a
 * place and make no use of it are cut.
 */
#ifndef SKERRY_SERVE_WATCH_H
#define SKERRY_SERVE_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "serve/expose.h"

struct sockaddr;

struct watch_rule {
	unsigned most;             /* connections */
	unsigned most_per_address; /* of IPv6, for each network of 64 bits */
	unsigned idle_seconds;     /* for the next request to begin */
	unsigned least_rate;       /* bytes a second; 0: none */
};

enum watch_phase {
	WATCH_QUIET,    /* no request; the head of one may be coming */
	WATCH_STRANGER, /* a request that nobody vouched for */
	WATCH_MOVING,   /* a good one: its body or its answer is on the way */
	WATCH_OURS,     /* one that waits for the server */
};

/* Why the server ended a connection, or took none. */
enum watch_cut {
	WATCH_CUT_IDLE,    /* no request began in time */
	WATCH_CUT_SLOW,    /* one did not come on */
	WATCH_CUT_FULL,    /* the place was wanted for another */
	WATCH_CUT_ADDRESS, /* the address has enough of them */
	WATCH_CUTS,
};

/* All zero to begin with. */
struct watch_count {
	atomic_llong connections;
	atomic_ullong cuts[WATCH_CUTS];
};

struct watch;   /* opaque; any thread */
struct watched; /* a connection; watch_drop ends it */

/* Connections go to that many threads, at least one.  It counts there; count
 * must outlive it.  NULL when out of memory. */
struct watch *watch_new(const struct watch_rule *rule, unsigned threads,
    struct watch_count *count);

/* All must be dropped. */
void watch_free(struct watch *w);

bool watch_full(struct watch *w);

/* A connection of that socket begins, and is quiet; now: milliseconds
 * that only grow, as everywhere here.  *thread: that with the fewest
 * connections that are at something, or new; of such, they take turns.
 * FAULT_LIMIT: its address has enough.  FAULT_MEMORY. */
int watch_add(struct watch *w, int fd, const struct sockaddr *addr,
    uint64_t now, unsigned *thread) must_check;

/* One that was added. */
struct watched *watch_find(struct watch *w, int fd);

/* Before the socket is closed; again does no harm. */
void watch_drop(struct watch *w, int fd);

/* What it is at now. */
void watch_note(struct watched *c, enum watch_phase phase);
enum watch_phase watch_phase(const struct watched *c);

int watch_fd(const struct watched *c);

/* Cuts who is too slow; to be called every second or oftener. */
void watch_tick(struct watch *w, uint64_t now);

/* Makes room: cuts the one that has been without a good request for longest,
 * of those that never had one before the others; none while one that was cut is
 * still to be dropped, or one that never had one is too new to go.  False:
 * there is none. */
bool watch_shed(struct watch *w, uint64_t now);

/* The metrics connections and cut_total. */
void watch_expose(struct watch_count *count, struct expose *e);

#endif
