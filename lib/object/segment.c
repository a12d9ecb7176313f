// SPDX-License-Identifier: Apache-2.0
#include "object/segment.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/secret.h"

#define RUN_LEN 24u
#define FENCE_LEN 8u

void
segment_wipe(struct segment *s)
{
	free(s->run);
	free(s->first);
	free(s->fence);
	secret_wipe(&s->key, sizeof(s->key));
	*s = (struct segment){ 0 };
}

/* Arrays for s->runs and s->blocks. */
static int
allocate(struct segment *s)
{
	s->run = calloc(s->runs, sizeof(*s->run));
	s->first = calloc(s->runs, sizeof(*s->first));
	s->fence = calloc(s->blocks, sizeof(*s->fence));
	return s->run == NULL || s->first == NULL || s->fence == NULL
	    ? FAULT_MEMORY
	    : 0;
}

int
segment_copy(const struct segment *s, struct segment *out)
{
	struct segment c = { .key = s->key, .entries = s->entries,
		.blocks = s->blocks, .runs = s->runs };
	int rc = allocate(&c);

	if (rc != 0) {
		segment_wipe(&c);
		return rc;
	}
	memcpy(c.run, s->run, c.runs * sizeof(*c.run));
	memcpy(c.first, s->first, c.runs * sizeof(*c.first));
	memcpy(c.fence, s->fence, c.blocks * sizeof(*c.fence));
	*out = c;
	return 0;
}

/* Bytes of count blocks from block number first on. */
static uint64_t
blocks_len(const struct segment *s, uint32_t first, uint32_t count)
{
	uint64_t from = (uint64_t)first * BLOCK_ENTRIES;
	uint64_t to = from + (uint64_t)count * BLOCK_ENTRIES;

	to = to > s->entries ? s->entries : to;
	return (to - from) * INDEX_ENTRY_LEN + (uint64_t)count * BULK_TAG_LEN;
}

/* [pack]: a run that goes on where the one before ends is part of it. */
static bool
goes_on(const struct segment *s, uint32_t i)
{
	const struct segment_run *a = &s->run[i - 1], *b = &s->run[i];

	return memcmp(a->object, b->object, ID_LEN) == 0 &&
	    a->offset + blocks_len(s, s->first[i - 1], a->count) == b->offset;
}

static void
read_runs(struct rd *r, struct segment *s)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < s->runs && !r->failed; i++) {
		struct segment_run *run = &s->run[i];

		rd_copy(r, run->object, ID_LEN);
		run->offset = rd_u32(r);
		run->count = rd_u32(r);
		s->first[i] = at;
		/* [pack] */
		rd_require(r, run->count >= 1 && run->count <= s->blocks - at);
		if (r->failed)
			return;
		rd_require(r, run->offset +
			blocks_len(s, at, run->count) <= PACK_SIZE);
		rd_require(r, i == 0 || !goes_on(s, i));
		at += run->count;
	}
	rd_require(r, at == s->blocks);
}

static void
read_fences(struct rd *r, struct segment *s)
{
	for (uint32_t i = 0; i < s->blocks && !r->failed; i++) {
		s->fence[i] = rd_u64(r);
		rd_require(r, i == 0 || s->fence[i - 1] <= s->fence[i]);
	}
}

int
segment_read(struct rd *r, struct segment *out)
{
	struct segment s defer(segment_wipe) = { 0 };
	uint64_t blocks;
	int rc;

	rd_copy(r, s.key.b, KEY_LEN);
	s.entries = rd_u64(r);
	s.runs = rd_u32(r);
	blocks = s.entries / BLOCK_ENTRIES + (s.entries % BLOCK_ENTRIES != 0);
	/* Nothing is allocated that the bytes at hand do not fill. */
	rd_require(r, s.entries >= 1 && blocks <= r->left / FENCE_LEN &&
		s.runs >= 1 && s.runs <= blocks && s.runs <= r->left / RUN_LEN);
	if (r->failed)
		return FAULT_MALFORMED;
	s.blocks = (uint32_t)blocks;
	rc = allocate(&s);
	if (rc != 0)
		return rc;
	read_runs(r, &s);
	read_fences(r, &s);
	if (r->failed)
		return FAULT_MALFORMED;
	*out = s;
	s = (struct segment){ 0 };
	return 0;
}

void
segment_write(struct wr *w, const struct segment *s)
{
	wr_copy(w, s->key.b, KEY_LEN);
	wr_u64(w, s->entries);
	wr_u32(w, s->runs);
	for (uint32_t i = 0; i < s->runs; i++) {
		wr_copy(w, s->run[i].object, ID_LEN);
		wr_u32(w, s->run[i].offset);
		wr_u32(w, s->run[i].count);
	}
	for (uint32_t i = 0; i < s->blocks; i++)
		wr_u64(w, s->fence[i]);
}

size_t
segment_len(const struct segment *s)
{
	return KEY_LEN + 8 + 4 + (size_t)s->runs * RUN_LEN +
	    (size_t)s->blocks * FENCE_LEN;
}

/* Number of fences below f, or, with equal, not above f. */
static uint32_t
count_fences(const struct segment *s, uint64_t f, bool equal)
{
	uint32_t lo = 0, hi = s->blocks;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->fence[mid] < f || (equal && s->fence[mid] == f))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
segment_find_block(const struct segment *s,
    const uint8_t id[static CHUNK_ID_LEN], uint32_t *first, uint32_t *last)
{
	uint32_t below, upto;
	uint64_t f;

	memcpy(&f, id, sizeof(f));
	f = be64toh(f);
	upto = count_fences(s, f, true);
	if (upto == 0)
		return false;
	/* [pack]: past equal fences the block before may end with f's ids */
	below = s->fence[upto - 1] == f ? count_fences(s, f, false) : upto;
	*first = below == 0 ? 0 : below - 1;
	*last = upto - 1;
	return true;
}

struct place
segment_block_place(const struct segment *s, uint32_t block)
{
	struct place p;
	uint32_t lo = 0, hi = s->runs;

	assert(block < s->blocks);
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->first[mid] <= block)
			lo = mid;
		else
			hi = mid;
	}
	memcpy(p.object, s->run[lo].object, ID_LEN);
	p.offset = s->run[lo].offset +
	    (uint32_t)blocks_len(s, s->first[lo], block - s->first[lo]);
	p.length = (uint32_t)blocks_len(s, block, 1);
	return p;
}

struct index_where
segment_block_where(const struct segment *s, uint32_t block)
{
	return (struct index_where){ .block = block, .blocks = s->blocks,
		.entries = s->entries };
}
