// SPDX-License-Identifier: Apache-2.0
/*
 * Cuts the data of a file into chunks by its content (spec/10-names.md,
 * Chunking).  A struct chunker holds secrets derived from the dedup key and
 * its own scratch; it belongs to one thread, make one per worker.  The search
 * is vectorised where the processor has VAES (crypt/window.h); in the
 * environment, SKERRY_CHUNKER names another: avx512, avx2, or portable.  The
 * cuts are alike.
 */
#ifndef SKERRY_OBJECT_CHUNKER_H
#define SKERRY_OBJECT_CHUNKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/keys.h"
#include "object/limits.h"

struct chunker;

/* Derives the key of the cipher.  Sets *out.  FAULT_MEMORY,
 * FAULT_INTERNAL. */
int chunker_new(const struct dedup_key *key, struct chunker **out) must_check;
void chunker_free(struct chunker *c);
void chunker_freep(struct chunker **c);

/* "avx512", "avx2" or "portable". */
const char *chunker_name(const struct chunker *c);

/*
 * Length of the first chunk of p[0..n), 1..CHUNK_MAX; 0 where n is 0.  The
 * caller gives at least CHUNK_MAX bytes, or all up to the end of the data; of
 * less, a result below n is a cut whatever follows, and n is none.  Does not
 * allocate.
 */
size_t chunker_cut(struct chunker *c, const uint8_t *p, size_t n);

#endif
