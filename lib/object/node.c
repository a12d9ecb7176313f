// SPDX-License-Identifier: Apache-2.0
#include "object/node.h"

#include <assert.h>
#include <string.h>

#include "base/fault.h"
#include "base/wr.h"
#include "object/key.h"

#define VERSION 1

int
node_begin(struct node_iter *it, struct bytes node, unsigned level)
{
	struct rd r = rd_from(node.p, node.n);
	uint8_t version = rd_u8(&r);
	uint8_t lev = rd_u8(&r);
	uint16_t zero = rd_u16(&r);
	uint32_t count = rd_u32(&r);

	if (node.n != 0 && version != VERSION)
		return FAULT_VERSION;
	/* [tree] */
	if (r.failed || node.n > NODE_MAX || lev != level || zero != 0 ||
	    level > TREE_LEVEL_MAX || count < 1 || count > NODE_ITEMS_MAX)
		return FAULT_MALFORMED;
	it->r = r;
	it->level = level;
	it->count = count;
	it->at = 0;
	it->key.n = 0;
	it->key.max = KEY_BYTES_MAX;
	return 0;
}

/* Reads the key of the next item, given the one before it, into key, which may
 * be that one itself. */
static int
read_key(struct rd *r, bool first, struct bytes before, struct buf *key)
{
	size_t shared = rd_u16(r);
	struct bytes rest = rd_take(r, rd_u16(r));

	/* [tree]: the greatest shared, strictly ascending; this is both */
	if (r->failed || rest.n == 0 || shared > before.n ||
	    (first && shared != 0) ||
	    (shared < before.n && rest.p[0] <= before.p[shared]))
		return FAULT_MALFORMED;
	if (shared + rest.n > KEY_BYTES_MAX)
		return FAULT_MALFORMED;
	key->n = key->p == before.p ? shared : 0;
	if (key->n == 0) {
		int rc = buf_append(key, before.p, shared);

		if (rc != 0)
			return rc;
	}
	return buf_append(key, rest.p, rest.n);
}

static void
read_child(struct rd *r, struct node_child *c)
{
	c->entries = rd_u64(r);
	c->bytes = rd_u64(r);
	ref_read(r, &c->ref);
	rd_require(r, c->entries >= 1 && c->ref.plain_len <= NODE_MAX);
}

int
node_next(struct node_iter *it)
{
	const uint8_t *start;
	size_t left;
	int rc;

	if (it->at == it->count)
		return rd_finish(&it->r);
	rc = read_key(&it->r, it->at == 0, buf_bytes(&it->key), &it->key);
	if (rc != 0)
		return rc;
	if (!key_valid(buf_bytes(&it->key)))
		return FAULT_MALFORMED;
	start = it->r.p;
	left = it->r.left;
	if (it->level == 0)
		entry_read(&it->r, &it->entry);
	else
		read_child(&it->r, &it->child);
	if (it->r.failed)
		return FAULT_MALFORMED;
	it->raw = bytes_of(start, left - it->r.left);
	it->at++;
	return 1;
}

int
node_peek(const struct node_iter *it, struct buf *out)
{
	struct rd r = it->r;
	int rc;

	if (it->at == it->count)
		return 0;
	out->max = KEY_BYTES_MAX;
	rc = read_key(&r, it->at == 0, buf_bytes(&it->key), out);
	return rc != 0 ? rc : 1;
}

void
node_iter_wipe(struct node_iter *it)
{
	buf_wipe(&it->key);
	*it = (struct node_iter){ 0 };
}

/* Adds v to *sum; false where that overflows. */
static bool
add(uint64_t *sum, uint64_t v)
{
	return !__builtin_add_overflow(*sum, v, sum);
}

int
node_check(struct bytes node, unsigned level, struct node_child *sum)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	struct node_child total = { 0 };
	int rc = node_begin(&it, node, level);

	if (rc != 0)
		return rc;
	while ((rc = node_next(&it)) == 1) {
		bool leaf = level == 0;

		if (!add(&total.entries, leaf ? 1 : it.child.entries) ||
		    !add(&total.bytes,
			leaf ? it.entry.size : it.child.bytes))
			return FAULT_MALFORMED;
	}
	if (rc == 0 && sum != NULL)
		*sum = total;
	return rc;
}

int
node_start(struct node_writer *w, unsigned level)
{
	struct wr out = wr_to(&w->b);

	w->b.n = w->first.n = w->last.n = 0;
	w->b.max = NODE_MAX;
	w->first.max = w->last.max = KEY_BYTES_MAX;
	w->level = level;
	w->count = 0;
	w->sum = (struct node_child){ 0 };
	wr_u8(&out, VERSION);
	wr_u8(&out, (uint8_t)level);
	wr_u16(&out, 0);
	wr_u32(&out, 0);
	return wr_finish(&out);
}

void
node_writer_wipe(struct node_writer *w)
{
	buf_wipe(&w->b);
	buf_wipe(&w->first);
	buf_wipe(&w->last);
	*w = (struct node_writer){ 0 };
}

static size_t
common(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	return i;
}

/* Writes the key of the next item, and keeps it. */
static int
write_key(struct node_writer *w, struct bytes key)
{
	size_t shared = common(buf_bytes(&w->last), key);
	struct wr out = wr_to(&w->b);
	int rc;

	if (key.n == 0 || key.n > KEY_BYTES_MAX ||
	    bytes_cmp(buf_bytes(&w->last), key) >= 0)
		return FAULT_INTERNAL;
	wr_u16(&out, (uint16_t)shared);
	wr_u16(&out, (uint16_t)(key.n - shared));
	wr_copy(&out, key.p + shared, key.n - shared);
	rc = wr_finish(&out);
	if (rc == 0 && w->count == 0)
		rc = buf_append(&w->first, key.p, key.n);
	if (rc != 0)
		return rc;
	w->last.n = shared;
	return buf_append(&w->last, key.p + shared, key.n - shared);
}

/* Counts the item that was written, and what is below it. */
static int
counted(struct node_writer *w, uint64_t entries, uint64_t bytes)
{
	struct buf at = { .p = w->b.p + 4, .cap = 4, .max = 4 };
	struct wr out = wr_to(&at);

	if (w->count == NODE_ITEMS_MAX || !add(&w->sum.entries, entries) ||
	    !add(&w->sum.bytes, bytes))
		return FAULT_LIMIT;
	wr_u32(&out, ++w->count);
	return wr_finish(&out);
}

int
node_add_entry(struct node_writer *w, struct bytes key, struct bytes entry,
    uint64_t size)
{
	int rc;

	assert(w->level == 0);
	rc = write_key(w, key);
	if (rc == 0)
		rc = buf_append(&w->b, entry.p, entry.n);
	return rc != 0 ? rc : counted(w, 1, size);
}

int
node_add_child(struct node_writer *w, struct bytes key,
    const struct node_child *c)
{
	struct wr out = wr_to(&w->b);
	int rc;

	assert(w->level != 0);
	rc = write_key(w, key);
	if (rc != 0)
		return rc;
	wr_u64(&out, c->entries);
	wr_u64(&out, c->bytes);
	ref_write(&out, &c->ref);
	rc = wr_finish(&out);
	return rc != 0 ? rc : counted(w, c->entries, c->bytes);
}
