// SPDX-License-Identifier: Apache-2.0
/*
 * Private to crypt: what a search for cuts by vectors provides, and what all of
 * them have: AES-128's keys, and the definition for one window.  Only files
 * built with -maes include this below its first part.
 */
#ifndef SKERRY_CRYPT_WINDOW_IMPL_H
#define SKERRY_CRYPT_WINDOW_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crypt/window.h"

struct window_ops {
	bool (*usable)(void);
	int (*new)(const uint64_t t[static 256],
	    const uint8_t key[static PRP_KEY_LEN], void **ctx);
	size_t (*find)(void *ctx, const uint8_t *p, size_t from, size_t to);
};

extern const struct window_ops window_avx512;
extern const struct window_ops window_avx2;

/* h·x, as in object/chunker.c. */
static inline uint64_t
window_times_x(uint64_t h)
{
	return h << 1 ^ (-(h >> 63) & 0x1b);
}

#ifdef __AES__
#include <cpuid.h>
#include <immintrin.h>

#define WINDOW_ROUNDS 10u /* of AES-128 */

#define inline_always static inline __attribute__((always_inline))

/* Not every compiler's __builtin_cpu_supports() knows these; gfni: that, too.
 */
static inline bool
window_has_aes(bool gfni)
{
	unsigned a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_AES) == 0 ||
	    __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
		return false;
	return (c & bit_VAES) != 0 && (!gfni || (c & bit_GFNI) != 0);
}

static inline __m128i
window_next_key(__m128i k, __m128i assist)
{
	k = _mm_xor_si128(k, _mm_slli_si128(k, 4));
	k = _mm_xor_si128(k, _mm_slli_si128(k, 8));
	return _mm_xor_si128(k, _mm_shuffle_epi32(assist, 0xff));
}

#define WINDOW_EXPAND(key, i, rcon) \
	((key)[i] = window_next_key((key)[(i) - 1], \
	     _mm_aeskeygenassist_si128((key)[(i) - 1], rcon)))

/* The round keys: FIPS 197, 5.2. */
static inline void
window_expand(const uint8_t user[static PRP_KEY_LEN],
    __m128i key[static WINDOW_ROUNDS + 1])
{
	key[0] = _mm_loadu_si128((const void *)user);
	WINDOW_EXPAND(key, 1, 0x01);
	WINDOW_EXPAND(key, 2, 0x02);
	WINDOW_EXPAND(key, 3, 0x04);
	WINDOW_EXPAND(key, 4, 0x08);
	WINDOW_EXPAND(key, 5, 0x10);
	WINDOW_EXPAND(key, 6, 0x20);
	WINDOW_EXPAND(key, 7, 0x40);
	WINDOW_EXPAND(key, 8, 0x80);
	WINDOW_EXPAND(key, 9, 0x1b);
	WINDOW_EXPAND(key, 10, 0x36);
}

/* What the last round would turn into zero. */
static inline __m128i
window_before_zero(const __m128i key[static WINDOW_ROUNDS + 1])
{
	return _mm_aesdeclast_si128(key[WINDOW_ROUNDS], _mm_setzero_si128());
}

/* cut() of the window that ends before p. */
static inline bool
window_cuts(const uint64_t t[static 256],
    const __m128i key[static WINDOW_ROUNDS + 1], const uint8_t *p)
{
	uint64_t h = 0;
	__m128i s;

	for (const uint8_t *q = p - WINDOW_LEN; q < p; q++)
		h = window_times_x(h) ^ t[*q];
	s = _mm_set_epi64x(0, (long long)__builtin_bswap64(h));
	s = _mm_xor_si128(s, key[0]);
	for (unsigned k = 1; k < WINDOW_ROUNDS; k++)
		s = _mm_aesenc_si128(s, key[k]);
	s = _mm_aesenclast_si128(s, key[WINDOW_ROUNDS]);
	h = __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(s));
	return (h & WINDOW_MASK) == 0;
}
#endif

#endif
