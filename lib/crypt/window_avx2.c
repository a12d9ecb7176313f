// SPDX-License-Identifier: Apache-2.0
/* For processors with VAES that have no AVX-512. */
#include "crypt/window_impl.h"

#include <assert.h>

#include "base/fault.h"
#include "crypt/secret.h"

#define STEP 16u
#define VECTORS 8u /* of two blocks */

static_assert(STEP <= WINDOW_STEP_MAX, "the end of the data has room");

struct pairs {
	__m256i round[WINDOW_ROUNDS + 1];
};

static bool
usable(void)
{
	return __builtin_cpu_supports("avx2") && window_has_vaes();
}

static int
pairs_new(const uint8_t user[static PRP_KEY_LEN], void **out)
{
	struct pairs *w = secret_new(sizeof(*w));
	__m128i key[WINDOW_ROUNDS + 1];

	if (w == NULL)
		return FAULT_MEMORY;
	assert((uintptr_t)w % _Alignof(struct pairs) == 0);
	window_expand(user, key);
	for (unsigned i = 0; i <= WINDOW_ROUNDS; i++)
		w->round[i] = _mm256_broadcastsi128_si256(key[i]);
	secret_wipe(key, sizeof(key));
	*out = w;
	return 0;
}

/* The blocks of four positions, of which p is the first. */
inline_always void
blocks(const uint8_t *p, __m256i s[static 2])
{
	/* Every fourth byte of 16 together. */
	const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4,
	    8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
	const uint8_t *q = p - WINDOW_SPAN;
	/* The quarters of the 64 bytes: 0 and 2, 1 and 3. */
	__m256i a = _mm256_loadu2_m128i((const void *)(q + 32),
	    (const void *)q);
	__m256i b = _mm256_loadu2_m128i((const void *)(q + 48),
	    (const void *)(q + 16));
	__m256i low, high;

	a = _mm256_shuffle_epi8(a, order);
	b = _mm256_shuffle_epi8(b, order);
	low = _mm256_unpacklo_epi32(a, b);
	high = _mm256_unpackhi_epi32(a, b);
	s[0] = _mm256_permute4x64_epi64(low, 0xd8);
	s[1] = _mm256_permute4x64_epi64(high, 0xd8);
}

inline_always size_t
step(const void *ctx, const uint8_t *p)
{
	const struct pairs *w = ctx;
	const __m256i mask = _mm256_set_epi64x(WINDOW_SECOND, WINDOW_FIRST,
	    WINDOW_SECOND, WINDOW_FIRST);
	const __m256i zero = _mm256_setzero_si256();
	__m256i s[VECTORS], any = zero;

#pragma GCC unroll 4
	for (unsigned i = 0; i < VECTORS; i += 2)
		blocks(p + 2 * i, s + i);
#pragma GCC unroll 8
	for (unsigned i = 0; i < VECTORS; i++)
		s[i] = _mm256_xor_si256(s[i], w->round[0]);
#pragma GCC unroll 9
	for (unsigned k = 1; k <= WINDOW_ROUNDS; k++) {
		const __m256i key = w->round[k];

#pragma GCC unroll 8
		for (unsigned i = 0; i < VECTORS; i++)
			s[i] = _mm256_aesenc_epi128(s[i], key);
	}
#pragma GCC unroll 8
	for (unsigned i = 0; i < VECTORS; i++) {
		s[i] = _mm256_cmpeq_epi64(_mm256_and_si256(s[i], mask), zero);
		any = _mm256_or_si256(any, s[i]);
	}
	if (__builtin_expect(_mm256_testz_si256(any, any), 1))
		return STEP;
	/* Two lanes for a block; unrolled, or s were in memory. */
#pragma GCC unroll 8
	for (unsigned i = 0; i < VECTORS; i++) {
		int bits = _mm256_movemask_pd(_mm256_castsi256_pd(s[i]));

		if (bits != 0)
			return 2 * i + (unsigned)__builtin_ctz(
			    (unsigned)bits) / 2;
	}
	return STEP;
}

static size_t
pairs_find(void *ctx, const uint8_t *p, size_t from, size_t to)
{
	return window_search(ctx, step, STEP, p, from, to);
}

const struct window_ops window_avx2 = {
	.usable = usable,
	.new = pairs_new,
	.find = pairs_find,
};
