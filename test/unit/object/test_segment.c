// SPDX-License-Identifier: Apache-2.0
/* Segments: writing, reading, finding, merging. */
#include "test/unit/object/data.h"

#include "crypt/secret.h"
#include "object/merge.h"
#include "object/pack.h"
#include "object/segwrite.h"

static const struct dedup_key dedup = { { 1 } };

/* Packs that are kept in memory; each holds few blocks, so that runs end. */
struct packs {
	struct buf data;
	uint32_t n;     /* bytes in the current one */
	uint8_t number; /* of the current one */
	uint32_t fill;  /* bytes that one takes */
};

static int
put(void *arg, struct bytes sealed, struct place *out)
{
	struct packs *k = arg;

	if (k->n + sealed.n > k->fill) {
		k->number++;
		k->n = 0;
	}
	memset(out->object, k->number, ID_LEN);
	out->offset = k->n;
	out->length = (uint32_t)sealed.n;
	k->n += out->length;
	return buf_append(&k->data, sealed.p, sealed.n);
}

static int
load(void *arg, const struct place *p, bool again, struct bytes *out)
{
	struct packs *k = arg;
	size_t per = k->fill / INDEX_SEALED_LEN * INDEX_SEALED_LEN;
	size_t at = (p->object[0] - 1u) * per + p->offset;

	(void)again;
	assert_in_range(at + p->length, 1, k->data.n);
	*out = bytes_of(k->data.p + at, p->length);
	return 0;
}

struct made {
	struct seal *s;
	struct packs k;
	struct segment seg;
};

static struct made
make(struct index_entry *e, size_t n)
{
	struct made m = { .k = { .data = buf_init(64 << 20),
				  .fill = 3 * INDEX_SEALED_LEN + 100,
				  .n = UINT32_MAX / 2 } };
	const struct segwrite_sink sink = { put, &m.k };

	assert_int_equal(seal_new(BULK_BEST, &dedup, &m.s), 0);
	assert_int_equal(segwrite_array(m.s, e, n, sink, &m.seg), 0);
	return m;
}

static void
drop(struct made *m)
{
	segment_wipe(&m->seg);
	buf_wipe(&m->k.data);
	seal_free(m->s);
}

static struct index_entry *
entries(size_t n, uint64_t from)
{
	struct index_entry *e = calloc(n, sizeof(*e));

	for (size_t i = 0; i < n; i++)
		e[i] = data_entry(from + i);
	return e;
}

/* Looks id up as an engine does; returns how many blocks it opened. */
static int
find(struct made *m, const uint8_t *id, struct index_entry *out)
{
	uint32_t first, last;
	uint8_t plain[INDEX_BLOCK_LEN];

	if (!segment_find_block(&m->seg, id, &first, &last))
		return FAULT_NOT_FOUND;
	for (uint32_t i = last + 1; i-- > first;) {
		struct index_where w = segment_block_where(&m->seg, i);
		struct place p = segment_block_place(&m->seg, i);
		struct bytes b;

		assert_int_equal(load(&m->k, &p, false, &b), 0);
		assert_int_equal(index_block_open(seal_bulk(m->s),
				     &m->seg.key, &w, b, plain), 0);
		b = bytes_of(plain, index_block_count(&w) * INDEX_ENTRY_LEN);
		if (index_block_find(b, id, out) == 0)
			return (int)(last - i + 1);
	}
	return FAULT_NOT_FOUND;
}

static void
finds_what_was_written(void **state)
{
	static const size_t count[] = { 1, 511, 512, 513, 5000 };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(count); k++) {
		struct index_entry *e = entries(count[k], 0), got, none;
		struct made m = make(e, count[k]);

		assert_int_equal(m.seg.entries, count[k]);
		assert_int_equal(m.seg.runs, (m.seg.blocks + 2) / 3);
		for (size_t i = 0; i < count[k]; i += 1 + count[k] / 100) {
			assert_int_equal(find(&m, e[i].id, &got), 1);
			assert_memory_equal(&got.key, &e[i].key, KEY_LEN);
			none = e[i];
			none.id[20] ^= 4;
			assert_int_equal(find(&m, none.id, &got),
			    FAULT_NOT_FOUND);
		}
		drop(&m);
		free(e);
	}
}

static void
finds_ids_across_equal_fences(void **state)
{
	enum { N = 2500 };
	struct index_entry *e = entries(N, 0), got;
	struct made m;

	(void)state;
	for (size_t i = 300; i < N - 100; i++)
		memset(e[i].id, 0x77, 8);
	m = make(e, N);
	assert_true(m.seg.fence[1] == m.seg.fence[2]);
	for (size_t i = 0; i < N; i += 11)
		assert_in_range(find(&m, e[i].id, &got), 1, 5);
	drop(&m);
	free(e);
}

static int
decode(struct bytes in)
{
	struct segment s;
	struct rd r = rd_from(in.p, in.n);
	int rc = segment_read(&r, &s);

	if (rc != 0)
		return rc;
	segment_wipe(&s);
	return rd_finish(&r);
}

/* decode() of s as it stands. */
static int
recode(const struct segment *s)
{
	struct buf b defer(buf_wipe) = buf_init(1 << 20);
	struct wr w = wr_to(&b);

	segment_write(&w, s);
	assert_int_equal(wr_finish(&w), 0);
	assert_int_equal(b.n, segment_len(s));
	return decode(buf_bytes(&b));
}

static void
descriptors_come_back_as_they_were(void **state)
{
	struct index_entry *e = entries(2600, 0);
	struct made m = make(e, 2600);
	struct buf b = buf_init(1 << 20), again = buf_init(1 << 20);
	struct wr w = wr_to(&b);
	struct segment s, copy;
	struct rd r;

	(void)state;
	segment_write(&w, &m.seg);
	data_refuses_other_lengths(buf_bytes(&b), decode);
	r = rd_from(b.p, b.n);
	assert_int_equal(segment_read(&r, &s), 0);
	assert_int_equal(segment_copy(&s, &copy), 0);
	w = wr_to(&again);
	segment_write(&w, &copy);
	assert_int_equal(again.n, b.n);
	assert_memory_equal(again.p, b.p, b.n);
	segment_wipe(&s);
	segment_wipe(&copy);
	buf_wipe(&b);
	buf_wipe(&again);
	drop(&m);
	free(e);
}

static void
refuses_bad_descriptors(void **state)
{
	struct index_entry *e = entries(2600, 0);
	struct made m = make(e, 2600);
	struct segment *s = &m.seg;

	(void)state;
	assert_int_equal(recode(s), 0);
	s->run[0].count--;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	s->run[1].count++;
	s->run[1].offset += 1;
	assert_int_equal(recode(s), 0);
	s->run[1].count = 0;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	s->run[1].count = UINT32_MAX;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	s->run[0].count = s->run[1].count = 3;
	s->run[1].offset = PACK_SIZE - 2 * INDEX_SEALED_LEN -
	    (2600 - 5 * 512) * INDEX_ENTRY_LEN - BULK_TAG_LEN;
	assert_int_equal(recode(s), 0);
	s->run[1].offset++;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	s->run[1] = s->run[0];
	s->run[1].offset = 3 * INDEX_SEALED_LEN;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	s->run[1].offset++;
	assert_int_equal(recode(s), 0);
	s->fence[2] = s->fence[1];
	assert_int_equal(recode(s), 0);
	s->fence[2]--;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	s->fence[2]++;
	s->entries = 0;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	s->entries = UINT64_MAX;
	assert_int_equal(recode(s), FAULT_MALFORMED);
	drop(&m);
	free(e);
}

static void
the_first_source_wins_in_a_merge(void **state)
{
	struct index_entry *a = entries(700, 0), *b = entries(3000, 500), e;
	struct index_entry old = { 0 };
	struct merge_array newest = { a, index_sort(a, 700) };
	struct made m;
	struct merge_blocks from = { .load = load, .arg = &m.k };
	struct merge_segment *seg = calloc(1, sizeof(*seg));
	struct merge_source src[2] = { { merge_array_next, &newest } };
	struct merge *g = malloc(sizeof(*g));
	uint64_t total = 0, n = 0, fresh = 0;
	int rc;

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		b[i].plain_len = CHUNK_MAX, b[i].kind = SEAL_DATA;
	for (size_t i = 0; i < 700; i++)
		a[i].plain_len = CHUNK_MAX - 1, a[i].kind = SEAL_DATA;
	m = make(b, 3000);
	from.seal = m.s;
	merge_segments(&from, &m.seg, 1, seg, &src[1]);
	assert_int_equal(merge_init(g, src, 2), 0);
	assert_int_equal(merge_count(g, &total), 0);
	assert_int_equal(total, 3500);

	newest = (struct merge_array){ a, 700 };
	merge_segments(&from, &m.seg, 1, seg, &src[1]);
	assert_int_equal(merge_init(g, src, 2), 0);
	while ((rc = merge_next(g, &e)) == 1) {
		if (n++ != 0)
			assert_true(memcmp(old.id, e.id, 32) < 0);
		fresh += e.plain_len == CHUNK_MAX - 1;
		old = e;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, 3500);
	assert_int_equal(fresh, 700);
	free(g);
	free(seg);
	drop(&m);
	free(a);
	free(b);
}

static int
load_junk(void *arg, const struct place *p, bool again, struct bytes *out)
{
	static const uint8_t junk[INDEX_SEALED_LEN];

	(void)arg;
	(void)again;
	*out = bytes_of(junk, p->length);
	return 0;
}

static int
load_junk_first(void *arg, const struct place *p, bool again,
    struct bytes *out)
{
	return again ? load(arg, p, again, out) :
	    load_junk(arg, p, again, out);
}

static void
a_merge_asks_again_for_a_bad_block(void **state)
{
	struct index_entry *e = entries(3000, 0), out;
	struct made m = make(e, 3000);
	struct merge_segment *seg = calloc(1, sizeof(*seg));
	struct merge_source src;
	size_t n = 0;

	(void)state;
	merge_segments(&(struct merge_blocks){ .seal = m.s,
	    .load = load_junk_first, .arg = &m.k }, &m.seg, 1, seg, &src);
	while (merge_segment_next(seg, &out) == 1)
		n++;
	assert_int_equal(n, 3000);
	merge_segments(&(struct merge_blocks){ .seal = m.s,
	    .load = load_junk }, &m.seg, 1, seg, &src);
	assert_int_equal(merge_segment_next(seg, &out), FAULT_TAMPERED);
	free(seg);
	drop(&m);
	free(e);
}

static int
load_all_but_one(void *arg, const struct place *p, bool again,
    struct bytes *out)
{
	struct made *m = arg;
	struct place bad = segment_block_place(&m->seg, 2);

	return memcmp(p, &bad, sizeof(bad)) == 0 ?
	    load_junk(&m->k, p, again, out) :
	    load(&m->k, p, again, out);
}

static bool
pass_tampered(void *arg, const struct segment *s, uint32_t block, int why)
{
	struct made *m = arg;

	assert_ptr_equal(s, &m->seg);
	return block == 2 && why == FAULT_TAMPERED;
}

static void
a_merge_passes_a_block_that_it_may(void **state)
{
	struct index_entry *e = entries(3000, 0), out;
	struct made m = make(e, 3000);
	struct merge_segment *seg = calloc(1, sizeof(*seg));
	struct merge_source src;
	size_t n = 0;
	int rc;

	(void)state;
	merge_segments(&(struct merge_blocks){ .seal = m.s,
	    .load = load_all_but_one, .pass = pass_tampered, .arg = &m },
	    &m.seg, 1, seg, &src);
	while ((rc = merge_segment_next(seg, &out)) == 1)
		n++;
	assert_int_equal(rc, 0);
	assert_int_equal(n, 3000 - BLOCK_ENTRIES);
	free(seg);
	drop(&m);
	free(e);
}

static void
a_merge_refuses_sources_out_of_order(void **state)
{
	struct index_entry e[3] = { data_entry(1), data_entry(2),
		data_entry(3) }, out;
	struct merge_array src = { e, 3 };
	const struct merge_source s = { merge_array_next, &src };
	struct merge *g = malloc(sizeof(*g));
	uint64_t n;

	(void)state;
	index_sort(e, 3);
	e[2] = e[1];
	assert_int_equal(merge_init(g, &s, 1), 0);
	assert_int_equal(merge_next(g, &out), 1);
	assert_int_equal(merge_count(g, &n), FAULT_MALFORMED);
	assert_int_equal(merge_init(g, &s, MERGE_SOURCES_MAX + 1),
	    FAULT_LIMIT);
	free(g);
}

static void
a_writer_wants_just_the_entries_it_was_promised(void **state)
{
	struct made m = { .k = { .data = buf_init(1 << 20),
				  .fill = 1 << 20 } };
	const struct segwrite_sink sink = { put, &m.k };
	struct index_entry e[2] = { data_entry(1), data_entry(2) };
	struct segwrite *w = NULL;

	(void)state;
	index_sort(e, 2);
	assert_int_equal(seal_new(BULK_BEST, &dedup, &m.s), 0);
	assert_int_equal(segwrite_new(m.s, 0, sink, &w), FAULT_LIMIT);
	assert_int_equal(segwrite_new(m.s, UINT64_MAX, sink, &w), FAULT_LIMIT);
	assert_int_equal(segwrite_new(m.s, 2, sink, &w), 0);
	assert_int_equal(segwrite_add(w, &e[0]), 0);
	assert_int_equal(segwrite_finish(w, &m.seg), FAULT_INTERNAL);
	assert_int_equal(segwrite_add(w, &e[0]), FAULT_INTERNAL);
	assert_int_equal(segwrite_add(w, &e[1]), 0);
	assert_int_equal(segwrite_add(w, &e[1]), FAULT_INTERNAL);
	assert_int_equal(segwrite_finish(w, &m.seg), 0);
	segwrite_free(w);
	drop(&m);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(finds_what_was_written),
		cmocka_unit_test(finds_ids_across_equal_fences),
		cmocka_unit_test(descriptors_come_back_as_they_were),
		cmocka_unit_test(refuses_bad_descriptors),
		cmocka_unit_test(the_first_source_wins_in_a_merge),
		cmocka_unit_test(a_merge_asks_again_for_a_bad_block),
		cmocka_unit_test(a_merge_passes_a_block_that_it_may),
		cmocka_unit_test(a_merge_refuses_sources_out_of_order),
		cmocka_unit_test(
		    a_writer_wants_just_the_entries_it_was_promised),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
