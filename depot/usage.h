// SPDX-License-Identifier: Apache-2.0
/*
 * What is known of each prefix while the process runs: its usage and its locks.
 * An entry is made at first use and stays, at about 200 bytes each.
 */
#ifndef SKERRY_DEPOT_USAGE_H
#define SKERRY_DEPOT_USAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/keys.h"

#define USAGE_FANS 256

/*
 * Invariants:
 *  1. bytes is the sum of the sizes of the objects that are visible in the
 *     first so many folders; nothing becomes visible before all are counted.
 *  2. reserved is the sum of the lengths of uploads under way.
 *  3. durable[n]: folder n is there, and the path to it survives a power cut.
 * Nothing waits for the disk under lock but for a name that comes or goes.
 */
struct usage {
	struct usage *next;
	uint8_t prefix[ID_LEN];
	pthread_mutex_t head_lock;   /* of the head mirror; taken first */
	pthread_mutex_t count_lock;  /* of counting, once */
	pthread_mutex_t folder_lock; /* of what is durable */
	pthread_mutex_t lock;        /* of these: */
	atomic_uint folders; /* counted; USAGE_FANS stays, and is read freely */
	bool disturbed; /* something went in the folder that is counted now */
	uint64_t bytes, reserved;
	bool prefix_durable;
	bool durable[USAGE_FANS];
};

struct usage_table; /* opaque */

/* NULL when out of memory. */
struct usage_table *usage_new(void);
void usage_free(struct usage_table *t);

/* The prefix's entry, which lives as long as the table; NULL when out of
 * memory. */
struct usage *usage_get(struct usage_table *t, const uint8_t prefix[ID_LEN]);

/* Whether all of the prefix is counted.  Any thread. */
bool usage_known(const struct usage *u);

/* An object of so many bytes went.  Under lock. */
void usage_removed(struct usage *u, uint8_t folder, uint64_t bytes);

/* Folders that were known to be there are not: they are made again.  Under
 * folder_lock. */
void usage_forget_folders(struct usage *u);

/* Takes len of the quota (0: none) for an upload.  Under lock.  FAULT_LIMIT
 * when it does not fit. */
int usage_reserve(struct usage *u, uint64_t len, uint64_t quota) must_check;

#endif
