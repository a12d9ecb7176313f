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
#define FAR 300u /* several times what is looked at at once */

static struct {
	uint8_t key[PRP_KEY_LEN];
	enum window_kind kind;
	struct window *w;
	struct prp *prp;
	uint8_t *p;
	size_t cut[256], cuts; /* of p */
} x;

/* All positions of p[0..n) that cut. */
static size_t
list(const uint8_t *p, size_t n, size_t *cut, size_t max)
{
	size_t cuts = 0;

	for (size_t i = WINDOW_SPAN; i < n && cuts < max; i++) {
		uint8_t block[16], code[16];

		for (unsigned k = 0; k < 16; k++)
			block[k] = p[i - 61 + 4 * k];
		assert_int_equal(prp_blocks(x.prp, block, 1, code), 0);
		if ((code[0] == 0 && code[1] == 0) ||
		    (code[2] == 0 && code[3] == 0))
			cut[cuts++] = i;
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
	fill(2, x.key, sizeof(x.key));
	x.p = malloc(DATA);
	assert_int_equal(window_new(x.kind, x.key, &x.w), 0);
	assert_int_equal(prp_new(x.key, &x.prp), 0);
	fill(3, x.p, DATA);
	x.cuts = list(x.p, DATA, x.cut, ARRAY_LEN(x.cut));
	assert_in_range(x.cuts, 32, ARRAY_LEN(x.cut) - 1);
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
	size_t at = WINDOW_SPAN;

	(void)state;
	for (size_t i = 0; i < x.cuts; i++) {
		at = window_find(x.w, x.p, at, DATA);
		assert_int_equal(at, x.cut[i]);
		at++;
	}
	assert_int_equal(window_find(x.w, x.p, at, DATA), DATA);
}

/* So every block of what is looked at at once comes to see each word. */
static void
finds_a_cut_from_every_offset(void **state)
{
	unsigned words = 0;

	(void)state;
	for (size_t i = 1; i < x.cuts; i++) {
		const size_t cut = x.cut[i];
		uint8_t block[16], code[16];

		if (cut - x.cut[i - 1] <= FAR || DATA - cut <= FAR)
			continue;
		for (unsigned k = 0; k < 16; k++)
			block[k] = x.p[cut - 61 + 4 * k];
		assert_int_equal(prp_blocks(x.prp, block, 1, code), 0);
		words |= code[0] == 0 && code[1] == 0 ? 1 : 2;
		for (size_t d = 0; d <= FAR; d++) {
			assert_int_equal(
			    window_find(x.w, x.p, cut - d, cut + 1 + d), cut);
			assert_int_equal(window_find(x.w, x.p, cut - d, cut),
			    cut);
			assert_int_equal(window_find(x.w, x.p, cut - d, DATA),
			    cut);
		}
	}
	assert_int_equal(words, 3);
}

static void
takes_any_length_and_reads_no_further(void **state)
{
	const size_t cut = x.cut[0];

	(void)state;
	for (size_t n = 0; n <= FAR; n++) {
		uint8_t *p = cm_exact(x.p + cut - WINDOW_SPAN - FAR,
		    WINDOW_SPAN + n);

		for (size_t from = 0; from <= n; from += 1 + n / 8)
			assert_int_equal(window_find(x.w, p,
					     WINDOW_SPAN + from,
					     WINDOW_SPAN + n),
			    WINDOW_SPAN + n);
		free(p);
	}
}

/* Data made of what is before one cut over and over, which cuts at each of its
 * ends. */
static void
finds_the_first_of_many(void **state)
{
	enum { N = 30000 };
	static size_t cut[N];
	uint8_t *p = malloc(N);
	size_t cuts, at = WINDOW_SPAN;

	(void)state;
	for (size_t i = 0; i < N; i++)
		p[i] = x.p[x.cut[0] - WINDOW_SPAN + i % WINDOW_SPAN];
	cuts = list(p, N, cut, N);
	assert_in_range(cuts, N / WINDOW_SPAN - 1, N);
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
		assert_int_equal(window_find(x.w, p, WINDOW_SPAN, N), cut[0]);
	}
	free(p);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(finds_every_cut_and_no_other),
		cmocka_unit_test(finds_a_cut_from_every_offset),
		cmocka_unit_test(takes_any_length_and_reads_no_further),
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
