// SPDX-License-Identifier: Apache-2.0
/*
 * Worker threads that stow slabs of data.  One thread fills slabs and hands
 * them over; each comes back to it, in the same order, with the ids of its
 * pieces.
 *
 * Invariant: the slabs are a ring; from tail on `under_way` of them are with
 * the workers or done, the one after them is being filled.
 */
#ifndef SKERRY_CLIENT_ENGINE_POOL_H
#define SKERRY_CLIENT_ENGINE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/stow.h"

#define SLAB_SIZE (2u * CHUNK_MAX)

struct piece {
	void *owner;     /* the filler's */
	uint32_t offset; /* in the slab */
	uint64_t length; /* of data: 1..CHUNK_MAX; of a hole: any */
	bool hole;       /* no data; passes through in order */
	bool last;       /* of its owner */
	uint8_t id[CHUNK_ID_LEN]; /* filled in by the worker, unless hole */
};

struct slab {
	uint8_t *p;  /* SLAB_SIZE bytes */
	size_t used; /* bytes of p */
	size_t n;    /* pieces */
	struct piece piece[STOW_PIECES];

	/* The pool's: */
	int state;
	struct fault fault;
};

struct pool;

/* Called in the filler's thread for each slab that is done, in order; its
 * result ends the put. */
struct pool_done {
	int (*done)(void *arg, const struct slab *s);
	void *arg;
};

/* Starts workers threads, each with a stow of its own. */
int pool_new(struct space *sp, struct packer *packer, struct fresh *fresh,
    unsigned workers, struct pool_done done, struct pool **out,
    struct fault *f) must_check;

/* The slab that is being filled. */
struct slab *pool_slab(struct pool *p);

/* Hands it to the workers, and waits for an empty one; takes back what is done
 * meanwhile.  The first fault of a worker, or done's. */
int pool_submit(struct pool *p, struct fault *f) must_check;

/* Takes back one slab, waiting for it; 0 too where none is under way. */
int pool_reap(struct pool *p, struct fault *f) must_check;

/* Slabs that are with the workers. */
size_t pool_under_way(const struct pool *p);

/* Waits for the threads; what was not taken back is lost.  NULL is fine. */
void pool_free(struct pool *p);
void pool_freep(struct pool **p);

#endif
