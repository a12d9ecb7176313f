// SPDX-License-Identifier: Apache-2.0
/*
 * Fetches sealings that one thread will come to soon, by a few threads, and
 * keeps them in memory until they are taken.
 *
 * Invariant: a slot is free, wanted, under way with one worker, or done; its
 * place is in no other slot.
 */
#ifndef SKERRY_CLIENT_ENGINE_AHEAD_H
#define SKERRY_CLIENT_ENGINE_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "object/place.h"
#include "store/store.h"

#define AHEAD_MAX 32u            /* sealings at once */
#define AHEAD_THREADS 8u         /* at most */
#define AHEAD_GAP_MAX 32768u     /* bytes fetched for nothing between two */
#define AHEAD_RANGE_MAX 1048576u /* bytes of one request */

struct ahead;

/* Borrows store, of which each thread has a dup; so it is its owner's thread
 * that asks.  NULL: no memory. */
struct ahead *ahead_new(struct store *store);

/* Waits for what is under way; NULL is fine. */
void ahead_free(struct ahead *a);

/* Asks for up to n sealings; those for which there is no room are left out, and
 * older ones that were never taken make room. */
void ahead_want(struct ahead *a, const struct place *place, size_t n);

/* place.length bytes into out, waiting for them where they are under way.
 * false: not asked for, not begun yet, or failed; to be fetched, then, by the
 * caller. */
bool ahead_take(struct ahead *a, const struct place *place, uint8_t *out);

#endif
