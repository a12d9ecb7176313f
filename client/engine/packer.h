// SPDX-License-Identifier: Apache-2.0
/*
 * Gathers sealings into packs and uploads them in the background.  Any thread
 * may add.  What the depot has acknowledged is written to the journal, so that
 * an interrupted put does not send it again.
 *
 * Invariants: (1) at most one pack is open; (2) PACKER_PACKS buffers exist,
 * each free, open, waiting or under way; (3) after the first failure nothing is
 * accepted and every call returns it.
 */
#ifndef SKERRY_CLIENT_ENGINE_PACKER_H
#define SKERRY_CLIENT_ENGINE_PACKER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "object/index.h"
#include "object/place.h"
#include "store/store.h"

#define PACKER_UPLOADS 2u
#define PACKER_PACKS (PACKER_UPLOADS + 2u)

struct packer;
struct journal;

struct packer_stats {
	atomic_uint_fast64_t objects, bytes; /* acknowledged by the depot */
};

/* Starts the upload threads, each with a dup of store.  journal may be NULL.
 * Both must outlive the packer.  FAULT_MEMORY, FAULT_DEPOT. */
int packer_new(struct store *store, struct journal *journal,
    struct packer_stats *stats, struct packer **out,
    struct fault *f) must_check;

/* Copies one sealing into the open pack.  Sets *out; and, where e is not NULL,
 * *e is the chunk's entry: its place is set, and it goes to the journal.
 * Blocks while all packs are under way.  The first failure of any upload. */
int packer_add(struct packer *p, struct bytes sealed, struct index_entry *e,
    struct place *out, struct fault *f) must_check;

/* Uploads the open pack too, as the last, and waits until the depot has
 * acknowledged everything that was added. */
int packer_flush(struct packer *p, struct fault *f) must_check;

/* Gives up what was not acknowledged; waits for the threads.  NULL is fine. */
void packer_free(struct packer *p);
void packer_freep(struct packer **p);

#endif
