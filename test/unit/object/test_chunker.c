// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "crypt/kdf.h"
#include "crypt/prp.h"
#include "crypt/secret.h"
#include "object/chunker.h"

static const struct dedup_key key = { { 1, 2, 3 } };

/* cut() straight from spec/10-names.md. */
static bool
cuts(struct prp *k, const uint8_t *end)
{
	uint8_t block[16], out[16];

	for (unsigned j = 0; j < 16; j++)
		block[j] = end[-61 + 4 * (int)j];
	assert_int_equal(prp_blocks(k, block, 1, out), 0);
	return (out[0] == 0 && out[1] == 0) || (out[2] == 0 && out[3] == 0);
}

static struct chunker *
make(void)
{
	struct chunker *c = NULL;

	assert_int_equal(chunker_new(&key, &c), 0);
	return c;
}

static void
cuts_where_the_definition_says(void **state)
{
	enum { N = 1000000 };
	struct chunker *c = make();
	uint8_t secret[16], *p = data_new(4, CHUNK_MAX);
	struct prp *k = NULL;
	size_t len;

	(void)state;
	assert_int_equal(kdf_hkdf(bytes_of(key.b, 32), bytes_of(NULL, 0),
			     "skerry/1 chunker", secret, sizeof(secret)), 0);
	assert_int_equal(prp_new(secret, &k), 0);
	len = chunker_cut(c, p, CHUNK_MAX);
	assert_in_range(len, CHUNK_MIN, N);
	assert_true(cuts(k, p + len));
	for (size_t i = CHUNK_MIN; i < len; i++)
		assert_false(cuts(k, p + i));
	prp_free(k);
	free(p);
	chunker_free(c);
}

static void
finds_the_same_cuts_wherever_the_data_begins(void **state)
{
	enum { N = 8000000 };
	struct chunker *c = make();
	uint8_t *a = data_new(5, N), *b = malloc(N + 64);
	size_t at = 0, chunks = 0;

	(void)state;
	for (size_t shift = 1; shift < 64; shift += 31) {
		memcpy(b + shift, a, N);
		for (at = 0; at < N; chunks++) {
			size_t n = chunker_cut(c, a + at, N - at);

			assert_int_equal(
			    chunker_cut(c, b + shift + at, N - at), n);
			assert_in_range(n, 1, CHUNK_MAX);
			if (N - at > CHUNK_MIN)
				assert_in_range(n, CHUNK_MIN, CHUNK_MAX);
			at += n;
		}
		assert_int_equal(at, N);
	}
	/* Cut by content: data put in front is forgotten after some chunks. */
	data_fill(77, b, 64);
	memcpy(b + 64, a, N);
	at = 0;
	for (size_t other = 0; at < N && at + 64 != other;) {
		if (at + 64 < other)
			at += chunker_cut(c, a + at, N - at);
		else
			other += chunker_cut(c, b + other, N + 64 - other);
	}
	assert_in_range(at, 1, N - 1);
	free(a);
	free(b);
	chunker_free(c);
}

static void
gives_chunks_of_the_size_that_is_expected(void **state)
{
	/* Half of a geometric distribution with mean 2^15 is below HALF. */
	enum { N = 64 << 20, HALF = 22713 };
	struct chunker *c = make();
	uint8_t *p = data_new(6, N);
	size_t chunks = 0, longest = 0, below = 0;

	(void)state;
	for (size_t at = 0; at < N; chunks++) {
		size_t n = chunker_cut(c, p + at, N - at);

		longest += n == CHUNK_MAX;
		below += n < CHUNK_MIN + HALF;
		at += n;
	}
	/* 192 KiB and then one position in 32 Ki: about 224 KiB */
	assert_in_range(N / chunks, 222000, 237000);
	assert_int_equal(longest, 0);
	assert_in_range(below, chunks * 2 / 5, chunks * 3 / 5);
	free(p);
	chunker_free(c);
}

static void
ends_at_the_limits_and_at_the_end_of_the_data(void **state)
{
	struct chunker *c = make();
	uint8_t *zero = calloc(1, CHUNK_MAX + 1);
	size_t n;

	(void)state;
	assert_int_equal(chunker_cut(c, NULL, 0), 0);
	assert_int_equal(chunker_cut(c, zero, 1), 1);
	assert_int_equal(chunker_cut(c, zero, CHUNK_MIN), CHUNK_MIN);
	/* All windows are alike: the first cuts or none does. */
	n = chunker_cut(c, zero, CHUNK_MAX + 1);
	assert_true(n == CHUNK_MIN || n == CHUNK_MAX);
	for (size_t i = 1; i < 300; i += 13) {
		uint8_t *p = cm_exact(zero, CHUNK_MIN + i);

		assert_in_range(chunker_cut(c, p, CHUNK_MIN + i), CHUNK_MIN,
		    CHUNK_MIN + i);
		free(p);
	}
	free(zero);
	chunker_free(c);
}

static void
a_cut_does_not_depend_on_what_follows(void **state)
{
	struct chunker *c = make();
	uint64_t seed = 77;
	uint8_t *p = data_new(78, CHUNK_MAX);
	size_t whole = chunker_cut(c, p, CHUNK_MAX);

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		size_t n = i < 100 ? whole - 50 + i :
		    1 + data_next(&seed) % (CHUNK_MAX - 1);

		assert_int_equal(chunker_cut(c, p, n), n < whole ? n : whole);
	}
	free(p);
	chunker_free(c);
}

/* By the search of this name; NULL where this machine has it not. */
static struct chunker *
make_named(const char *name)
{
	struct chunker *c;

	assert_int_equal(setenv("SKERRY_CHUNKER", name, 1), 0);
	c = make();
	assert_int_equal(unsetenv("SKERRY_CHUNKER"), 0);
	if (strcmp(chunker_name(c), name) == 0)
		return c;
	assert_string_equal(chunker_name(c), "portable");
	chunker_free(c);
	return NULL;
}

/* Lengths of the end of the data around those of a pass; data of no, one or
 * many values; and a start in the middle. */
static void
compare(struct chunker *c, struct chunker *portable)
{
	enum { N = 3 << 20 };
	uint8_t *p = data_new(8, N);

	for (unsigned kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < N && kind != 0; i++)
			p[i] = kind == 1 ? 0 : p[i % (kind == 2 ? 64 : 256)];
		for (size_t at = 0; at < N;) {
			size_t n = chunker_cut(portable, p + at, N - at);

			assert_int_equal(chunker_cut(c, p + at, N - at), n);
			at += n;
		}
		for (size_t n = 1; n < 30000; n += n < 70 ? 1 : 997)
			assert_int_equal(chunker_cut(c, p, CHUNK_MIN + n),
			    chunker_cut(portable, p, CHUNK_MIN + n));
	}
	free(p);
}

static void
cuts_alike_with_and_without_vectors(void **state)
{
	static const char *const name[] = { "avx512", "avx2" };
	struct chunker *portable = make_named("portable");

	(void)state;
	assert_non_null(portable);
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		struct chunker *c = make_named(name[i]);

		if (c == NULL)
			continue;
		compare(c, portable);
		chunker_free(c);
	}
	chunker_free(portable);
}

static void
cuts_stay_what_they_were(void **state)
{
	static const size_t want[] = { 198632, 227124, 245004, 227149,
		229056, 211861, 203501, 203230 };
	struct chunker *c = make();
	uint8_t *p = data_new(7, 8 << 20);
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		size_t n = chunker_cut(c, p + at, (8 << 20) - at);

		assert_int_equal(n, want[i]);
		at += n;
	}
	free(p);
	chunker_free(c);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(cuts_where_the_definition_says),
		cmocka_unit_test(finds_the_same_cuts_wherever_the_data_begins),
		cmocka_unit_test(gives_chunks_of_the_size_that_is_expected),
		cmocka_unit_test(ends_at_the_limits_and_at_the_end_of_the_data),
		cmocka_unit_test(a_cut_does_not_depend_on_what_follows),
		cmocka_unit_test(cuts_alike_with_and_without_vectors),
		cmocka_unit_test(cuts_stay_what_they_were),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
