// SPDX-License-Identifier: Apache-2.0
/*
 * For processors with VAES that have no AVX-512.  A pass looks at 16 stretches
 * of one length, side by side: their digests are 64-bit lanes of four vectors.
 * T of a byte is looked up in memory, as the portable search does it, for four
 * steps ahead; the sums wait in w->sum, as loads of four that were just stored
 * one by one would stall.
 *
 * As in window_avx512.c, what is kept is not H but H xor the first half of the
 * first round key, the last round of the cipher is not calculated, and one
 * position in 2^16 passes and is then examined in full.
 */
#include "crypt/window_impl.h"

#include <assert.h>

#include "base/fault.h"
#include "crypt/secret.h"

#define STREAMS 16u
#define VECTORS (STREAMS / 4)
#define BLOCKS (STREAMS / 2) /* vectors of two cipher blocks */
#define AHEAD 4u
#define ROUNDS WINDOW_ROUNDS
#define LONG 1088u /* of a stretch; a multiple of AHEAD */
#define SHORT (WINDOW_PASS / STREAMS)

struct streams {
	uint64_t in[256];  /* of the byte that comes into the window */
	uint64_t out[256]; /* of the one that goes */
	uint64_t sum[2][AHEAD][STREAMS]; /* of both, of four steps */
	__m256i start;                   /* of the empty window */
	__m256i half;                    /* the second of the first round key */
	__m256i round[ROUNDS];           /* 1..9; the last is changed */
	__m128i key[ROUNDS + 1];
	uint64_t t[256];
};

static bool
usable(void)
{
	return __builtin_cpu_supports("avx2") && window_has_aes(false);
}

static int
streams_new(const uint64_t t[static 256], const uint8_t key[static PRP_KEY_LEN],
    void **out)
{
	struct streams *w = secret_new(sizeof(*w));
	uint64_t half[2], first;

	if (w == NULL)
		return FAULT_MEMORY;
	assert((uintptr_t)w % _Alignof(struct streams) == 0);
	memcpy(w->t, t, sizeof(w->t));
	window_expand(key, w->key);
	for (unsigned i = 1; i < ROUNDS; i++)
		w->round[i] = _mm256_broadcastsi128_si256(w->key[i]);
	/* The state before the last round that it would turn into zero. */
	w->round[ROUNDS - 1] = _mm256_xor_si256(w->round[ROUNDS - 1],
	    _mm256_broadcastsi128_si256(window_before_zero(w->key)));
	memcpy(half, &w->key[0], sizeof(half));
	first = __builtin_bswap64(half[0]);
	w->start = _mm256_set1_epi64x((long long)first);
	w->half = _mm256_set1_epi64x((long long)half[1]);
	for (unsigned i = 0; i < 256; i++) {
		/* Keeps the digest xor first what it is. */
		w->in[i] = t[i] ^ window_times_x(first) ^ first;
		w->out[i] = t[i];
		for (unsigned j = 0; j < WINDOW_LEN; j++)
			w->out[i] = window_times_x(w->out[i]);
	}
	secret_wipe(half, sizeof(half));
	*out = w;
	return 0;
}

/* The digests times x, and the sums added. */
inline_always __m256i
roll(__m256i h, const uint64_t sum[static 4])
{
	const __m256i up = _mm256_add_epi64(h, h);
	const __m256i carry = _mm256_and_si256(
	    _mm256_cmpgt_epi64(_mm256_setzero_si256(), h),
	    _mm256_set1_epi64x(0x1b));

	return _mm256_xor_si256(_mm256_xor_si256(up, carry),
	    _mm256_load_si256((const void *)sum));
}

/* The digests of the windows that end before each stretch, p being the first.
 */
static void
warm(struct streams *w, const uint8_t *p, size_t stride,
    __m256i h[static VECTORS])
{
	for (unsigned v = 0; v < VECTORS; v++)
		h[v] = w->start;
	p -= WINDOW_LEN;
	for (size_t at = 0; at < WINDOW_LEN; at += AHEAD) {
		uint64_t (*sum)[STREAMS] = w->sum[at / AHEAD % 2];

		for (size_t t = 0; t < AHEAD; t++) {
#pragma GCC unroll 16
			for (size_t s = 0; s < STREAMS; s++)
				sum[t][s] = w->in[p[at + t + s * stride]];
		}
		for (size_t t = 0; t < AHEAD; t++) {
#pragma GCC unroll 4
			for (unsigned v = 0; v < VECTORS; v++)
				h[v] = roll(h[v], sum[t] + 4 * v);
		}
	}
}

/* The sum of stream s, whose byte that comes is at p. */
inline_always uint64_t
sum_at(const struct streams *w, const uint8_t *p)
{
	return w->in[*p] ^ w->out[*(p - WINDOW_LEN)];
}

/* The digests as cipher blocks after the first step of the cipher: vector 2 * v
 * has those of streams 4 * v and 4 * v + 2, the next the two others. */
inline_always void
blocks(const struct streams *w, const __m256i h[static VECTORS],
    __m256i s[static BLOCKS])
{
	const __m256i swap = _mm256_set_epi64x(0x08090a0b0c0d0e0f,
	    0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607);

#pragma GCC unroll 4
	for (unsigned v = 0; v < VECTORS; v++) {
		const __m256i b = _mm256_shuffle_epi8(h[v], swap);

		s[2 * v] = _mm256_unpacklo_epi64(b, w->half);
		s[2 * v + 1] = _mm256_unpackhi_epi64(b, w->half);
	}
}

/* Bit s: that of stream s passes. */
inline_always unsigned
passes(const __m256i s[static BLOCKS])
{
	const __m256i mask = _mm256_set1_epi64x(0x00ff0000ff000000);
	__m256i zero[VECTORS], any = _mm256_setzero_si256();
	unsigned m = 0;

#pragma GCC unroll 4
	for (unsigned v = 0; v < VECTORS; v++) {
		const __m256 a = _mm256_castsi256_ps(s[2 * v]);
		const __m256 b = _mm256_castsi256_ps(s[2 * v + 1]);
		const __m256i both = _mm256_castps_si256(
		    _mm256_shuffle_ps(a, b, 0xcc));

		zero[v] = _mm256_cmpeq_epi64(_mm256_and_si256(both, mask),
		    _mm256_setzero_si256());
		any = _mm256_or_si256(any, zero[v]);
	}
	if (__builtin_expect(_mm256_testz_si256(any, any), 1))
		return 0;
	for (unsigned v = 0; v < VECTORS; v++)
		m |= (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(zero[v]))
		    << 4 * v;
	return m;
}

/*
 * Which of the 16 windows pass, by the digests now; takes the digests a step on
 * by now, and fills in later from the bytes at p of each stream: two lookups
 * between two rounds of the cipher, as they use other units of the processor.
 */
inline_always unsigned
step(const struct streams *w, __m256i h[static VECTORS],
    const uint64_t now[static STREAMS], uint64_t later[static STREAMS],
    const uint8_t *p, size_t stride)
{
	__m256i s[BLOCKS];

	blocks(w, h, s);
#pragma GCC unroll 4
	for (unsigned v = 0; v < VECTORS; v++)
		h[v] = roll(h[v], now + 4 * v);
#pragma GCC unroll 9
	for (unsigned k = 1; k < ROUNDS; k++) {
		const __m256i key = w->round[k];

#pragma GCC unroll 8
		for (unsigned i = 0; i < BLOCKS; i++)
			s[i] = _mm256_aesenc_epi128(s[i], key);
		if (p != NULL && k <= STREAMS / 2) {
			const size_t i = 2 * (k - 1);

			later[i] = sum_at(w, p + i * stride);
			later[i + 1] = sum_at(w, p + (i + 1) * stride);
		}
	}
	return passes(s);
}

/* Examines what passed at one step; stretch s is at p + s * stride.  The first
 * cut that is at or after from and before best, else best. */
static const uint8_t *
examine(const struct streams *w, unsigned m, const uint8_t *p, size_t stride,
    const uint8_t *from, const uint8_t *best)
{
	for (; m != 0; m &= m - 1) {
		const uint8_t *at = p + (unsigned)__builtin_ctz(m) * stride;

		if (at >= from && at < best && window_cuts(w->t, w->key, at))
			best = at;
	}
	return best;
}

/* The first cut in the STREAMS stretches of stride bytes from p on, at or after
 * from; else their end. */
inline_always const uint8_t *
pass(struct streams *w, const uint8_t *p, const size_t stride,
    const uint8_t *from)
{
	const uint8_t *best = p + STREAMS * stride;
	__m256i h[VECTORS];
	size_t at = 0;

	warm(w, p, stride, h);
	for (size_t t = 0; t < AHEAD; t++) {
#pragma GCC unroll 16
		for (size_t s = 0; s < STREAMS; s++)
			w->sum[0][t][s] = sum_at(w, p + t + s * stride);
	}
	for (; at < stride; at += AHEAD) {
		uint64_t (*now)[STREAMS] = w->sum[at / AHEAD % 2];
		uint64_t (*later)[STREAMS] = w->sum[(at / AHEAD + 1) % 2];

		/* Past the end of the data it does nothing. */
		_mm_prefetch((const void *)((uintptr_t)p + STREAMS *
				 (stride + at)), _MM_HINT_T0);
#pragma GCC unroll 4
		for (size_t t = 0; t < AHEAD; t++) {
			const uint8_t *next = p + at + AHEAD + t;
			unsigned m = step(w, h, now[t], later[t],
			    at + AHEAD < stride ? next : NULL, stride);

			if (__builtin_expect(m != 0, 0))
				best = examine(w, m, p + at + t, stride, from,
				    best);
		}
	}
	return best;
}

static const uint8_t *
long_pass(struct streams *w, const uint8_t *p, const uint8_t *from)
{
	return pass(w, p, LONG, from);
}

static const uint8_t *
short_pass(struct streams *w, const uint8_t *p, const uint8_t *from)
{
	return pass(w, p, SHORT, from);
}

static size_t
streams_find(void *ctx, const uint8_t *p, size_t from, size_t to)
{
	const size_t less = STREAMS * SHORT, more = STREAMS * LONG;

	for (size_t at = from; at < to;) {
		size_t n = to - at >= more ? more : less;
		size_t base = to - at >= n ? at : to - n;
		const uint8_t *cut = n == more
		    ? long_pass(ctx, p + base, p + at)
		    : short_pass(ctx, p + base, p + at);

		at = base + n;
		if (cut != p + at)
			return (size_t)(cut - p);
	}
	return to;
}

const struct window_ops window_avx2 = {
	.usable = usable,
	.new = streams_new,
	.find = streams_find,
};
