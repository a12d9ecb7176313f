// SPDX-License-Identifier: Apache-2.0
/*
 * Stows pieces of plaintext: names them, looks them up, and seals and packs
 * only what the space does not have.  A struct stow belongs to one thread.
 */
#ifndef SKERRY_CLIENT_ENGINE_STOW_H
#define SKERRY_CLIENT_ENGINE_STOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/fresh.h"
#include "client/engine/packer.h"
#include "client/engine/reader.h"

#define STOW_PIECES 512u /* at most, in one call */

struct stow;

/* Borrows all three. */
int stow_new(struct space *sp, struct packer *packer, struct fresh *fresh,
    struct stow **out, struct fault *f) must_check;
void stow_free(struct stow *s);
void stow_freep(struct stow **s);

/* The reader within; borrowed. */
struct reader *stow_reader(struct stow *s);

/* Stows n pieces of one kind, 1..CHUNK_MAX bytes each, and writes their ids.
 * What was sealed lies in a pack, not yet at the depot: packer_flush. */
int stow_pieces(struct stow *s, enum seal_kind kind, const struct bytes *piece,
    size_t n, uint8_t (*id)[CHUNK_ID_LEN], struct fault *f) must_check;

/* Seals a node or commit into a pack, and the cache; fills *ref. */
int stow_ref(struct stow *s, enum seal_kind kind, struct bytes plain,
    struct ref *ref, struct fault *f) must_check;

/* For struct builder: stores nodes with arg = s.  A failure leaves its text in
 * stow_reader(s)->fault. */
struct builder_sink stow_nodes(struct stow *s);

/* For struct segwrite: stores sealed blocks with arg = s; likewise. */
int stow_block(void *s, struct bytes sealed, struct place *out) must_check;

#endif
