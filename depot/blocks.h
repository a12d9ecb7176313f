// SPDX-License-Identifier: Apache-2.0
/* A bounded number of equal buffers that uploads share: what arrives in small
 * pieces is written in large ones.  Whoever gets none does without. */
#ifndef SKERRY_DEPOT_BLOCKS_H
#define SKERRY_DEPOT_BLOCKS_H

#include <stdint.h>

#define BLOCK_LEN (512u << 10)
#define BLOCKS_MAX 32u

struct blocks;

/* No buffer is allocated yet.  NULL when out of memory. */
struct blocks *blocks_new(void);

/* All must be back. */
void blocks_free(struct blocks *b);

/* BLOCK_LEN bytes, to be given back; NULL when all are in use, or memory is
 * short.  Any thread. */
uint8_t *blocks_take(struct blocks *b);

/* NULL is fine. */
void blocks_give(struct blocks *b, uint8_t *p);

#endif
