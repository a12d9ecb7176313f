// SPDX-License-Identifier: Apache-2.0
/*
 * Sealings that this device fetched or made, kept as they are at the depot:
 * tree nodes, index blocks, commits.  Nothing here can be read without the
 * space key, and nothing is believed: what is read is opened and checked like
 * the depot's.
 * Safe for many threads and many processes.
 *
 * The file "size" says about how many bytes there are, u64: so that not every
 * command has to look at every file.  Where two processes end at once it may
 * say less, by what one of them added.
 */
#ifndef SKERRY_CLIENT_ENGINE_CACHE_H
#define SKERRY_CLIENT_ENGINE_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "object/place.h"

#define CACHE_MAX ((uint64_t)1 << 30) /* bytes, by default */

struct cache {
	int dir; /* owned; -1: there is no cache, every get fails */
	atomic_uint_fast64_t added; /* bytes, by this struct */
};

/* place.length bytes into out; false where it is not there. */
bool cache_get(const struct cache *c, const struct place *place, uint8_t *out);

/* Whether it is there, whatever it is worth. */
bool cache_has(const struct cache *c, const struct place *place);

/* Keeps a copy; a failure (full disk) is no error. */
void cache_put(struct cache *c, const struct place *place,
    const uint8_t *sealed);

/* Forgets one that was found to be bad. */
void cache_drop(const struct cache *c, const struct place *place);

/* Notes what was added.  Where there are more than max bytes, removes the
 * longest unused until three quarters of that are left. */
void cache_trim(struct cache *c, uint64_t max);

#endif
