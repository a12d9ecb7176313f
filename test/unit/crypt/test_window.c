// SPDX-License-Identifier: Apache-2.0
/* The searches for cuts by vectors against the definition in spec/10-names.md,
 * with OpenSSL's AES.  Run once for each, which the argument names. */
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/bytes.h"
#include "crypt/prp.h"
#include "crypt/secret.h"
#include "crypt/window.h"

#define DATA ((size_t)3 << 20)
#define LONGEST 20480u /* what a long pass looks at */

static struct {
	uint64_t t[256], out[256];
	uint8_t key[PRP_KEY_LEN];
	enum window_kind kind;
	struct window *w;
	struct prp *prp;
	uint8_t *p;
	size_t cut[64], cuts; /* of p */
} x;

static uint64_t
times_x(uint64_t h)
{
	return h << 1 ^ (h >> 63 != 0 ? 0x1b : 0);
}

/* All positions of p[0..n) that cut. */
static size_t
list(const uint8_t *p, size_t n, size_t *cut, size_t max)
{
	uint64_t h = 0;
	size_t cuts = 0;

	for (size_t i = 0; i < n && cuts < max; i++) {
		uint8_t block[16] = { 0 }, code[16];

		for (unsigned j = 0; j < 8 && i >= WINDOW_LEN; j++)
			block[j] = (uint8_t)(h >> (56 - 8 * j));
		assert_int_equal(prp_blocks(x.prp, block, 1, code), 0);
		if (i >= WINDOW_LEN && code[6] == 0 && code[7] == 0 &&
		    (code[5] & 1) == 0)
			cut[cuts++] = i;
		h = times_x(h) ^ x.t[p[i]];
		if (i >= WINDOW_LEN)
			h ^= x.out[p[i - WINDOW_LEN]];
	}
	return cuts;
}

/* splitmix64; the same in every run. */
static void
fill(uint64_t seed, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		z ^= z >> 31;
		memcpy(p + i, &z, 8);
	}
}

static int
set_up(void **state)
{
	(void)state;
	fill(1, (uint8_t *)x.t, sizeof(x.t));
	fill(2, x.key, sizeof(x.key));
	for (unsigned i = 0; i < 256; i++) {
		x.out[i] = x.t[i];
		for (unsigned j = 0; j < WINDOW_LEN; j++)
			x.out[i] = times_x(x.out[i]);
	}
	x.p = malloc(DATA);
	assert_int_equal(window_new(x.kind, x.t, x.key, &x.w), 0);
	assert_int_equal(prp_new(x.key, &x.prp), 0);
	fill(3, x.p, DATA);
	x.cuts = list(x.p, DATA, x.cut, ARRAY_LEN(x.cut));
	assert_in_range(x.cuts, 2, ARRAY_LEN(x.cut) - 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	window_free(x.w);
	prp_free(x.prp);
	free(x.p);
	return 0;
}

static void
finds_every_cut_and_no_other(void **state)
{
	size_t at = WINDOW_LEN;

	(void)state;
	for (size_t i = 0; i < x.cuts; i++) {
		at = window_find(x.w, x.p, at, DATA);
		assert_int_equal(at, x.cut[i]);
		at++;
	}
	assert_int_equal(window_find(x.w, x.p, at, DATA), DATA);
}

/* So every lane and every step of a long pass comes to see it. */
static void
finds_a_cut_from_every_offset(void **state)
{
	const size_t cut = x.cut[1], low = x.cut[0] + 1;

	(void)state;
	assert_in_range(cut - low, LONGEST + 70, DATA);
	assert_in_range(DATA - cut, LONGEST + 72, DATA);
	for (size_t d = 0; d <= LONGEST + 70; d += 3) {
		size_t from = cut - d;

		assert_int_equal(window_find(x.w, x.p, from, cut + 1 + d), cut);
		if (d % 7 == 0)
			assert_int_equal(window_find(x.w, x.p, from, cut), cut);
	}
}

static void
takes_any_length(void **state)
{
	static const size_t near[] = { WINDOW_PASS, 17408, 2 * 17408,
		17408 + WINDOW_PASS, LONGEST, 2 * LONGEST,
		LONGEST + WINDOW_PASS };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(near); i++) {
		for (size_t n = near[i] - 66; n < near[i] + 66; n += 3) {
			size_t len = WINDOW_LEN + WINDOW_PASS + n;
			uint8_t *p = cm_exact(x.p, len);
			size_t want = x.cut[0] < len ? x.cut[0] : len;

			assert_int_equal(window_find(x.w, p, WINDOW_LEN, len),
			    want);
			/* Nothing before from is given, nor to itself. */
			assert_int_equal(window_find(x.w, p, len - 1, len),
			    x.cut[0] == len - 1 ? len - 1 : len);
			assert_int_equal(window_find(x.w, p, len, len), len);
			free(p);
		}
	}
}

/* Data made of one window over and over, which cuts at each of its ends. */
static void
finds_the_first_of_many(void **state)
{
	enum { N = 30000 };
	static size_t cut[N];
	uint8_t *p = malloc(N);
	size_t cuts, at = WINDOW_LEN;

	(void)state;
	for (size_t i = 0; i < N; i++)
		p[i] = x.p[x.cut[0] - WINDOW_LEN + i % WINDOW_LEN];
	cuts = list(p, N, cut, N);
	assert_in_range(cuts, N / WINDOW_LEN - 1, N);
	for (size_t i = 0; i < cuts; i++) {
		for (; at <= cut[i]; at += 11)
			assert_int_equal(window_find(x.w, p, at, N), cut[i]);
	}
	free(p);
}

static void
agrees_on_data_of_a_short_period(void **state)
{
	enum { N = 100000 };
	uint8_t *p = malloc(N);
	size_t cut[1];

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		for (size_t i = 0; i < N; i++)
			p[i] = k == 0 ? 0
			    : k == 1  ? 0xff
			    : k == 2  ? x.p[i % 64]
				      : (uint8_t)i;
		if (list(p, N, cut, 1) == 0)
			cut[0] = N;
		assert_int_equal(window_find(x.w, p, WINDOW_LEN, N), cut[0]);
	}
	free(p);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(finds_every_cut_and_no_other),
		cmocka_unit_test(finds_a_cut_from_every_offset),
		cmocka_unit_test(takes_any_length),
		cmocka_unit_test(finds_the_first_of_many),
		cmocka_unit_test(agrees_on_data_of_a_short_period),
	};

	x.kind = argc > 1 && strcmp(argv[1], "avx512") == 0 ? WINDOW_AVX512 :
							       WINDOW_AVX2;
	if (secret_init() != 0)
		return 1;
	if (!window_usable(x.kind)) {
		(void)printf("1..0 # SKIP no such processor\n");
		return 0;
	}
	return cmocka_run_group_tests(t, set_up, tear_down);
}
