// SPDX-License-Identifier: Apache-2.0
/*
 * The search for cuts (spec/10-names.md, Chunking) by vectors and VAES: the
 * digests of 64 windows at a time by AVX-512, of 16 by AVX2, and the cipher
 * over them in registers.  object/chunker.c has the portable twin, which
 * defines what is right.
 */
#ifndef SKERRY_CRYPT_WINDOW_H
#define SKERRY_CRYPT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/prp.h"

#define WINDOW_LEN 64u

/* Positions that one pass looks at, at least. */
#define WINDOW_PASS 4096u

/* One position in 2^17 cuts. */
#define WINDOW_MASK ((UINT64_C(1) << 17) - 1)

/* Fastest first. */
enum window_kind { WINDOW_AVX512, WINDOW_AVX2, WINDOW_KINDS };

/* Belongs to one thread. */
struct window;

/* "avx512", "avx2". */
const char *window_name(enum window_kind kind);

/* Whether this build and this processor have it. */
bool window_usable(enum window_kind kind);

/* t is the table of the digest, key that of the cipher.  Sets *out.
 * FAULT_MEMORY; FAULT_INTERNAL where it is not usable. */
int window_new(enum window_kind kind, const uint64_t t[static 256],
    const uint8_t key[static PRP_KEY_LEN], struct window **out) must_check;
void window_free(struct window *w);

/* The first position in from..to-1 of p where a chunk ends, else to.  Reads
 * p[0..to); to is at least WINDOW_LEN + WINDOW_PASS, from at least
 * WINDOW_LEN. */
size_t window_find(struct window *w, const uint8_t *p, size_t from, size_t to);

#endif
