// SPDX-License-Identifier: Apache-2.0
/*
 * The chunks that a put has met: each is claimed by the first thread that sees
 * its id, so that it is looked up and sealed once.  Any thread.
 */
#ifndef SKERRY_CLIENT_ENGINE_FRESH_H
#define SKERRY_CLIENT_ENGINE_FRESH_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "object/index.h"

struct fresh;

enum fresh_claim {
	FRESH_MINE,   /* this thread must look it up and seal it */
	FRESH_TAKEN,  /* another has, or does: nothing to do */
};

/* NULL: no memory. */
struct fresh *fresh_new(void);
void fresh_free(struct fresh *t);
void fresh_freep(struct fresh **t);

/* A chunk that the journal knows: it is at the depot, not in the index. */
int fresh_journaled(struct fresh *t, const struct index_entry *e) must_check;

/* Claims each of n ids, under one lock.  FAULT_MEMORY. */
int fresh_claim(struct fresh *t, const uint8_t (*id)[CHUNK_ID_LEN], size_t n,
    enum fresh_claim *out) must_check;

/* A claimed chunk was sealed and placed: it goes into the new segment.  One
 * that the old index has is not reported. */
int fresh_add(struct fresh *t, const struct index_entry *e) must_check;

/* The new entries; borrowed until the next call.  For one thread, at the end.
 * Journaled ones are in it where they were claimed. */
struct index_entry *fresh_entries(struct fresh *t, size_t *n);

#endif
