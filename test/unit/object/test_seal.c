// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include <lz4.h>
#include <sodium.h>
#include <zstd.h>

#include "crypt/secret.h"
#include "object/seal.h"

static const struct dedup_key dedup = { { 9, 8, 7 } };

struct sealed {
	struct seal *s;
	uint8_t *plain, *out;
	size_t n;
	struct index_entry e;
};

static struct seal *
make(void)
{
	struct seal *s = NULL;

	assert_int_equal(seal_new(BULK_BEST, &dedup, &s), 0);
	return s;
}

/* Takes over plain. */
static struct sealed
chunk_by(enum seal_effort effort, uint8_t *plain, size_t n)
{
	struct sealed x = { .s = make(), .plain = plain, .n = n };
	struct bytes m = bytes_of(plain, n);
	uint8_t id[1][CHUNK_ID_LEN];
	struct seal_mark mark;
	uint32_t length;

	x.out = malloc(seal_bound(n));
	assert_int_equal(seal_ids(x.s, &m, 1, &mark, id), 0);
	assert_int_equal(seal_frame(x.s, effort, m, &length), 0);
	assert_int_equal(
	    seal_framed(x.s, SEAL_DATA, m, &mark, x.out, &x.e), 0);
	assert_int_equal(x.e.place.length, length);
	assert_memory_equal(x.e.id, id[0], CHUNK_ID_LEN);
	return x;
}

static struct sealed
chunk(uint8_t *plain, size_t n)
{
	return chunk_by(SEAL_USUAL, plain, n);
}

static void
drop(struct sealed *x)
{
	free(x->plain);
	free(x->out);
	seal_free(x->s);
}

/* The same by both ways of opening a chunk. */
static int
open_both(struct seal *s, const struct index_entry *e, struct bytes in,
    uint8_t *out)
{
	struct seal_opening o = { .e = e, .sealed = in,
		.out = malloc(SEAL_OUT(e->plain_len)) };
	int rc = seal_open_chunk(s, e, in, out);

	seal_open_chunks(s, &o, 1);
	assert_int_equal(o.rc, rc);
	if (rc == 0) {
		assert_int_equal(o.content.n, e->plain_len);
		assert_memory_equal(o.content.p, out, e->plain_len);
	}
	free(o.out);
	return rc;
}

/* Opens into a buffer of just the right size. */
static int
reopen(const struct sealed *x, const struct index_entry *e)
{
	uint8_t *in = cm_exact(x->out, e->place.length);
	uint8_t *got = malloc(e->plain_len + 1);
	int rc = open_both(x->s, e, bytes_of(in, e->place.length), got);

	if (rc == 0)
		assert_memory_equal(got, x->plain, x->n);
	free(in);
	free(got);
	return rc;
}

static void
opens_to_what_was_sealed(void **state)
{
	static const size_t len[] = { 1, 15, 64, 65, 4096, 65536, 65537,
		200000, CHUNK_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(len); i++) {
		struct sealed x = chunk(data_new(i, len[i]), len[i]);

		assert_int_equal(x.e.place.length, seal_bound(len[i]));
		assert_int_equal(reopen(&x, &x.e), 0);
		drop(&x);
		x = chunk(data_text(i, len[i]), len[i]);
		assert_int_equal(reopen(&x, &x.e), 0);
		if (len[i] >= 4096)
			assert_true(x.e.place.length < len[i] * 3 / 4);
		drop(&x);
	}
}

static void
opens_whatever_the_effort(void **state)
{
	static const size_t len[] = { 1, 65, 3000, 65537, CHUNK_MAX };
	uint32_t least = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(len); i++)
		for (int e = SEAL_LZ4; e <= SEAL_ZSTD_6; e++) {
			struct sealed x = chunk_by((enum seal_effort)e,
			    data_new(i, len[i]), len[i]);

			assert_int_equal(x.e.place.length, seal_bound(len[i]));
			assert_int_equal(reopen(&x, &x.e), 0);
			drop(&x);
			x = chunk_by((enum seal_effort)e,
			    data_text(i, len[i]), len[i]);
			assert_int_equal(reopen(&x, &x.e), 0);
			if (e == SEAL_LZ4)
				least = x.e.place.length;
			if (len[i] >= 3000)
				assert_true(x.e.place.length <= least);
			drop(&x);
		}
}

static void
never_uses_a_key_twice(void **state)
{
	struct sealed a = chunk(data_new(1, 100), 100);
	struct sealed b = chunk(data_new(1, 100), 100);

	(void)state;
	assert_memory_equal(a.e.id, b.e.id, CHUNK_ID_LEN);
	assert_memory_not_equal(a.e.key.b, b.e.key.b, KEY_LEN);
	assert_memory_not_equal(a.out, b.out, 100);
	drop(&a);
	drop(&b);
}

static void
has_a_random_key_for_each_of_many(void **state)
{
	enum { N = 100 };
	static struct seal_key key[N];
	const uint8_t hash[HASH_LEN] = { 1 };
	struct seal *s = make();

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		seal_fresh_key(s, hash, 1, &key[i]);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(&key[i], &key[j], KEY_LEN);
	}
	seal_free(s);
}

static const char *
dead_name(void)
{
	return "dead";
}

static uint32_t
dead_word(void)
{
	return 4;
}

static void
dead_bytes(void *out, size_t n)
{
	memset(out, 4, n);
}

/* Two frames of one content, and two contents; the nonce is always zero. */
static void
repeats_no_key_where_nothing_is_random(void **state)
{
	static struct randombytes_implementation dead = {
		.implementation_name = dead_name,
		.random = dead_word,
		.buf = dead_bytes,
	};
	struct sealed x[5];

	(void)state;
	assert_int_equal(randombytes_set_implementation(&dead), 0);
	x[0] = chunk_by(SEAL_LZ4, data_text(1, 9000), 9000);
	x[1] = chunk_by(SEAL_ZSTD_1, data_text(1, 9000), 9000);
	x[2] = chunk_by(SEAL_ZSTD_6, data_text(1, 9000), 9000);
	x[3] = chunk_by(SEAL_LZ4, data_text(2, 9000), 9000);
	x[4] = chunk_by(SEAL_LZ4, data_text(1, 9000), 9000);
	assert_int_equal(randombytes_set_implementation(
			     &randombytes_sysrandom_implementation), 0);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(&x[i].e.key, &x[j].e.key,
			    KEY_LEN);
	/* So it was indeed dead. */
	assert_memory_equal(&x[4].e.key, &x[0].e.key, KEY_LEN);
	for (unsigned i = 0; i < 5; i++)
		drop(&x[i]);
}

static void
refuses_every_altered_byte(void **state)
{
	struct sealed x = chunk(data_text(3, 300), 300);

	(void)state;
	for (size_t i = 0; i < x.e.place.length; i++) {
		x.out[i] ^= 1;
		assert_int_equal(reopen(&x, &x.e), FAULT_TAMPERED);
		x.out[i] ^= 1;
	}
	assert_int_equal(reopen(&x, &x.e), 0);
	drop(&x);
}

/* Of what is long only samples are looked at: for strings that repeat, and for
 * bytes that are frequent, which LZ4 has no use for. */
static void
compresses_what_the_samples_promise(void **state)
{
	enum { N = 300000 };
	uint8_t *random = data_new(12, N), *text = data_text(13, N);
	uint8_t *few = data_new(14, N);
	struct seal *s = make();
	uint32_t length;

	(void)state;
	for (size_t i = 0; i < N; i++)
		few[i] &= 0x3f;
	for (enum seal_effort e = SEAL_LZ4; e <= SEAL_ZSTD_6; e++) {
		assert_int_equal(
		    seal_frame(s, e, bytes_of(random, N), &length), 0);
		assert_int_equal(length, N + SEAL_OVERHEAD);
		assert_int_equal(
		    seal_frame(s, e, bytes_of(text, N), &length), 0);
		assert_in_range(length, 1, N / 2);
		assert_int_equal(
		    seal_frame(s, e, bytes_of(few, N), &length), 0);
		if (e == SEAL_LZ4)
			assert_int_equal(length, N + SEAL_OVERHEAD);
		else
			assert_in_range(length, N / 2, N * 4 / 5);
	}
	/* One sample of eight is enough. */
	memset(random, 0, N / 8);
	assert_int_equal(
	    seal_frame(s, SEAL_LZ4, bytes_of(random, N), &length), 0);
	assert_in_range(length, 1, N - N / 10);
	seal_free(s);
	free(random);
	free(text);
	free(few);
}

static void
opens_many_each_by_itself(void **state)
{
	struct sealed x[SEAL_OPENINGS];
	struct seal_opening o[SEAL_OPENINGS];

	(void)state;
	for (size_t i = 0; i < SEAL_OPENINGS; i++) {
		size_t n = 1 + i * i * 2001;

		x[i] = chunk(i % 2 == 0 ? data_new(i, n) : data_text(i, n), n);
		x[i].out[0] ^= i % 5 == 3;
		o[i] = (struct seal_opening){ .e = &x[i].e,
			.sealed = bytes_of(x[i].out, x[i].e.place.length),
			.out = malloc(SEAL_OUT(n)) };
	}
	seal_open_chunks(x[0].s, o, SEAL_OPENINGS);
	for (size_t i = 0; i < SEAL_OPENINGS; i++) {
		assert_int_equal(o[i].rc, i % 5 == 3 ? FAULT_TAMPERED : 0);
		if (o[i].rc == 0) {
			assert_int_equal(o[i].content.n, x[i].n);
			assert_memory_equal(o[i].content.p, x[i].plain, x[i].n);
		}
		free(o[i].out);
		drop(&x[i]);
	}
}

static void
refuses_an_entry_that_says_otherwise(void **state)
{
	struct sealed x = chunk(data_new(4, 300), 300);
	struct index_entry e = x.e;

	(void)state;
	e.id[0] ^= 1;
	assert_int_equal(reopen(&x, &e), FAULT_TAMPERED);
	e = x.e;
	e.key.b[31] ^= 1;
	assert_int_equal(reopen(&x, &e), FAULT_TAMPERED);
	e = x.e;
	e.kind = SEAL_LIST;
	assert_int_equal(reopen(&x, &e), FAULT_TAMPERED);
	e = x.e;
	e.plain_len++;
	assert_int_equal(reopen(&x, &e), FAULT_MALFORMED);
	e = x.e;
	e.plain_len--;
	assert_int_equal(reopen(&x, &e), FAULT_MALFORMED);
	e = x.e;
	e.place.length--;
	assert_int_equal(reopen(&x, &e), FAULT_TAMPERED);
	drop(&x);
}

/* A frame that a writer with the keys made badly. */
static int
open_frame(const uint8_t *frame, size_t n, uint32_t plain_len)
{
	struct seal *s = make();
	struct index_entry e = { .kind = SEAL_DATA, .plain_len = plain_len };
	uint8_t aad[34] = { 1, SEAL_DATA }, *out = malloc(n + 16);
	uint8_t *got = malloc(plain_len);
	int rc;

	memcpy(aad + 2, e.id, 32);
	assert_int_equal(bulk_seal(seal_bulk(s), &e.key, 0,
			     bytes_of(aad, 34), bytes_of(frame, n), out), 0);
	e.place.length = (uint32_t)(n + 16);
	rc = open_both(s, &e, bytes_of(out, n + 16), got);
	free(out);
	free(got);
	seal_free(s);
	return rc;
}

static void
refuses_bad_frames_and_wrong_content(void **state)
{
	uint8_t f[400] = { 1 }, big[1000] = { 0 };
	size_t n;

	(void)state;
	n = ZSTD_compress(f + 1, sizeof(f) - 1, big, sizeof(big), 1);
	assert_false(ZSTD_isError(n));
	/* A good frame of content that has another id. */
	assert_int_equal(open_frame(f, n + 1, 1000), FAULT_TAMPERED);
	assert_int_equal(open_frame(f, n + 1, 999), FAULT_MALFORMED);
	assert_int_equal(open_frame(f, n + 1, 1001), FAULT_MALFORMED);
	assert_int_equal(open_frame(f, n, 1000), FAULT_MALFORMED);
	f[n + 1] = 0;
	assert_int_equal(open_frame(f, n + 2, 1000), FAULT_MALFORMED);
	f[0] = 2;
	assert_int_equal(open_frame(f, n + 1, 1000), FAULT_MALFORMED);
	f[0] = 3;
	assert_int_equal(open_frame(f, n + 1, 1000), FAULT_MALFORMED);
	f[0] = 0;
	assert_int_equal(open_frame(f, n + 1, (uint32_t)n), FAULT_TAMPERED);
	assert_int_equal(open_frame(f, n + 1, (uint32_t)n + 1),
	    FAULT_MALFORMED);
	assert_int_equal(open_frame(f, 0, 10), FAULT_MALFORMED);
	f[0] = 2;
	n = (size_t)LZ4_compress_default((const char *)big, (char *)f + 1,
	    sizeof(big), sizeof(f) - 2);
	assert_int_equal(open_frame(f, n + 1, 1000), FAULT_TAMPERED);
	assert_int_equal(open_frame(f, n + 1, 999), FAULT_MALFORMED);
	assert_int_equal(open_frame(f, n + 1, 1001), FAULT_MALFORMED);
	assert_int_equal(open_frame(f, n, 1000), FAULT_MALFORMED);
	f[n + 1] = 0;
	assert_int_equal(open_frame(f, n + 2, 1000), FAULT_MALFORMED);
	f[0] = 1;
	assert_int_equal(open_frame(f, n + 1, 1000), FAULT_MALFORMED);
	/* Compressed, but not shorter. */
	n = ZSTD_compress(f + 1, sizeof(f) - 1, "x", 1, 1);
	f[0] = 1;
	assert_int_equal(open_frame(f, n + 1, 1), FAULT_MALFORMED);
}

static void
seals_nodes_and_commits(void **state)
{
	struct seal *s = make();
	uint8_t *plain = data_text(5, COMMIT_MAX), *got = malloc(COMMIT_MAX);
	uint8_t *out = malloc(seal_bound(COMMIT_MAX));
	struct ref r, bad;
	struct bytes in;

	(void)state;
	assert_int_equal(seal_ref(s, SEAL_COMMIT, bytes_of(plain, COMMIT_MAX),
			     out, &r), 0);
	in = bytes_of(out, r.place.length);
	assert_int_equal(seal_open_ref(s, SEAL_COMMIT, &r, in, got), 0);
	assert_memory_equal(got, plain, COMMIT_MAX);
	assert_int_equal(seal_ref(s, SEAL_NODE, bytes_of(plain, NODE_MAX + 1),
			     out, &r), FAULT_LIMIT);
	assert_int_equal(seal_ref(s, SEAL_NODE, bytes_of(plain, NODE_MAX), out,
			     &r), 0);
	in = bytes_of(out, r.place.length);
	assert_int_equal(seal_open_ref(s, SEAL_NODE, &r, in, got), 0);
	assert_int_equal(seal_open_ref(s, SEAL_COMMIT, &r, in, got),
	    FAULT_TAMPERED);
	bad = r;
	bad.hash[5] ^= 1;
	assert_int_equal(seal_open_ref(s, SEAL_NODE, &bad, in, got),
	    FAULT_TAMPERED);
	bad = r;
	bad.key.b[5] ^= 1;
	assert_int_equal(seal_open_ref(s, SEAL_NODE, &bad, in, got),
	    FAULT_TAMPERED);
	in.n--;
	assert_int_equal(seal_open_ref(s, SEAL_NODE, &r, in, got),
	    FAULT_MALFORMED);
	free(plain);
	free(got);
	free(out);
	seal_free(s);
}

static void
finds_that_the_mark_is_not_that_of_the_piece(void **state)
{
	struct seal *s = make();
	uint8_t plain[100] = { 1 }, id[1][CHUNK_ID_LEN];
	uint8_t out[100 + SEAL_OVERHEAD];
	struct bytes m = bytes_of(plain, 100);
	struct seal_mark mark, bad;
	struct index_entry e;

	(void)state;
	assert_int_equal(seal_ids(s, &m, 1, &mark, id), 0);
	/* The first sealing is checked by its hash, too. */
	bad = mark;
	bad.hash[3] ^= 1;
	assert_int_equal(seal_chunk(s, SEAL_DATA, m, &bad, out, &e),
	    FAULT_INTERNAL);
	bad = mark;
	bad.sum ^= 1;
	assert_int_equal(seal_chunk(s, SEAL_DATA, m, &bad, out, &e),
	    FAULT_INTERNAL);
	assert_int_equal(seal_chunk(s, SEAL_DATA, bytes_of(plain, 0), &mark,
			     out, &e), FAULT_LIMIT);
	/* A bit that flips after naming, each one in turn. */
	for (size_t i = 0; i < 800; i++) {
		plain[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(seal_chunk(s, SEAL_DATA, m, &mark, out, &e),
		    FAULT_INTERNAL);
		plain[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(seal_chunk(s, SEAL_DATA, m, &mark, out, &e), 0);
	seal_free(s);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(opens_to_what_was_sealed),
		cmocka_unit_test(opens_whatever_the_effort),
		cmocka_unit_test(never_uses_a_key_twice),
		cmocka_unit_test(has_a_random_key_for_each_of_many),
		cmocka_unit_test(repeats_no_key_where_nothing_is_random),
		cmocka_unit_test(refuses_every_altered_byte),
		cmocka_unit_test(compresses_what_the_samples_promise),
		cmocka_unit_test(opens_many_each_by_itself),
		cmocka_unit_test(refuses_an_entry_that_says_otherwise),
		cmocka_unit_test(refuses_bad_frames_and_wrong_content),
		cmocka_unit_test(seals_nodes_and_commits),
		cmocka_unit_test(finds_that_the_mark_is_not_that_of_the_piece),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
