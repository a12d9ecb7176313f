// SPDX-License-Identifier: Apache-2.0
/* The leaves that a walk along a tree comes to next, fetched ahead while it
 * goes from one to the next and the cache does not have them. */
#ifndef SKERRY_CLIENT_ENGINE_LEAVES_H
#define SKERRY_CLIENT_ENGINE_LEAVES_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "client/engine/reader.h"
#include "object/cursor.h"

/* Zeroed: at no leaf yet. */
struct leaves {
	uint32_t leaf;   /* cursor_leaf, when last asked */
	uint64_t missed; /* the reader's, at that leaf */
	size_t window;   /* leaves to ask for; 0 where the walk leapt */
	size_t asked;    /* that were asked for and not reached yet */
};

/* To be called at each entry: asks for leaves behind that of c, which loads its
 * nodes by r, as far as they are within base. */
void leaves_ahead(struct leaves *l, struct reader *r, const struct cursor *c,
    struct bytes base);

#endif
