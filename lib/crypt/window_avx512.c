// SPDX-License-Identifier: Apache-2.0
/* The 64 bytes from a position's window on hold those of the next three, too:
 * one permutation of bytes makes four blocks of the cipher of them. */
#include "crypt/window_impl.h"

#include <assert.h>

#include "base/fault.h"
#include "crypt/secret.h"

#define STEP 32u
#define VECTORS 8u /* of four blocks */

static_assert(STEP <= WINDOW_STEP_MAX, "the end of the data has room");

struct quads {
	__m512i round[WINDOW_ROUNDS + 1];
};

static bool
usable(void)
{
	return __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vbmi") && window_has_vaes();
}

static int
quads_new(const uint8_t user[static PRP_KEY_LEN], void **out)
{
	struct quads *w = secret_new(sizeof(*w));
	__m128i key[WINDOW_ROUNDS + 1];

	if (w == NULL)
		return FAULT_MEMORY;
	assert((uintptr_t)w % _Alignof(struct quads) == 0);
	window_expand(user, key);
	for (unsigned i = 0; i <= WINDOW_ROUNDS; i++)
		w->round[i] = _mm512_broadcast_i32x4(key[i]);
	secret_wipe(key, sizeof(key));
	*out = w;
	return 0;
}

/* Byte 16 * j + k: byte k of block j. */
static const uint8_t turn[64] = {
	0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60,
	1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41, 45, 49, 53, 57, 61,
	2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 42, 46, 50, 54, 58, 62,
	3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63,
};

inline_always size_t
step(const void *ctx, const uint8_t *p)
{
	const struct quads *w = ctx;
	const __m512i order = _mm512_loadu_si512(turn);
	const __m512i mask = _mm512_broadcast_i32x4(
	    _mm_set_epi64x(WINDOW_SECOND, WINDOW_FIRST));
	__m512i s[VECTORS], least[VECTORS];
	__mmask8 zero;

#pragma GCC unroll 8
	for (unsigned i = 0; i < VECTORS; i++) {
		s[i] = _mm512_loadu_si512(p - WINDOW_SPAN + 4 * i);
		s[i] = _mm512_permutexvar_epi8(order, s[i]);
		s[i] = _mm512_xor_si512(s[i], w->round[0]);
	}
#pragma GCC unroll 9
	for (unsigned k = 1; k <= WINDOW_ROUNDS; k++) {
		const __m512i key = w->round[k];

#pragma GCC unroll 8
		for (unsigned i = 0; i < VECTORS; i++)
			s[i] = _mm512_aesenc_epi128(s[i], key);
	}
	/* A test takes the units of the cipher, these do not. */
#pragma GCC unroll 8
	for (unsigned i = 0; i < VECTORS; i++)
		least[i] = s[i] = _mm512_and_si512(s[i], mask);
#pragma GCC unroll 3
	for (unsigned n = VECTORS / 2; n != 0; n /= 2) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++)
			least[i] = _mm512_min_epu64(least[i], least[i + n]);
	}
	if (__builtin_expect(
		_mm512_testn_epi64_mask(least[0], least[0]) == 0, 1))
		return STEP;
	/* Two bits for a block; unrolled, or s were in memory. */
#pragma GCC unroll 8
	for (unsigned i = 0; i < VECTORS; i++) {
		zero = _mm512_testn_epi64_mask(s[i], s[i]);
		if (zero != 0)
			return 4 * i + (unsigned)__builtin_ctz(zero) / 2;
	}
	return STEP;
}

static size_t
quads_find(void *ctx, const uint8_t *p, size_t from, size_t to)
{
	return window_search(ctx, step, STEP, p, from, to);
}

const struct window_ops window_avx512 = {
	.usable = usable,
	.new = quads_new,
	.find = quads_find,
};
