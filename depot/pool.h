// SPDX-License-Identifier: Apache-2.0
/*
 * Threads for what waits for the disk, so that those that serve the network
 * never do.  Many syncs at once also cost little more than one: the file
 * system's journal takes them together.  Each owner of jobs has a queue, and
 * the queues take turns: whoever asks for much waits for himself.
 */
#ifndef SKERRY_DEPOT_POOL_H
#define SKERRY_DEPOT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* Embedded in what the job works on, which sets the first two. */
struct pool_job {
	void (*run)(struct pool_job *job);
	uint64_t owner;

	struct pool_job *next; /* of the same owner */
	/* Of a queue's first: */
	struct pool_job *last;
	struct pool_job *next_queue;
};

struct pool; /* opaque */

/* FAULT_MEMORY when the threads cannot be had. */
int pool_start(unsigned nthreads, struct pool **out) must_check;

/* Runs the job in one of the threads, its owner's in the order of submission.
 * False once the pool was stopped: it will not run.  Any thread. */
bool pool_submit(struct pool *p, struct pool_job *job) must_check;

/* Runs what is queued, ends the threads.  NULL is fine. */
void pool_stop(struct pool *p);

/* After pool_stop, when nobody submits any more.  NULL is fine. */
void pool_free(struct pool *p);

#endif
