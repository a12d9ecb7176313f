// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "crypt/hash.h"
#include "crypt/secret.h"
#include "object/treehash.h"
#include "test/lib/hex.h"

/* Straight from spec/10-names.md. */
static void
plainly(struct bytes m, uint8_t out[static HASH_LEN])
{
	size_t n = m.n == 0 ? 1 : (m.n + TREEHASH_LEAF - 1) / TREEHASH_LEAF;
	uint8_t *text = malloc(26 + n * HASH_LEN);
	struct bytes all = bytes_of(text, 26 + n * HASH_LEN);

	memcpy(text, "skerry treehash v1", 18);
	for (unsigned i = 0; i < 8; i++)
		text[18 + i] = (uint8_t)(m.n >> (56 - 8 * i));
	for (size_t i = 0; i < n; i++) {
		size_t off = i * TREEHASH_LEAF;
		size_t len = m.n - off < TREEHASH_LEAF ? m.n - off
						       : TREEHASH_LEAF;
		struct bytes leaf = bytes_of(m.n ? m.p + off : NULL, len);

		hash_sha256(&leaf, 1, text + 26 + i * HASH_LEN);
	}
	hash_sha256(&all, 1, out);
	free(text);
}

static void
agrees_with_the_definition_at_leaf_edges(void **state)
{
	static const size_t len[] = { 0, 1, 32767, 32768, 32769, 65536, 98303,
		1000000, CHUNK_MAX, COMMIT_MAX };
	struct bulk *b = bulk_new(BULK_BEST);
	struct treehash *t = treehash_new(b);
	uint8_t *p = data_new(1, COMMIT_MAX);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(len); i++) {
		uint8_t want[HASH_LEN], got[HASH_LEN];
		uint8_t *m = cm_exact(p, len[i]);

		plainly(bytes_of(m, len[i]), want);
		assert_int_equal(treehash_one(t, bytes_of(m, len[i]), got), 0);
		assert_memory_equal(got, want, HASH_LEN);
		free(m);
	}
	free(p);
	treehash_free(t);
	bulk_free(b);
}

static void
gives_the_same_for_one_and_for_many(void **state)
{
	enum { N = 4096 };
	struct bulk *b = bulk_new(BULK_BEST);
	struct treehash *t = treehash_new(b);
	struct bytes *msg = calloc(N, sizeof(*msg));
	uint8_t (*out)[HASH_LEN] = calloc(N, HASH_LEN);
	uint8_t *p = data_new(2, 300000);
	uint64_t s = 3;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		size_t n = data_next(&s) % (i % 64 == 0 ? 300000 : 5000);

		msg[i] = bytes_of(p, n);
	}
	assert_int_equal(treehash_many(t, msg, N, out), 0);
	for (size_t i = 0; i < N; i += 7) {
		uint8_t want[HASH_LEN];

		plainly(msg[i], want);
		assert_memory_equal(out[i], want, HASH_LEN);
	}
	free(p);
	free(out);
	free(msg);
	treehash_free(t);
	bulk_free(b);
}

static void
refuses_more_leaves_than_a_root_can_hold(void **state)
{
	struct bulk *b = bulk_new(BULK_OPENSSL);
	struct treehash *t = treehash_new(b);
	uint8_t out[HASH_LEN];
	size_t max = (size_t)TREEHASH_LEAVES_MAX * TREEHASH_LEAF;
	uint8_t *p = calloc(1, max + 1);

	(void)state;
	assert_int_equal(treehash_one(t, bytes_of(p, max), out), 0);
	assert_int_equal(treehash_one(t, bytes_of(p, max + 1), out),
	    FAULT_LIMIT);
	free(p);
	treehash_free(t);
	bulk_free(b);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(agrees_with_the_definition_at_leaf_edges),
		cmocka_unit_test(gives_the_same_for_one_and_for_many),
		cmocka_unit_test(refuses_more_leaves_than_a_root_can_hold),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
