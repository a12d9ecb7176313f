// SPDX-License-Identifier: Apache-2.0
/*
 * Where chunks were that a check found missing or altered at the depot: a put
 * that has their content sends it again, though the index has them.  Kept in
 * the space's cache folder as the file "lost":
 *
 *   file   = object id [16], u32 offset; ...: ascending
 *
 * The depot knows all of it.  Losing it costs another check.
 */
#ifndef SKERRY_CLIENT_ENGINE_LOST_H
#define SKERRY_CLIENT_ENGINE_LOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "object/index.h"

#define LOST_MAX ((size_t)1 << 30) /* bytes of the file */

/* Appends what is known to out; nothing where there is no such file, or one
 * that is damaged. */
void lost_read(int dir, struct buf *out);

/* Whether the chunk at that place is among them. */
bool lost_has(struct bytes lost, const struct place *place);

/* Notes the places of those e[i] whose bad[i] is not 0; all: in place of those
 * that were known, else beside them.  A failure leaves those. */
void lost_note(int dir, const struct index_entry *e, const uint8_t *bad,
    size_t n, bool all);

#endif
