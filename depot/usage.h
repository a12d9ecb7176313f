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
 * Invariants, under lock:
 *  1. counted: bytes is the sum of the sizes of the objects that are visible;
 *     nothing becomes visible before counted is true.
 *  2. reserved is the sum of the lengths of uploads under way.
 *  3. durable[n]: folder n is there, and the path to it survives a power cut.
 */
struct usage {
	struct usage *next;
	uint8_t prefix[ID_LEN];
	pthread_mutex_t lock;      /* of the fields below */
	pthread_mutex_t head_lock; /* of the head mirror; taken first */
	atomic_bool counted; /* also read without it: once true it stays */
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

/* Folders that were known to be there are not: they are made again.  Under
 * lock. */
void usage_forget_folders(struct usage *u);

/* Takes len of the quota (0: none) for an upload.  Under lock.  FAULT_LIMIT
 * when it does not fit. */
int usage_reserve(struct usage *u, uint64_t len, uint64_t quota) must_check;

#endif
