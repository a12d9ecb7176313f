// SPDX-License-Identifier: Apache-2.0
/*
 * Where sealings were that a check found missing or altered at the depot: a put
 * that has the content of such a chunk, or a copy of such a commit, sends it
 * again.  Kept in the space's cache folder as the file "lost":
 *
 *   file   = object id [16], u32 offset; ...: ascending
 *
 * All zero stands for chunks of which the index does not say where they were.
 * The depot knows all of it.  Losing it costs another check.
 */
#ifndef SKERRY_CLIENT_ENGINE_LOST_H
#define SKERRY_CLIENT_ENGINE_LOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "object/place.h"

#define LOST_MAX ((size_t)1 << 30) /* bytes of the file */

/* Appends what is known to out; nothing where there is no such file, or one
 * that is damaged. */
void lost_read(int dir, struct buf *out);

/* Whether what lies at that place is among them. */
bool lost_has(struct bytes lost, const struct place *place);

/* Appends a place for lost_note.  FAULT_LIMIT, FAULT_MEMORY. */
int lost_add(struct buf *places, const struct place *place) must_check;

/* Notes places, in any order; all: in place of those that were known, else
 * beside them.  A failure leaves those. */
void lost_note(int dir, struct bytes places, bool all);

#endif
