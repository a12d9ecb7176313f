// SPDX-License-Identifier: Apache-2.0
/*
 * Gathers sealings into packs and uploads them in the background.  Any thread
 * may add.  What the depot has acknowledged is written to the journal, so that
 * an interrupted put does not send it again.
 *
 * Invariants: (1) at most one pack is open; (2) PACKER_PACKS buffers exist,
 * each free, open, waiting or under way; (3) a pack with room that is reserved
 * and not filled stays open or waiting; (4) after the first failure nothing is
 * accepted and every call returns it.
 */
#ifndef SKERRY_CLIENT_ENGINE_PACKER_H
#define SKERRY_CLIENT_ENGINE_PACKER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/effort.h"
#include "object/index.h"
#include "object/place.h"
#include "store/store.h"

#define PACKER_UPLOADS 2u
#define PACKER_PACKS (PACKER_UPLOADS + 1u)

struct packer;
struct journal;

struct packer_stats {
	atomic_uint_fast64_t objects, bytes; /* acknowledged by the depot */
};

/* Starts the upload threads, each with a dup of store.  journal may be NULL.
 * All must outlive the packer.  FAULT_MEMORY, FAULT_DEPOT. */
int packer_new(struct store *store, struct journal *journal,
    struct packer_stats *stats, enum effort_wish wish, struct packer **out,
    struct fault *f) must_check;

/* How hard to compress what goes into its packs; borrowed. */
struct effort *packer_effort(struct packer *p);

/* Room for one sealing in a pack. */
struct packer_room {
	uint8_t *p; /* place.length bytes, for whoever reserved it */
	struct place place;
	struct slot *slot; /* the packer's */
};

/* Reserves room of that many bytes in the open pack, which is not sent before
 * packer_fill or packer_spoil.  Blocks while all packs are under way.  The
 * first failure of any upload. */
int packer_reserve(struct packer *p, uint32_t length, struct packer_room *out,
    struct fault *f) must_check;

/* The room is filled.  *e, unless NULL, is the chunk's entry: its place is set,
 * and it goes to the journal.  FAULT_MEMORY. */
int packer_fill(struct packer *p, const struct packer_room *room,
    struct index_entry *e, struct fault *f) must_check;

/* It will not be: the packer has failed with *f. */
void packer_spoil(struct packer *p, const struct packer_room *room,
    const struct fault *f);

/* Copies one sealing into the open pack.  Sets *out.  As packer_reserve. */
int packer_add(struct packer *p, struct bytes sealed, struct place *out,
    struct fault *f) must_check;

/* Uploads the open pack too, as the last, and waits until the depot has
 * acknowledged everything.  Nothing is reserved. */
int packer_flush(struct packer *p, struct fault *f) must_check;

/* Gives up what was not acknowledged; waits for the threads.  NULL is fine. */
void packer_free(struct packer *p);
void packer_freep(struct packer **p);

#endif
