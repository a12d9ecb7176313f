// SPDX-License-Identifier: Apache-2.0
#include "object/segwrite.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/hash.h"
#include "crypt/secret.h"

/* More do not fit in a commit. */
#define BLOCKS_MAX (COMMIT_MAX / 8u)

struct segwrite {
	struct seal *seal;
	struct segwrite_sink sink;
	struct segment seg;
	uint64_t added;
	uint32_t block;    /* being filled */
	uint32_t next;     /* offset where the last run ends */
	uint32_t runs_cap; /* allocated in seg.run and seg.first */
	size_t n;          /* bytes in plain */
	uint8_t last[CHUNK_ID_LEN];
	uint8_t plain[INDEX_BLOCK_LEN];
	uint8_t scratch[INDEX_BLOCK_LEN];
	uint8_t sealed[INDEX_SEALED_LEN];
};

int
segwrite_new(struct seal *s, uint64_t entries, struct segwrite_sink sink,
    struct segwrite **out)
{
	struct segwrite *w defer(segwrite_freep) = NULL;

	if (entries == 0 || entries > (uint64_t)BLOCKS_MAX * BLOCK_ENTRIES)
		return FAULT_LIMIT;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return FAULT_MEMORY;
	w->seal = s;
	w->sink = sink;
	w->seg.entries = entries;
	w->seg.blocks =
	    (uint32_t)((entries + BLOCK_ENTRIES - 1) / BLOCK_ENTRIES);
	w->seg.fence = calloc(w->seg.blocks, sizeof(*w->seg.fence));
	if (w->seg.fence == NULL)
		return FAULT_MEMORY;
	*out = take(w);
	return 0;
}

void
segwrite_free(struct segwrite *w)
{
	if (w == NULL)
		return;
	segment_wipe(&w->seg);
	secret_wipe(w, sizeof(*w));
	free(w);
}

void
segwrite_freep(struct segwrite **w)
{
	segwrite_free(*w);
	*w = NULL;
}

static int
more_runs(struct segwrite *w)
{
	uint32_t cap = w->runs_cap == 0 ? 4 : w->runs_cap * 2;
	void *run, *first;

	if (w->seg.runs < w->runs_cap)
		return 0;
	run = reallocarray(w->seg.run, cap, sizeof(*w->seg.run));
	if (run == NULL)
		return FAULT_MEMORY;
	w->seg.run = run;
	first = reallocarray(w->seg.first, cap, sizeof(*w->seg.first));
	if (first == NULL)
		return FAULT_MEMORY;
	w->seg.first = first;
	w->runs_cap = cap;
	return 0;
}

/* Notes that the block being filled lies at p. */
static int
placed(struct segwrite *w, const struct place *p)
{
	struct segment *s = &w->seg;
	struct segment_run *last = s->runs == 0 ? NULL : &s->run[s->runs - 1];
	int rc;

	if (!place_valid(p))
		return FAULT_INTERNAL;
	if (last != NULL && memcmp(last->object, p->object, ID_LEN) == 0 &&
	    p->offset == w->next) {
		last->count++;
	} else {
		rc = more_runs(w);
		if (rc != 0)
			return rc;
		last = &s->run[s->runs];
		memcpy(last->object, p->object, ID_LEN);
		last->offset = p->offset;
		last->count = 1;
		s->first[s->runs++] = w->block;
	}
	w->next = p->offset + p->length;
	return 0;
}

/* The segment's key comes from its first block. */
static int
make_key(struct segwrite *w)
{
	struct bytes plain = bytes_of(w->plain, w->n);
	uint8_t hash[1][HASH_LEN];
	int rc = seal_hash(w->seal, &plain, 1, hash);

	if (rc == 0)
		seal_fresh_key(w->seal, hash[0],
		    hash_crc64(0, plain.p, plain.n), &w->seg.key);
	return rc;
}

static int
flush(struct segwrite *w)
{
	struct index_where where = segment_block_where(&w->seg, w->block);
	struct bytes sealed = bytes_of(w->sealed, w->n + BULK_TAG_LEN);
	struct place p;
	int rc = w->block == 0 ? make_key(w) : 0;

	if (rc == 0)
		rc = index_block_seal(seal_bulk(w->seal), &w->seg.key, &where,
		    bytes_of(w->plain, w->n), w->scratch, w->sealed);
	if (rc == 0)
		rc = w->sink.put(w->sink.arg, sealed, &p);
	if (rc == 0)
		rc = p.length == sealed.n ? placed(w, &p) : FAULT_INTERNAL;
	if (rc == 0) {
		w->block++;
		w->n = 0;
	}
	return rc;
}

int
segwrite_add(struct segwrite *w, const struct index_entry *e)
{
	if (w->added == w->seg.entries ||
	    (w->added != 0 && memcmp(w->last, e->id, CHUNK_ID_LEN) >= 0))
		return FAULT_INTERNAL;
	if (w->n == 0) {
		uint64_t f;

		memcpy(&f, e->id, sizeof(f));
		w->seg.fence[w->block] = be64toh(f);
	}
	index_entry_encode(e, w->plain + w->n);
	memcpy(w->last, e->id, CHUNK_ID_LEN);
	w->n += INDEX_ENTRY_LEN;
	w->added++;
	return w->n == INDEX_BLOCK_LEN ? flush(w) : 0;
}

int
segwrite_finish(struct segwrite *w, struct segment *out)
{
	int rc;

	if (w->added != w->seg.entries)
		return FAULT_INTERNAL;
	rc = w->n == 0 ? 0 : flush(w);
	if (rc != 0)
		return rc;
	*out = w->seg;
	w->seg = (struct segment){ 0 };
	return 0;
}

int
segwrite_array(struct seal *s, struct index_entry *e, size_t n,
    struct segwrite_sink sink, struct segment *out)
{
	struct segwrite *w defer(segwrite_freep) = NULL;
	int rc;

	n = index_sort(e, n);
	rc = segwrite_new(s, n, sink, &w);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = segwrite_add(w, &e[i]);
	return rc != 0 ? rc : segwrite_finish(w, out);
}
