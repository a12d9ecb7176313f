// SPDX-License-Identifier: Apache-2.0
/*
 * Private to crypt: what a search for cuts by vectors provides, and what all of
 * them have: AES-128's keys, and the way through the data.  Only files built
 * with -maes include this below its first part.
 *
 * The last of the cipher's ten rounds is not calculated.  It permutes, replaces
 * and masks single bytes, so each of the four bytes that decide is zero just
 * where one byte of the state before has one value, which depends on the key
 * alone.  That is put into the ninth round key, so that the byte is zero there,
 * too: bytes 0 and 5 of the state decide whether the first word of the output
 * is zero, bytes 10 and 15 whether the second is (FIPS 197, 5.1.2).
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
	int (*new)(const uint8_t key[static PRP_KEY_LEN], void **ctx);
	size_t (*find)(void *ctx, const uint8_t *p, size_t from, size_t to);
};

extern const struct window_ops window_avx512;
extern const struct window_ops window_avx2;

#ifdef __AES__
#include <cpuid.h>
#include <immintrin.h>

#define WINDOW_ROUNDS 9u /* that are calculated */
#define WINDOW_STEP_MAX 32u /* positions in a step of any search */

/* Of the state after them: what decides on the first word, on the second. */
#define WINDOW_FIRST 0x0000ff00000000ff
#define WINDOW_SECOND ((long long)0xff00000000ff0000)

#define inline_always static inline __attribute__((always_inline))

/* Not every compiler's __builtin_cpu_supports() knows this. */
static inline bool
window_has_vaes(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_AES) == 0 ||
	    __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
		return false;
	return (c & bit_VAES) != 0;
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

/* The round keys (FIPS 197, 5.2), the ninth changed as said. */
static inline void
window_expand(const uint8_t user[static PRP_KEY_LEN],
    __m128i key[static WINDOW_ROUNDS + 1])
{
	__m128i last;

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
	last = window_next_key(key[9], _mm_aeskeygenassist_si128(key[9], 0x36));
	/* What the last round would turn into zero. */
	key[9] = _mm_xor_si128(key[9],
	    _mm_aesdeclast_si128(last, _mm_setzero_si128()));
}

/* The first of step positions from p on that cuts, else step. */
typedef size_t (*window_step_fn)(const void *ctx, const uint8_t *p);

/* window_find(), by a function for step positions at once. */
inline_always size_t
window_search(const void *ctx, window_step_fn fn, const size_t step,
    const uint8_t *p, size_t from, size_t to)
{
	uint8_t end[WINDOW_SPAN + WINDOW_STEP_MAX] = { 0 };
	size_t i, left;

	for (; to - from >= step; from += step) {
		i = fn(ctx, p + from);
		if (__builtin_expect(i != step, 0))
			return from + i;
	}
	left = to - from;
	memcpy(end, p + from - WINDOW_SPAN, WINDOW_SPAN + left);
	i = fn(ctx, end + WINDOW_SPAN);
	return i < left ? from + i : to;
}
#endif

#endif
