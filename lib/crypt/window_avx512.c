// SPDX-License-Identifier: Apache-2.0
/*
 * A pass looks at 64 stretches of one length, side by side: byte lane s of
 * every vector belongs to stretch s.  The digest is kept in eight planes, plane
 * i being byte i of each of the 64 digests, because then
 *
 * - T of 64 bytes is looked up by permuting registers, not by loads: no cache
 *   line depends on the data;
 * - to multiply by x is an addition and a bit matrix per plane.
 *
 * After each step the planes are turned into cipher blocks.  What is kept is
 * not H but H xor the first half of the first round key, so that these are the
 * cipher's state after its first step.  The last of the ten rounds is not
 * calculated: byte 7 of its output is zero just where byte 3 before it has one
 * value, byte 6 where byte 14 has; the last round key but one is changed so
 * that this value is zero.  One position in 2^16 passes and is then examined in
 * full.
 */
#include "crypt/window_impl.h"

#include <assert.h>

#include "base/fault.h"
#include "crypt/secret.h"

#define LANES 64u
#define STEPS 64u /* of a pass, between two turnings of the input */
#define PLANES 8u
#define ROUNDS WINDOW_ROUNDS
#define STRETCH 320u

/* A table as one plane: entries 0..127, and what to add to them for 128..255.
 */
struct plane {
	__m512i low[2];
	__m512i add[2];
};

struct lanes {
	struct plane in[PLANES];  /* of the byte that comes into the window */
	struct plane out[PLANES]; /* of the one that goes */
	__m512i start[PLANES];    /* of the empty window */
	__m512i round[ROUNDS];    /* 1..9; the last is changed as said */
	__m512i block[4];         /* see blocks() */
	__m512i row[2][STEPS];    /* input, byte lane s of stretch s */
	__m128i key[ROUNDS + 1];
	uint64_t t[256];
};

static bool
usable(void)
{
	return __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vbmi") &&
	    window_has_aes(true);
}

static void
set_planes(const uint64_t t[static 256], struct plane plane[static PLANES])
{
	for (unsigned i = 0; i < PLANES; i++) {
		uint8_t *low = (uint8_t *)plane[i].low;
		uint8_t *add = (uint8_t *)plane[i].add;

		for (unsigned b = 0; b < 128; b++) {
			low[b] = (uint8_t)(t[b] >> 8 * i);
			add[b] = (uint8_t)((t[b] ^ t[b + 128]) >> 8 * i);
		}
	}
}

static void
set_tables(struct lanes *w, uint64_t first)
{
	uint64_t in[256], out[256];

	for (unsigned i = 0; i < 256; i++) {
		out[i] = w->t[i];
		for (unsigned j = 0; j < WINDOW_LEN; j++)
			out[i] = window_times_x(out[i]);
		/* Keeps the digest xor first what it is. */
		in[i] = w->t[i] ^ window_times_x(first) ^ first;
	}
	set_planes(in, w->in);
	set_planes(out, w->out);
	secret_wipe(in, sizeof(in));
	secret_wipe(out, sizeof(out));
	for (unsigned i = 0; i < PLANES; i++)
		w->start[i] = _mm512_set1_epi8((char)(first >> 8 * i));
}

static int
lanes_new(const uint64_t t[static 256], const uint8_t key[static PRP_KEY_LEN],
    void **out)
{
	struct lanes *w = secret_new(sizeof(*w));
	uint64_t first;

	if (w == NULL)
		return FAULT_MEMORY;
	assert((uintptr_t)w % _Alignof(struct lanes) == 0);
	memcpy(w->t, t, sizeof(w->t));
	window_expand(key, w->key);
	for (unsigned i = 1; i < ROUNDS; i++)
		w->round[i] = _mm512_broadcast_i32x4(w->key[i]);
	/* The state before the last round that it would turn into zero. */
	w->round[ROUNDS - 1] = _mm512_xor_si512(w->round[ROUNDS - 1],
	    _mm512_broadcast_i32x4(window_before_zero(w->key)));
	memcpy(&first, &w->key[0], 8);
	set_tables(w, __builtin_bswap64(first));
	for (unsigned r = 0; r < 4; r++) {
		uint32_t index[16];

		for (unsigned j = 0; j < 4; j++) {
			index[4 * j] = 4 * j + r;
			index[4 * j + 1] = 16 + 4 * j + r;
			memcpy(&index[4 * j + 2], (uint8_t *)&w->key[0] + 8, 8);
		}
		memcpy(&w->block[r], index, sizeof(index));
	}
	*out = w;
	return 0;
}

/* Turns 16x16 bytes in each 128-bit part: lane i of to[j] is lane j of
 * from[i]. */
inline_always void
turn_parts(const uint8_t *p, size_t stride, __m512i to[static 16])
{
	__m512i a[16], b[16];

#pragma GCC unroll 16
	for (unsigned i = 0; i < 16; i++)
		a[i] = _mm512_loadu_si512(p + i * stride);
#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++) {
		b[2 * i] = _mm512_unpacklo_epi8(a[i], a[i + 8]);
		b[2 * i + 1] = _mm512_unpackhi_epi8(a[i], a[i + 8]);
	}
#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++) {
		a[2 * i] = _mm512_unpacklo_epi8(b[i], b[i + 8]);
		a[2 * i + 1] = _mm512_unpackhi_epi8(b[i], b[i + 8]);
	}
#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++) {
		b[2 * i] = _mm512_unpacklo_epi8(a[i], a[i + 8]);
		b[2 * i + 1] = _mm512_unpackhi_epi8(a[i], a[i + 8]);
	}
#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++) {
		to[2 * i] = _mm512_unpacklo_epi8(b[i], b[i + 8]);
		to[2 * i + 1] = _mm512_unpackhi_epi8(b[i], b[i + 8]);
	}
}

/* The next 64 bytes of each stretch, p being those of the first, as rows: lane
 * s of row[t] is p[s * stride + t]. */
static void
turn(const uint8_t *p, size_t stride, __m512i row[static STEPS])
{
	__m512i q[4][16];

	for (unsigned g = 0; g < 4; g++)
		turn_parts(p + 16 * g * stride, stride, q[g]);
	for (unsigned c = 0; c < 16; c++) {
		__m512i a = _mm512_shuffle_i32x4(q[0][c], q[1][c], 0x44);
		__m512i b = _mm512_shuffle_i32x4(q[2][c], q[3][c], 0x44);
		__m512i d = _mm512_shuffle_i32x4(q[0][c], q[1][c], 0xee);
		__m512i e = _mm512_shuffle_i32x4(q[2][c], q[3][c], 0xee);

		row[c] = _mm512_shuffle_i32x4(a, b, 0x88);
		row[c + 16] = _mm512_shuffle_i32x4(a, b, 0xdd);
		row[c + 32] = _mm512_shuffle_i32x4(d, e, 0x88);
		row[c + 48] = _mm512_shuffle_i32x4(d, e, 0xdd);
	}
}

inline_always __m512i
xor3(__m512i a, __m512i b, __m512i c)
{
	return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

/* a and T of 64 bytes; high says which of them are above 127. */
inline_always __m512i
add_t(__m512i a, const struct plane *t, __m512i byte, __mmask64 high)
{
	return xor3(a, _mm512_permutex2var_epi8(t->low[0], byte, t->low[1]),
	    _mm512_maskz_permutex2var_epi8(high, t->add[0], byte, t->add[1]));
}

/* Plane i of the digests times x. */
inline_always __m512i
shift(const __m512i h[static PLANES], unsigned i)
{
	const __m512i up = _mm512_add_epi8(h[i], h[i]);

	/* A bit matrix: bit 7, as 0x1b. */
	if (i == 0)
		return _mm512_xor_si512(up,
		    _mm512_gf2p8affine_epi64_epi8(h[PLANES - 1],
			_mm512_set1_epi64((long long)0x8080008080000000),
			0));
	/* up ^ (below >> 7 & 1) */
	return _mm512_ternarylogic_epi64(up, _mm512_srli_epi16(h[i - 1], 7),
	    _mm512_set1_epi8(1), 0x78);
}

/* Takes the window of each stretch in, from nothing. */
static void
warm(const struct lanes *w, const __m512i row[static STEPS],
    __m512i h[static PLANES])
{
	__m512i g[PLANES];

	memcpy(h, w->start, sizeof(w->start));
	for (unsigned t = 0; t < STEPS; t++) {
		const __m512i byte = row[t];
		const __mmask64 high = _mm512_movepi8_mask(byte);

#pragma GCC unroll 8
		for (unsigned i = 0; i < PLANES; i++)
			g[i] = add_t(shift(h, i), &w->in[i], byte, high);
#pragma GCC unroll 8
		for (unsigned i = 0; i < PLANES; i++)
			h[i] = g[i];
	}
}

/*
 * The planes as cipher blocks.  Block j of s[4 * q + r] is that of stretch
 * 16 * j + 4 * q + r.
 */
inline_always void
blocks(const struct lanes *w, const __m512i h[static PLANES],
    __m512i s[static 16])
{
	__m512i a[8], x[4], y[4];

#pragma GCC unroll 4
	for (unsigned i = 0; i < 4; i++) {
		a[2 * i] = _mm512_unpacklo_epi8(h[7 - 2 * i], h[6 - 2 * i]);
		a[2 * i + 1] = _mm512_unpackhi_epi8(h[7 - 2 * i], h[6 - 2 * i]);
	}
	x[0] = _mm512_unpacklo_epi16(a[0], a[2]);
	x[1] = _mm512_unpackhi_epi16(a[0], a[2]);
	x[2] = _mm512_unpacklo_epi16(a[1], a[3]);
	x[3] = _mm512_unpackhi_epi16(a[1], a[3]);
	y[0] = _mm512_unpacklo_epi16(a[4], a[6]);
	y[1] = _mm512_unpackhi_epi16(a[4], a[6]);
	y[2] = _mm512_unpacklo_epi16(a[5], a[7]);
	y[3] = _mm512_unpackhi_epi16(a[5], a[7]);
#pragma GCC unroll 4
	for (unsigned r = 0; r < 4; r++) {
		const __m512i index = w->block[r];

#pragma GCC unroll 4
		for (unsigned q = 0; q < 4; q++)
			s[4 * q + r] = _mm512_mask2_permutex2var_epi32(x[q],
			    index, 0x3333, y[q]);
	}
}

/* Bit 8 * i + 2 * j + b: block j of s[2 * i + b] passes. */
inline_always uint64_t
passes(const __m512i s[static 16])
{
	const __m512i mask = _mm512_set1_epi64(0x00ff0000ff000000);
	uint64_t m = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++) {
		const __m512 a = _mm512_castsi512_ps(s[2 * i]);
		const __m512 b = _mm512_castsi512_ps(s[2 * i + 1]);
		const __m512i both = _mm512_castps_si512(
		    _mm512_shuffle_ps(a, b, 0xcc));

		m |= (uint64_t)_mm512_testn_epi64_mask(both, mask) << 8 * i;
	}
	return m;
}

/*
 * Which of the 64 windows pass, by the digests now; and the digests of the next
 * step meanwhile: a plane's lookups between two rounds of the cipher, as they
 * use other units of the processor.
 */
inline_always uint64_t
step(const struct lanes *w, __m512i in, __m512i out,
    const __m512i now[static PLANES], __m512i next[static PLANES])
{
	const __mmask64 in_high = _mm512_movepi8_mask(in);
	const __mmask64 out_high = _mm512_movepi8_mask(out);
	__m512i s[16];

	/* Else the tables are copied to the stack, out of the caller's loop. */
	__asm__("" : "+r"(w));
	blocks(w, now, s);
#pragma GCC unroll 9
	for (unsigned k = 1; k < ROUNDS; k++) {
		const __m512i key = w->round[k];

#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++)
			s[i] = _mm512_aesenc_epi128(s[i], key);
		if (k <= PLANES) {
			__m512i h = shift(now, k - 1);

			h = add_t(h, &w->in[k - 1], in, in_high);
			h = add_t(h, &w->out[k - 1], out, out_high);
			next[k - 1] = h;
		}
	}
	return passes(s);
}

/* Examines what passed at one step; stretch s is at p + s * stride.  The first
 * cut that is at or after from and before best, else best. */
static const uint8_t *
examine(const struct lanes *w, uint64_t m, const uint8_t *p, size_t stride,
    const uint8_t *from, const uint8_t *best)
{
	for (; m != 0; m &= m - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(m);
		unsigned i = bit / 8 * 2 + bit % 2;
		const uint8_t *at = p + (16 * (bit % 8 / 2) + i) * stride;

		if (at >= from && at < best && window_cuts(w->t, w->key, at))
			best = at;
	}
	return best;
}

/* Asks for two lines of the cache; past the end of the data it does nothing. */
inline_always void
fetch(const uint8_t *p, size_t at)
{
	const uintptr_t line = (uintptr_t)p + at;

	_mm_prefetch((const void *)line, _MM_HINT_T0);
	_mm_prefetch((const void *)(line + 64), _MM_HINT_T0);
}

/* The first cut in p[0..n), n a multiple of LANES * STEPS, at or after from;
 * else p + n. */
static const uint8_t *
pass(struct lanes *w, const uint8_t *p, size_t n, const uint8_t *from)
{
	const size_t stride = n / LANES;
	const uint8_t *best = p + n;

	__m512i h[2][PLANES];

	turn(p - WINDOW_LEN, stride, w->row[0]);
	warm(w, w->row[0], h[0]);
	for (size_t at = 0; at < stride; at += STEPS) {
		const __m512i *out = w->row[at / STEPS % 2];
		__m512i *in = w->row[(at / STEPS + 1) % 2];

		turn(p + at, stride, in);
		for (unsigned t = 0; t < STEPS; t += 2) {
			uint64_t m;

			fetch(p, n + (at + t) * LANES);
			m = step(w, in[t], out[t], h[0], h[1]);

			if (__builtin_expect(m != 0, 0))
				best = examine(w, m, p + at + t, stride, from,
				    best);
			m = step(w, in[t + 1], out[t + 1], h[1], h[0]);
			if (__builtin_expect(m != 0, 0))
				best = examine(w, m, p + at + t + 1, stride,
				    from, best);
		}
	}
	return best;
}

static size_t
lanes_find(void *ctx, const uint8_t *p, size_t from, size_t to)
{
	const size_t less = LANES * STEPS, more = LANES * STRETCH;

	for (size_t at = from; at < to;) {
		size_t n = to - at >= more ? more : less;
		size_t base = to - at >= n ? at : to - n;
		const uint8_t *cut = pass(ctx, p + base, n, p + at);

		at = base + n;
		if (cut != p + at)
			return (size_t)(cut - p);
	}
	return to;
}

const struct window_ops window_avx512 = {
	.usable = usable,
	.new = lanes_new,
	.find = lanes_find,
};
