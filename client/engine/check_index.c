// SPDX-License-Identifier: Apache-2.0
/* The index: every block of every segment (spec/20-pack.md). */
#include "client/engine/check_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "crypt/secret.h"

#define AHEAD 32u /* blocks of one request */

static int
need_entries(struct check *c, size_t n, struct fault *f)
{
	size_t cap = c->entries_cap;
	void *p;

	if (n <= cap - c->entries)
		return 0;
	while (cap - c->entries < n)
		cap = cap == 0 ? 8192 : cap + cap / 2;
	p = realloc(c->entry, cap * sizeof(*c->entry));
	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	c->entry = p;
	p = realloc(c->bad, cap);
	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	c->bad = p;
	memset(c->bad + c->entries, 0, cap - c->entries);
	c->entries_cap = cap;
	return 0;
}

struct reading {
	struct check *c;
	const struct segment *s;
	struct check_segment *to;
	uint64_t commit;
	struct buf sealed;
	uint8_t plain[INDEX_BLOCK_LEN];
};

/* Takes the entries of block b in. */
static int
take_block(struct reading *r, uint32_t b, size_t n, struct fault *f)
{
	struct check *c = r->c;
	int rc = need_entries(c, n, f);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		struct index_entry *e = &c->entry[c->entries];
		struct rd id;

		if (index_entry_decode(bytes_of(r->plain + i * INDEX_ENTRY_LEN,
			INDEX_ENTRY_LEN), e) != 0)
			return FAULT_MALFORMED;
		id = rd_from(e->id, CHUNK_ID_LEN);
		/* [pack]: fences, and the order from block to block */
		if ((i == 0 && rd_u64(&id) != r->s->fence[b]) ||
		    (r->to->n != 0 && memcmp(e[-1].id, e->id,
			CHUNK_ID_LEN) >= 0))
			return FAULT_MALFORMED;
		c->entries++;
		r->to->n++;
	}
	return 0;
}

static int
open_block(struct reading *r, uint32_t b, struct bytes sealed,
    struct fault *f)
{
	struct index_where w = segment_block_where(r->s, b);
	int rc;

	r->c->res->blocks++;
	rc = index_block_open(seal_bulk(r->c->reader->seal), &r->s->key, &w,
	    sealed, r->plain);
	return rc != 0 ? rc : take_block(r, b, index_block_count(&w), f);
}

static int
bad_block(struct reading *r, uint32_t b, int rc, struct fault *f)
{
	const struct cache copies = { .dir = r->c->cache };
	struct place p = segment_block_place(r->s, b);
	uint8_t copy[INDEX_SEALED_LEN];
	size_t from = r->c->entries;
	int code;

	if (!fetch_is_local(rc))
		return rc;
	*f = (struct fault){ 0 };
	code = check_object(r->c, r->commit, &p, rc, "a block of the index");
	if (code != 0 || !cache_get(&copies, &p, copy))
		return code;
	/* A copy says which chunks should be there.  Only here they can be
	 * found so. */
	code = open_block(r, b, bytes_of(copy, p.length), f);
	for (size_t i = from; i < r->c->entries; i++) {
		r->c->bad[i] = (uint8_t)-rc;
		r->c->res->bad_chunks++;
	}
	return fetch_is_local(code) ? 0 : code;
}

/* Blocks b..end, which lie back to back. */
static int
read_blocks(struct reading *r, uint32_t b, uint32_t end, struct fault *f)
{
	struct store *s = r->c->reader->store;
	struct place p = segment_block_place(r->s, b);
	struct place q = segment_block_place(r->s, end - 1);
	size_t n = q.offset - p.offset + q.length;
	int rc;

	r->sealed.n = 0;
	rc = buf_reserve(&r->sealed, n);
	if (rc != 0)
		return fault_set(f, rc, "out of memory");
	rc = s->ops->get(s, p.object, p.offset, n, r->sealed.p, f);
	/* A cut object: as far as it goes, each for itself. */
	if (rc != 0 && end - b > 1) {
		for (rc = 0; b < end && rc == 0; b++)
			rc = read_blocks(r, b, b + 1, f);
		return rc;
	}
	if (rc != 0)
		return bad_block(r, b, rc, f);
	for (uint32_t i = b; i < end; i++) {
		q = segment_block_place(r->s, i);
		rc = open_block(r, i, bytes_of(r->sealed.p +
			(q.offset - p.offset), q.length), f);
		if (rc != 0)
			rc = bad_block(r, i, rc, f);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
read_segment(struct check *c, const struct commit *commit,
    const struct segment *s, struct check_segment *to, struct fault *f)
{
	struct reading *r = calloc(1, sizeof(*r));
	int rc = 0;

	if (r == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	*r = (struct reading){ .c = c, .s = s, .to = to,
		.commit = commit->number,
		.sealed = buf_init(AHEAD * INDEX_SEALED_LEN) };
	for (uint32_t i = 0; i < s->runs && rc == 0; i++) {
		uint32_t b = s->first[i], end = b + s->run[i].count;

		while (b < end && rc == 0) {
			uint32_t to_b = end - b > AHEAD ? b + AHEAD : end;

			rc = check_stopped(c, f);
			if (rc == 0)
				rc = read_blocks(r, b, to_b, f);
			b = to_b;
		}
	}
	buf_wipe(&r->sealed);
	secret_wipe(r, sizeof(*r));
	free(r);
	return rc;
}

static size_t
known_segment(const struct check *c, const struct segment *s)
{
	struct place p = segment_block_place(s, 0);
	size_t i = 0;

	while (i < c->segments &&
	    (!secret_equal(&c->segment[i].key, &s->key, sizeof(s->key)) ||
		memcmp(&c->segment[i].first, &p, sizeof(p)) != 0))
		i++;
	return i;
}

static int
add_segment(struct check *c, const struct commit *commit,
    const struct segment *s, struct fault *f)
{
	struct check_segment *to;

	if (c->segments == c->segments_cap) {
		size_t cap = 2 * c->segments_cap + 16;
		void *p = realloc(c->segment, cap * sizeof(*c->segment));

		if (p == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		c->segment = p;
		c->segments_cap = cap;
	}
	to = &c->segment[c->segments++];
	*to = (struct check_segment){ .key = s->key, .from = c->entries,
		.first = segment_block_place(s, 0) };
	c->res->segments++;
	return read_segment(c, commit, s, to, f);
}

int
check_index(struct check *c, const struct commit *commit, struct fault *f)
{
	int rc = 0;

	c->uses.n = 0;
	for (size_t i = 0; rc == 0 && i < commit->segments; i++) {
		size_t k = known_segment(c, &commit->segment[i]);

		if (k == c->segments)
			rc = add_segment(c, commit, &commit->segment[i], f);
		c->uses.segment[c->uses.n++] = k;
	}
	if (commit == &c->space->commit)
		c->head = c->uses;
	c->res->chunks_known = c->entries;
	return rc;
}

static const struct index_entry *
find(const struct check *c, const struct check_uses *uses, const uint8_t *id)
{
	for (size_t i = 0; i < uses->n; i++) {
		const struct check_segment *s = &c->segment[uses->segment[i]];
		size_t lo = 0, hi = s->n;

		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;
			const struct index_entry *e =
			    &c->entry[s->from + mid];
			int d = memcmp(e->id, id, CHUNK_ID_LEN);

			if (d == 0)
				return e;
			if (d < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
	}
	return NULL;
}

const struct index_entry *
check_find(const struct check *c, const uint8_t id[static CHUNK_ID_LEN])
{
	return find(c, &c->uses, id);
}

const struct index_entry *
check_newest(const struct check *c, const uint8_t id[static CHUNK_ID_LEN])
{
	return find(c, &c->head, id);
}
