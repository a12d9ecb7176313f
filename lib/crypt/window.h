// SPDX-License-Identifier: Apache-2.0
/*
 * The search for cuts (spec/10-names.md, Chunking) by vectors and VAES: the
 * cipher over the windows of 32 positions at a time by AVX-512, of 16 by AVX2.
 * object/chunker.c has the portable twin, which defines what is right.
 */
#ifndef SKERRY_CRYPT_WINDOW_H
#define SKERRY_CRYPT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/prp.h"

/* A window is every WINDOW_STRIDE'th byte of the WINDOW_SPAN before a position,
 * the first and the last among them: one block of the cipher. */
#define WINDOW_STRIDE 4u
#define WINDOW_SPAN (WINDOW_STRIDE * (PRP_BLOCK - 1) + 1)

/* Fastest first. */
enum window_kind { WINDOW_AVX512, WINDOW_AVX2, WINDOW_KINDS };

/* Belongs to one thread. */
struct window;

/* "avx512", "avx2". */
const char *window_name(enum window_kind kind);

/* Whether this build and this processor have it. */
bool window_usable(enum window_kind kind);

/* Sets *out.  FAULT_MEMORY; FAULT_INTERNAL where it is not usable. */
int window_new(enum window_kind kind, const uint8_t key[static PRP_KEY_LEN],
    struct window **out) must_check;
void window_free(struct window *w);

/* The first position in from..to-1 of p where a chunk ends, else to.  Reads
 * p[from - WINDOW_SPAN..to); from is at least WINDOW_SPAN. */
size_t window_find(struct window *w, const uint8_t *p, size_t from, size_t to);

#endif
