// SPDX-License-Identifier: Apache-2.0
#include "object/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "object/seal.h"

#define AAD_LEN 34u
#define SORT_FEW 16u /* that are sorted one by one */

static bool
valid(const struct index_entry *e)
{
	uint32_t max = e->kind == SEAL_ATTRS ? XATTR_MAX : CHUNK_MAX;

	/* [pack] */
	return e->kind >= SEAL_DATA && e->kind <= SEAL_ATTRS &&
	    e->plain_len >= 1 && e->plain_len <= max &&
	    e->place.length <= e->plain_len + SEAL_OVERHEAD;
}

static void
entry_read(struct rd *r, struct index_entry *out)
{
	rd_copy(r, out->id, CHUNK_ID_LEN);
	place_read(r, &out->place);
	out->plain_len = rd_u32(r);
	out->kind = rd_u8(r);
	rd_require(r, rd_u8(r) == 0);
	rd_require(r, rd_u16(r) == 0);
	rd_copy(r, out->key.b, KEY_LEN);
	rd_require(r, valid(out));
}

int
index_entry_decode(struct bytes in, struct index_entry *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct index_entry e;
	int rc;

	entry_read(&r, &e);
	rc = rd_finish(&r);
	if (rc == 0)
		*out = e;
	return rc;
}

void
index_entry_encode(const struct index_entry *e,
    uint8_t out[static INDEX_ENTRY_LEN])
{
	struct buf b = { .p = out, .cap = INDEX_ENTRY_LEN,
		.max = INDEX_ENTRY_LEN };
	struct wr w = wr_to(&b);

	wr_copy(&w, e->id, CHUNK_ID_LEN);
	place_write(&w, &e->place);
	wr_u32(&w, e->plain_len);
	wr_u8(&w, e->kind);
	wr_u8(&w, 0);
	wr_u16(&w, 0);
	wr_copy(&w, e->key.b, KEY_LEN);
	assert(wr_finish(&w) == 0 && b.n == INDEX_ENTRY_LEN);
}

size_t
index_block_count(const struct index_where *w)
{
	uint64_t left = w->entries - (uint64_t)w->block * BLOCK_ENTRIES;

	return left < BLOCK_ENTRIES ? (size_t)left : BLOCK_ENTRIES;
}

static void
aad_of(const struct index_where *where, uint8_t out[static AAD_LEN])
{
	static const uint8_t zero[16];
	struct buf b = { .p = out, .cap = AAD_LEN, .max = AAD_LEN };
	struct wr w = wr_to(&b);

	wr_u8(&w, 1);
	wr_u8(&w, SEAL_BLOCK);
	wr_u32(&w, where->block);
	wr_u32(&w, where->blocks);
	wr_u64(&w, where->entries);
	wr_copy(&w, zero, sizeof(zero));
	assert(wr_finish(&w) == 0 && b.n == AAD_LEN);
}

int
index_block_seal(struct bulk *b, const struct seal_key *key,
    const struct index_where *w, struct bytes plain, uint8_t *scratch,
    uint8_t *out)
{
	uint8_t aad[AAD_LEN];
	int rc;

	assert(plain.n == index_block_count(w) * INDEX_ENTRY_LEN);
	aad_of(w, aad);
	rc = bulk_seal(b, key, w->block, bytes_of(aad, AAD_LEN), plain, out);
	if (rc != 0)
		return rc;
	/* [names]: whoever seals opens again and compares */
	if (bulk_open(b, key, w->block, bytes_of(aad, AAD_LEN),
		bytes_of(out, plain.n + BULK_TAG_LEN), scratch) != 0 ||
	    memcmp(scratch, plain.p, plain.n) != 0)
		return FAULT_INTERNAL;
	return 0;
}

int
index_block_open(struct bulk *b, const struct seal_key *key,
    const struct index_where *w, struct bytes sealed, uint8_t *out)
{
	size_t n = index_block_count(w) * INDEX_ENTRY_LEN;
	uint8_t aad[AAD_LEN];
	int rc;

	if (w->block >= w->blocks || sealed.n != n + BULK_TAG_LEN)
		return FAULT_MALFORMED;
	aad_of(w, aad);
	rc = bulk_open(b, key, w->block, bytes_of(aad, AAD_LEN), sealed, out);
	return rc != 0 ? rc : index_block_check(bytes_of(out, n));
}

int
index_block_check(struct bytes plain)
{
	struct rd r = rd_from(plain.p, plain.n);
	struct index_entry e;

	if (plain.n == 0 || plain.n > INDEX_BLOCK_LEN)
		return FAULT_MALFORMED;
	for (size_t at = 0; r.left != 0; at += INDEX_ENTRY_LEN) {
		entry_read(&r, &e);
		/* [pack]: strictly ascending */
		rd_require(&r, at == 0 ||
			memcmp(plain.p + at - INDEX_ENTRY_LEN, e.id,
			    CHUNK_ID_LEN) < 0);
	}
	return rd_finish(&r);
}

int
index_block_find(struct bytes plain, const uint8_t id[static CHUNK_ID_LEN],
    struct index_entry *out)
{
	size_t lo = 0, hi = plain.n / INDEX_ENTRY_LEN;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const uint8_t *p = plain.p + mid * INDEX_ENTRY_LEN;
		int c = memcmp(p, id, CHUNK_ID_LEN);

		if (c == 0)
			return index_entry_decode(bytes_of(p, INDEX_ENTRY_LEN),
			    out);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return FAULT_NOT_FOUND;
}

static void
swap(struct index_entry *a, struct index_entry *b)
{
	const struct index_entry t = *a;

	*a = *b;
	*b = t;
}

static void
insert_each(struct index_entry *e, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 &&
		    memcmp(e[k].id, e[k - 1].id, CHUNK_ID_LEN) < 0; k--)
			swap(&e[k], &e[k - 1]);
}

/*
 * Sorts entries whose ids are alike before byte at: American flag sort
 * (McIlroy, Bostic and McIlroy, "Engineering radix sort", 1993), in place.  Ids
 * are uniform, so that each part is short after two bytes or three.
 */
static void
sort_from(struct index_entry *e, size_t n, size_t at)
{
	size_t next[257] = { 0 }, end[256];

	if (n <= SORT_FEW || at == CHUNK_ID_LEN) {
		insert_each(e, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		next[e[i].id[at] + 1]++;
	for (unsigned v = 0; v < 256; v++) {
		next[v + 1] += next[v];
		end[v] = next[v + 1];
	}
	for (unsigned v = 0; v < 256; v++)
		while (next[v] < end[v]) {
			unsigned home = e[next[v]].id[at];

			if (home == v)
				next[v]++;
			else
				swap(&e[next[v]], &e[next[home]++]);
		}
	for (unsigned v = 0; v < 256; v++) {
		size_t begin = v == 0 ? 0 : end[v - 1];

		sort_from(e + begin, end[v] - begin, at + 1);
	}
}

size_t
index_sort(struct index_entry *e, size_t n)
{
	size_t k = 0;

	if (n == 0)
		return 0;
	sort_from(e, n, 0);
	for (size_t i = 1; i < n; i++) {
		if (memcmp(e[k].id, e[i].id, CHUNK_ID_LEN) != 0 && ++k != i)
			e[k] = e[i];
	}
	return k + 1;
}
