// SPDX-License-Identifier: Apache-2.0
/* Index entries and blocks. */
#include "test/unit/object/data.h"

#include "crypt/secret.h"
#include "object/index.h"
#include "object/seal.h"

static int
decode(struct bytes in)
{
	struct index_entry e;

	return index_entry_decode(in, &e);
}

static int
recode(const struct index_entry *e)
{
	uint8_t out[INDEX_ENTRY_LEN];

	index_entry_encode(e, out);
	return decode(bytes_of(out, sizeof(out)));
}

static void
entries_come_back_as_they_were(void **state)
{
	struct index_entry e = data_entry(1), got;
	uint8_t out[INDEX_ENTRY_LEN], again[INDEX_ENTRY_LEN];

	(void)state;
	index_entry_encode(&e, out);
	data_refuses_other_lengths(bytes_of(out, sizeof(out)), decode);
	assert_int_equal(index_entry_decode(bytes_of(out, 96), &got), 0);
	index_entry_encode(&got, again);
	assert_memory_equal(out, again, sizeof(out));
	for (unsigned i = 61; i < 64; i++) {
		out[i] = 1;
		assert_int_equal(decode(bytes_of(out, 96)), FAULT_MALFORMED);
		out[i] = 0;
	}
}

static void
refuses_entries_out_of_range(void **state)
{
	struct index_entry e = data_entry(2);

	(void)state;
	e.place.length = 17;
	e.kind = 0;
	assert_int_equal(recode(&e), FAULT_MALFORMED);
	e.kind = SEAL_NODE;
	assert_int_equal(recode(&e), FAULT_MALFORMED);
	e.kind = SEAL_ATTRS;
	e.plain_len = XATTR_MAX;
	assert_int_equal(recode(&e), 0);
	e.plain_len++;
	assert_int_equal(recode(&e), FAULT_MALFORMED);
	e.kind = SEAL_DATA;
	e.plain_len = CHUNK_MAX;
	assert_int_equal(recode(&e), 0);
	e.plain_len++;
	assert_int_equal(recode(&e), FAULT_MALFORMED);
	e.plain_len = 0;
	assert_int_equal(recode(&e), FAULT_MALFORMED);
}

/* A block's plaintext of n entries in order, on the heap. */
static uint8_t *
block(size_t n)
{
	struct index_entry *e = calloc(n, sizeof(*e));
	uint8_t *p = malloc(n * INDEX_ENTRY_LEN);

	for (size_t i = 0; i < n; i++)
		e[i] = data_entry(i);
	assert_int_equal(index_sort(e, n), n);
	for (size_t i = 0; i < n; i++)
		index_entry_encode(&e[i], p + i * INDEX_ENTRY_LEN);
	free(e);
	return p;
}

static void
finds_each_entry_of_a_block_and_no_other(void **state)
{
	(void)state;
	for (size_t n = 1; n <= BLOCK_ENTRIES; n += n < 5 ? 1 : 169) {
		uint8_t *p = block(n);
		struct bytes b = bytes_of(p, n * INDEX_ENTRY_LEN);
		struct index_entry got, want;

		assert_int_equal(index_block_check(b), 0);
		for (size_t i = 0; i < n; i++) {
			want = data_entry(i);
			assert_int_equal(index_block_find(b, want.id, &got),
			    0);
			assert_memory_equal(got.key.b, want.key.b, KEY_LEN);
			want.id[31] ^= 1;
			assert_int_equal(index_block_find(b, want.id, &got),
			    FAULT_NOT_FOUND);
		}
		free(p);
	}
}

static void
refuses_blocks_out_of_order(void **state)
{
	uint8_t *p = block(3), t[INDEX_ENTRY_LEN];
	struct bytes b = bytes_of(p, 3 * INDEX_ENTRY_LEN);

	(void)state;
	memcpy(t, p, sizeof(t));
	memcpy(p, p + INDEX_ENTRY_LEN, INDEX_ENTRY_LEN);
	assert_int_equal(index_block_check(b), FAULT_MALFORMED);
	memcpy(p + INDEX_ENTRY_LEN, t, sizeof(t));
	assert_int_equal(index_block_check(b), FAULT_MALFORMED);
	assert_int_equal(index_block_check(bytes_of(p, 0)), FAULT_MALFORMED);
	assert_int_equal(index_block_check(bytes_of(p, 97)), FAULT_MALFORMED);
	free(p);
}

static void
blocks_open_only_where_they_belong(void **state)
{
	struct bulk *b = bulk_new(BULK_BEST);
	const struct seal_key key = { { 3 } };
	struct index_where w = { .block = 1, .blocks = 2, .entries = 515 };
	uint8_t *p = block(3), scratch[INDEX_BLOCK_LEN];
	uint8_t sealed[3 * 96 + 16], got[INDEX_BLOCK_LEN];
	struct bytes in = bytes_of(sealed, sizeof(sealed));

	(void)state;
	assert_int_equal(index_block_seal(b, &key, &w, bytes_of(p, 288),
			     scratch, sealed), 0);
	assert_int_equal(index_block_open(b, &key, &w, in, got), 0);
	assert_memory_equal(got, p, 288);
	w.blocks = 3;
	assert_int_equal(index_block_open(b, &key, &w, in, got),
	    FAULT_TAMPERED);
	w.blocks = 2;
	w.entries = 514;
	assert_int_equal(index_block_open(b, &key, &w, in, got),
	    FAULT_MALFORMED);
	w.entries = 515;
	in.n--;
	assert_int_equal(index_block_open(b, &key, &w, in, got),
	    FAULT_MALFORMED);
	in.n++;
	for (size_t i = 0; i < sizeof(sealed); i += 5) {
		sealed[i] ^= 0x80;
		assert_int_equal(index_block_open(b, &key, &w, in, got),
		    FAULT_TAMPERED);
		sealed[i] ^= 0x80;
	}
	free(p);
	bulk_free(b);
}

static void
sorting_keeps_one_of_each_id(void **state)
{
	struct index_entry e[40];

	(void)state;
	for (size_t i = 0; i < 40; i++)
		e[i] = data_entry(i * 7 % 13);
	assert_int_equal(index_sort(e, 40), 13);
	for (size_t i = 1; i < 13; i++)
		assert_true(memcmp(e[i - 1].id, e[i].id, 32) < 0);
	assert_int_equal(index_sort(e, 1), 1);
	assert_int_equal(index_sort(e, 0), 0);
}

/* Ids that are uniform, that have all but their ends in common, and few. */
static void
sorts_many(void **state)
{
	enum { N = 30000 };
	struct index_entry *e = malloc(N * sizeof(*e));

	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		size_t n;

		for (size_t i = 0; i < N; i++) {
			e[i] = data_entry(kind == 2 ? i * i % 50 : i);
			if (kind == 1)
				memset(e[i].id, 7, CHUNK_ID_LEN - 2);
		}
		n = index_sort(e, N);
		if (kind == 0)
			assert_int_equal(n, N);
		for (size_t i = 1; i < n; i++)
			assert_true(memcmp(e[i - 1].id, e[i].id,
					CHUNK_ID_LEN) < 0);
	}
	free(e);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(entries_come_back_as_they_were),
		cmocka_unit_test(refuses_entries_out_of_range),
		cmocka_unit_test(finds_each_entry_of_a_block_and_no_other),
		cmocka_unit_test(refuses_blocks_out_of_order),
		cmocka_unit_test(blocks_open_only_where_they_belong),
		cmocka_unit_test(sorting_keeps_one_of_each_id),
		cmocka_unit_test(sorts_many),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
