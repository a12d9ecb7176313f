// SPDX-License-Identifier: Apache-2.0
/*
 * The first upload to a prefix waits until what that holds is counted, which
 * takes a disk thread for as long as the prefix is large.  Others to the same
 * prefix that come meanwhile wait here, without one.
 */
#ifndef SKERRY_DEPOT_OPENING_H
#define SKERRY_DEPOT_OPENING_H

#include <pthread.h>
#include <stdbool.h>

#include "base/attr.h"

struct request;

struct opening {
	pthread_mutex_t lock;
	struct request *first; /* of each prefix one, which is being opened */
};

/* True: the request is to open its prefix, and to end that by opening_end.
 * False: another does so, and has r among those that opening_end gives. */
bool opening_begin(struct opening *o, struct request *r) must_check;

/* Those that waited for r, linked by next_open; they may have to begin again,
 * where it failed. */
struct request *opening_end(struct opening *o, struct request *r) must_check;

#endif
