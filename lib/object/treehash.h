// SPDX-License-Identifier: Apache-2.0
/*
 * Treehash (spec/10-names.md): SHA-256 over the SHA-256 of 32 KiB leaves, made
 * so that the leaves of many messages fill the lanes of one bulk_sha256 call.
 * A struct treehash is scratch memory; it belongs to one thread.
 */
#ifndef SKERRY_OBJECT_TREEHASH_H
#define SKERRY_OBJECT_TREEHASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/bulk.h"
#include "object/limits.h"

#define TREEHASH_LEAF 32768u
#define TREEHASH_LEAVES_MAX 2047u /* 64 MiB - 32 KiB in one message */

struct treehash;

/* Borrows b for its life.  NULL: no memory. */
struct treehash *treehash_new(struct bulk *b);
void treehash_free(struct treehash *t);
void treehash_freep(struct treehash **t);

/* Treehash of each of n messages into out[0..n-1]; any n.  Allocates nothing.
 * FAULT_LIMIT where one has more than TREEHASH_LEAVES_MAX leaves,
 * FAULT_INTERNAL. */
int treehash_many(struct treehash *t, const struct bytes *msg, size_t n,
    uint8_t (*out)[HASH_LEN]) must_check;

/* The same of one message. */
int treehash_one(struct treehash *t, struct bytes msg,
    uint8_t out[static HASH_LEN]) must_check;

#endif
