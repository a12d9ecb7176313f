// SPDX-License-Identifier: Apache-2.0
#include "object/merge.h"

#include <endian.h>
#include <string.h>

#include "base/fault.h"

/* Reads the next entry of source i, which must be above the one it replaces. */
static int
advance(struct merge *m, size_t i)
{
	uint8_t last[CHUNK_ID_LEN];
	bool had = m->have[i];
	int rc;

	if (had)
		memcpy(last, m->head[i].id, CHUNK_ID_LEN);
	rc = m->src[i].next(m->src[i].arg, &m->head[i]);
	m->have[i] = rc == 1;
	if (rc < 0)
		return rc;
	if (rc == 1 && had && memcmp(last, m->head[i].id, CHUNK_ID_LEN) >= 0)
		return FAULT_MALFORMED;
	return 0;
}

int
merge_init(struct merge *m, const struct merge_source *src, size_t n)
{
	int rc = 0;

	if (n > MERGE_SOURCES_MAX)
		return FAULT_LIMIT;
	memset(m, 0, sizeof(*m));
	m->n = n;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		m->src[i] = src[i];
		rc = advance(m, i);
	}
	return rc;
}

/* The source with the least id, the first of equal ones; m->n if none. */
static size_t
least(const struct merge *m)
{
	size_t best = m->n;

	for (size_t i = 0; i < m->n; i++) {
		if (m->have[i] &&
		    (best == m->n ||
			memcmp(m->head[i].id, m->head[best].id, CHUNK_ID_LEN) <
			    0))
			best = i;
	}
	return best;
}

int
merge_next(void *arg, struct index_entry *out)
{
	struct merge *m = arg;
	size_t best = least(m);
	struct index_entry e;

	if (best == m->n)
		return 0;
	e = m->head[best];
	for (size_t i = best; i < m->n; i++) {
		int rc = 0;

		if (m->have[i] &&
		    memcmp(m->head[i].id, e.id, CHUNK_ID_LEN) == 0)
			rc = advance(m, i);
		if (rc != 0)
			return rc;
	}
	*out = e;
	return 1;
}

int
merge_count(struct merge *m, uint64_t *out)
{
	struct index_entry e;
	uint64_t n = 0;
	int rc;

	while ((rc = merge_next(m, &e)) == 1)
		n++;
	if (rc == 0)
		*out = n;
	return rc;
}

int
merge_array_next(void *arg, struct index_entry *out)
{
	struct merge_array *a = arg;

	if (a->n == 0)
		return 0;
	*out = *a->e++;
	a->n--;
	return 1;
}

void
merge_segments(const struct merge_blocks *from, const struct segment *segment,
    size_t n, struct merge_segment *m, struct merge_source *src)
{
	for (size_t i = 0; i < n; i++) {
		m[i].from = *from;
		m[i].segment = &segment[i];
		m[i].block = 0;
		m[i].at = m[i].n = 0;
		src[i] = (struct merge_source){ .next = merge_segment_next,
			.arg = &m[i] };
	}
}

/* 1 where what was loaded is not the block. */
static int
open_block(struct merge_segment *s, bool again)
{
	struct index_where w = segment_block_where(s->segment, s->block);
	struct place p = segment_block_place(s->segment, s->block);
	struct bytes sealed;
	int rc = s->from.load(s->from.arg, &p, again, &sealed);

	if (rc != 0)
		return rc;
	rc = index_block_open(seal_bulk(s->from.seal), &s->segment->key, &w,
	    sealed, s->plain);
	return rc != 0 && !again ? 1 : rc;
}

/* Loads, opens and checks the next block. */
static int
load_block(struct merge_segment *s)
{
	struct index_where w = segment_block_where(s->segment, s->block);
	uint8_t last[CHUNK_ID_LEN];
	uint64_t f;
	int rc;

	if (s->n != 0)
		memcpy(last, s->plain + s->n - INDEX_ENTRY_LEN, CHUNK_ID_LEN);
	rc = open_block(s, false);
	if (rc == 1)
		rc = open_block(s, true);
	if (rc != 0)
		return rc;
	memcpy(&f, s->plain, sizeof(f));
	/* [pack]: order across blocks, and what the commit says of them */
	if (be64toh(f) != s->segment->fence[s->block] ||
	    (s->n != 0 && memcmp(last, s->plain, CHUNK_ID_LEN) >= 0))
		return FAULT_MALFORMED;
	s->n = index_block_count(&w) * INDEX_ENTRY_LEN;
	s->at = 0;
	s->block++;
	return 0;
}

/* 1, 0 at the end, or a fault. */
static int
next_block(struct merge_segment *s)
{
	int rc;

	for (; s->block != s->segment->blocks; s->block++) {
		rc = load_block(s);
		if (rc == 0)
			return 1;
		if (s->from.pass == NULL || !s->from.pass(s->from.arg,
		    s->segment, s->block, rc))
			return rc;
		s->at = s->n = 0;
	}
	return 0;
}

int
merge_segment_next(void *arg, struct index_entry *out)
{
	struct merge_segment *s = arg;
	int rc;

	if (s->at == s->n) {
		rc = next_block(s);
		if (rc != 1)
			return rc;
	}
	rc = index_entry_decode(bytes_of(s->plain + s->at, INDEX_ENTRY_LEN),
	    out);
	s->at += INDEX_ENTRY_LEN;
	return rc != 0 ? rc : 1;
}
