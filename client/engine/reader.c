// SPDX-License-Identifier: Apache-2.0
#include "client/engine/reader.h"

#include <stdlib.h>
#include <string.h>

#include "client/engine/fetch.h"
#include "crypt/secret.h"
#include "net/text.h"
#include "object/list.h"

#define READER_LIST_MAX (1u << 30)

int
reader_new(struct space *sp, struct reader **out, struct fault *f)
{
	struct reader *r defer(reader_freep) = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	r->space = sp;
	r->commit = &sp->commit;
	r->sealed = buf_init(COMMIT_MAX + SEAL_OVERHEAD);
	r->plain = malloc(INDEX_BLOCK_LEN);
	if (r->plain == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = seal_new(BULK_BEST, &sp->commit.dedup, &r->seal);
	if (rc == FAULT_INTERNAL && getenv("SKERRY_BULK") != NULL)
		return fault_set(f, FAULT_CONFIG, "SKERRY_BULK: %s is not to "
		    "be had on this machine", getenv("SKERRY_BULK"));
	if (rc != 0)
		return fault_set(f, rc, "starting the sealer: %s",
		    fault_text(rc));
	rc = sp->ses->store->ops->dup(sp->ses->store, &r->store, f);
	if (rc != 0)
		return rc;
	*out = take(r);
	return 0;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	ahead_free(r->ahead);
	store_close(r->store);
	seal_free(r->seal);
	buf_wipe(&r->sealed);
	if (r->plain != NULL) {
		secret_wipe(r->plain, INDEX_BLOCK_LEN);
		free(r->plain);
	}
	free(r);
}

void
reader_freep(struct reader **r)
{
	reader_free(*r);
}

static int
at_place(struct fault *f, int rc, const struct place *p)
{
	char hex[2 * ID_LEN + 1];

	text_hex(p->object, ID_LEN, hex, sizeof(hex));
	return fault_add(f, rc, "object %s at %u", hex, p->offset);
}

/* Room for n bytes in r->sealed. */
static int
make_room(struct reader *r, size_t n, struct fault *f)
{
	int rc;

	r->sealed.n = 0;
	rc = buf_reserve(&r->sealed, n);
	if (rc != 0)
		return fault_set(f, rc, "%s", fault_text(rc));
	r->sealed.n = n;
	return 0;
}

/* Fetches the commit at p, and what lies before it, as the space's tail. */
static int
fetch_tail(struct reader *r, const struct place *p, struct fault *f)
{
	struct space *sp = r->space;
	struct place t = *p;
	int rc;

	t.offset -= t.offset < SPACE_TAIL ? t.offset : SPACE_TAIL;
	t.length += p->offset - t.offset;
	sp->tail.n = 0;
	rc = buf_reserve(&sp->tail, t.length);
	if (rc != 0)
		return fault_set(f, rc, "%s", fault_text(rc));
	rc = r->store->ops->get(r->store, t.object, t.offset, t.length,
	    sp->tail.p, f);
	if (rc != 0)
		return rc;
	sp->tail.n = t.length;
	sp->tail_place = t;
	return 0;
}

/* Into r->sealed, which has room.  false: it is not in the tail. */
static bool
from_tail(struct reader *r, const struct place *p)
{
	const struct buf *tail = &r->space->tail;
	const struct place *t = &r->space->tail_place;

	if (tail->n == 0 || memcmp(p->object, t->object, ID_LEN) != 0 ||
	    p->offset < t->offset || p->offset - t->offset > tail->n ||
	    p->length > tail->n - (p->offset - t->offset))
		return false;
	memcpy(r->sealed.p, tail->p + (p->offset - t->offset), p->length);
	return true;
}

/* Reads one sealing from the depot into r->sealed. */
static int
fetch(struct reader *r, const struct place *p, struct fault *f)
{
	int rc = make_room(r, p->length, f);

	r->missed++;
	if (rc == 0 && r->head)
		rc = fetch_tail(r, p, f);
	if (rc != 0 || from_tail(r, p) ||
	    (r->ahead != NULL && ahead_take(r->ahead, p, r->sealed.p)))
		return rc;
	return r->store->ops->get(r->store, p->object, p->offset, p->length,
	    r->sealed.p, f);
}

/* From the cache (*cached says so) or the depot. */
static int
fetch_cached(struct reader *r, const struct place *p, bool *cached,
    struct fault *f)
{
	int rc = make_room(r, p->length, f);

	if (rc != 0)
		return rc;
	*cached = cache_get(&r->space->cache, p, r->sealed.p);
	return *cached ? 0 : fetch(r, p, f);
}

/* Opens a node or commit; a bad copy in the cache is fetched anew. */
static int
load_ref(struct reader *r, enum seal_kind kind, const struct ref *ref,
    struct buf *out, struct fault *f)
{
	bool cached;
	int rc;

	rc = buf_reserve(out, ref->plain_len);
	if (rc != 0)
		return fault_set(f, rc, "%s", fault_text(rc));
	rc = fetch_cached(r, &ref->place, &cached, f);
	if (rc != 0)
		return rc;
	rc = seal_open_ref(r->seal, kind, ref, buf_bytes(&r->sealed),
	    out->p + out->n);
	if (rc != 0 && cached) {
		cache_drop(&r->space->cache, &ref->place);
		rc = fetch(r, &ref->place, f);
		if (rc != 0)
			return rc;
		cached = false;
		rc = seal_open_ref(r->seal, kind, ref, buf_bytes(&r->sealed),
		    out->p + out->n);
	}
	if (rc != 0)
		return at_place(f, rc, &ref->place);
	if (!cached)
		cache_put(&r->space->cache, &ref->place, r->sealed.p);
	out->n += ref->plain_len;
	return 0;
}

int
reader_commit(struct reader *r, const struct ref *ref, struct commit *out,
    struct fault *f)
{
	struct buf plain defer(buf_wipe) = buf_init(COMMIT_MAX);
	int rc;

	rc = load_ref(r, SEAL_COMMIT, ref, &plain, f);
	if (rc != 0)
		return rc;
	rc = commit_decode(buf_bytes(&plain), out);
	if (rc != 0)
		return at_place(f, rc, &ref->place);
	return 0;
}

static int
load_node(void *arg, const struct ref *ref, unsigned level, struct buf *out)
{
	struct reader *r = arg;

	(void)level;
	r->fault = (struct fault){ 0 };
	if (ref->plain_len > NODE_MAX)
		return fault_set(&r->fault, FAULT_MALFORMED,
		    "a tree node is longer than nodes are");
	return load_ref(r, SEAL_NODE, ref, out, &r->fault);
}

struct node_source
reader_nodes(struct reader *r)
{
	return (struct node_source){ .load = load_node, .arg = r };
}

int
reader_block(void *arg, const struct place *place, bool again,
    struct bytes *out)
{
	struct reader *r = arg;
	bool cached;
	int rc;

	r->fault = (struct fault){ 0 };
	if (again)
		cache_drop(&r->space->cache, place);
	rc = fetch_cached(r, place, &cached, &r->fault);
	if (rc != 0)
		return rc;
	*out = buf_bytes(&r->sealed);
	return 0;
}

/* Blocks of one segment are in slots of their own. */
static struct space_block **
slot_of(struct space *sp, const struct segment *s, uint32_t block)
{
	uint32_t h;

	memcpy(&h, s->run[0].object, sizeof(h));
	return &sp->block[(h + block) % SPACE_BLOCKS];
}

/* Looks id up in the block at p, if that is open in its slot.  false: it is
 * not. */
static bool
find_open(struct space *sp, struct space_block *const *slot,
    const struct place *p, const uint8_t *id, int *rc,
    struct index_entry *out)
{
	const struct space_block *b;
	bool have;

	(void)pthread_mutex_lock(&sp->lock);
	b = *slot;
	have = b != NULL && memcmp(&b->place, p, sizeof(*p)) == 0;
	if (have)
		*rc = b->lost != 0 ? b->lost :
		    index_block_find(bytes_of(b->plain, b->n), id, out);
	(void)pthread_mutex_unlock(&sp->lock);
	return have;
}

/* lost: what reading it gave; plain is then empty. */
static void
keep_open(struct space *sp, struct space_block **slot, const struct place *p,
    int lost, struct bytes plain)
{
	(void)pthread_mutex_lock(&sp->lock);
	if (*slot == NULL)
		*slot = malloc(sizeof(**slot));
	if (*slot != NULL) {
		(*slot)->place = *p;
		(*slot)->lost = lost;
		(*slot)->n = plain.n;
		if (plain.n != 0)
			memcpy((*slot)->plain, plain.p, plain.n);
	}
	(void)pthread_mutex_unlock(&sp->lock);
}

/* How many blocks of one run a bulk reader asks for at once. */
#define READ_AHEAD 32u

static bool
lies_behind(const struct place *p, const struct place *q)
{
	return memcmp(q->object, p->object, ID_LEN) == 0 &&
	    q->offset == p->offset + p->length;
}

/*
 * Fetches block number b and those that lie around it in the same object, up to
 * the multiples of READ_AHEAD (so that no block is fetched for two others), and
 * leaves all of them in the cache.
 */
static int
read_ahead(struct reader *r, const struct segment *s, uint32_t b,
    struct fault *f)
{
	struct place it = segment_block_place(s, b), first = it, last = it;
	uint32_t low = b, high = b;
	size_t n;
	int rc;

	for (; low % READ_AHEAD != 0; low--) {
		struct place p = segment_block_place(s, low - 1);

		if (!lies_behind(&p, &first))
			break;
		first = p;
	}
	for (; high + 1 < s->blocks && (high + 1) % READ_AHEAD != 0; high++) {
		struct place p = segment_block_place(s, high + 1);

		if (!lies_behind(&last, &p))
			break;
		last = p;
	}
	n = last.offset + last.length - first.offset;
	rc = make_room(r, n, f);
	if (rc != 0)
		return rc;
	rc = r->store->ops->get(r->store, first.object, first.offset, n,
	    r->sealed.p, f);
	if (rc != 0)
		return rc;
	for (uint32_t i = low; i <= high; i++) {
		struct place p = segment_block_place(s, i);

		cache_put(&r->space->cache, &p,
		    r->sealed.p + (p.offset - first.offset));
	}
	memmove(r->sealed.p, r->sealed.p + (it.offset - first.offset),
	    it.length);
	r->sealed.n = it.length;
	return 0;
}

/* Opens block number b of s into r->plain. */
static int
open_block(struct reader *r, const struct segment *s, uint32_t b,
    struct bytes *out, struct fault *f)
{
	struct place p = segment_block_place(s, b);
	struct index_where w = segment_block_where(s, b);
	bool cached;
	int rc;

	rc = make_room(r, p.length, f);
	if (rc != 0)
		return rc;
	cached = cache_get(&r->space->cache, &p, r->sealed.p);
	if (!cached) {
		rc = r->bulk ? read_ahead(r, s, b, f) : fetch(r, &p, f);
		/* A cut object: what lies before the cut is whole. */
		if (r->bulk && rc == FAULT_MISSING) {
			*f = (struct fault){ 0 };
			rc = fetch(r, &p, f);
		}
		if (rc != 0)
			return rc;
	}
	rc = index_block_open(seal_bulk(r->seal), &s->key, &w,
	    buf_bytes(&r->sealed), r->plain);
	if (rc != 0 && cached) {
		cache_drop(&r->space->cache, &p);
		rc = fetch(r, &p, f);
		if (rc != 0)
			return rc;
		cached = false;
		rc = index_block_open(seal_bulk(r->seal), &s->key, &w,
		    buf_bytes(&r->sealed), r->plain);
	}
	if (rc != 0)
		return at_place(f, rc, &p);
	if (!cached && !r->bulk)
		cache_put(&r->space->cache, &p, r->sealed.p);
	*out = bytes_of(r->plain, index_block_count(&w) * INDEX_ENTRY_LEN);
	keep_open(r->space, slot_of(r->space, s, b), &p, 0, *out);
	return 0;
}

/* In block number b of s, which is asked for once where it is lost. */
static int
find_in_block(struct reader *r, const struct segment *s, uint32_t b,
    const uint8_t *id, struct index_entry *out, struct fault *f)
{
	struct space_block **slot = slot_of(r->space, s, b);
	struct place p = segment_block_place(s, b);
	struct bytes plain;
	int rc;

	if (!find_open(r->space, slot, &p, id, &rc, out)) {
		rc = open_block(r, s, b, &plain, f);
		if (rc == 0)
			return index_block_find(plain, id, out);
		if (fetch_is_lost(rc))
			keep_open(r->space, slot, &p, rc, bytes_of(NULL, 0));
		return rc;
	}
	if (!fetch_is_lost(rc))
		return rc;
	*f = (struct fault){ 0 };
	return at_place(f, rc, &p);
}

static int
find_in_segment(struct reader *r, const struct segment *s, const uint8_t *id,
    struct index_entry *out, struct fault *f)
{
	uint32_t first, last;

	if (!segment_find_block(s, id, &first, &last))
		return FAULT_NOT_FOUND;
	for (uint32_t b = last;; b--) {
		int rc = find_in_block(r, s, b, id, out, f);

		if (rc != FAULT_NOT_FOUND || b == first)
			return rc;
	}
}

/* By the index of c. */
static int
find_by(struct reader *r, const struct commit *c, const uint8_t *id,
    struct index_entry *out, struct fault *f)
{
	struct fault first = { 0 };

	for (size_t i = 0; i < c->segments; i++) {
		int rc = find_in_segment(r, &c->segment[i], id, out, f);

		if (rc == 0)
			return 0;
		if (rc == FAULT_NOT_FOUND)
			continue;
		(void)fault_add(f, rc, "index");
		if (!fetch_is_local(rc))
			return rc;
		/* An older segment may have it, too. */
		if (first.code == 0)
			first = *f;
		*f = (struct fault){ 0 };
	}
	if (first.code == 0 || r->gaps)
		return FAULT_NOT_FOUND;
	*f = first;
	return f->code;
}

/* Whose index has what was stored again after r->commit; NULL: nothing was. */
static const struct commit *
newer(const struct reader *r)
{
	const struct commit *head = &r->space->commit;

	return r->commit->number < head->number ? head : NULL;
}

int
reader_find(struct reader *r, const uint8_t id[static CHUNK_ID_LEN],
    struct index_entry *out, struct fault *f)
{
	int rc = find_by(r, r->commit, id, out, f), again;
	struct fault why = { 0 };

	if (rc == 0 || !fetch_is_local(rc) || newer(r) == NULL)
		return rc;
	again = find_by(r, newer(r), id, out, &why);
	if (again != 0 && fetch_is_local(again))
		return rc;
	*f = why;
	return again;
}

static int
open_chunk(struct reader *r, const struct index_entry *e, uint8_t *out,
    struct fault *f)
{
	int rc = fetch(r, &e->place, f);

	if (rc != 0)
		return rc;
	rc = seal_open_chunk(r->seal, e, buf_bytes(&r->sealed), out);
	return rc == 0 ? 0 : at_place(f, rc, &e->place);
}

static bool
same_place(const struct place *a, const struct place *b)
{
	return memcmp(a->object, b->object, ID_LEN) == 0 &&
	    a->offset == b->offset;
}

/* [pack] The chunk id proves it. */
static int
elsewhere_by(struct reader *r, const struct commit *c,
    const struct index_entry *e, uint8_t *out, struct fault *f)
{
	for (size_t i = 0; i < c->segments; i++) {
		struct index_entry x;
		int rc = find_in_segment(r, &c->segment[i], e->id, &x, f);

		if (rc == 0 && (same_place(&x.place, &e->place) ||
		    x.kind != e->kind || x.plain_len != e->plain_len))
			continue;
		if (rc == 0)
			rc = open_chunk(r, &x, out, f);
		if (rc == 0 || !fetch_is_local(rc))
			return rc;
		*f = (struct fault){ 0 };
	}
	return FAULT_NOT_FOUND;
}

int
reader_elsewhere(struct reader *r, const struct index_entry *e, uint8_t *out,
    struct fault *f)
{
	int rc = elsewhere_by(r, r->commit, e, out, f);

	return rc != FAULT_NOT_FOUND || newer(r) == NULL ? rc :
	    elsewhere_by(r, newer(r), e, out, f);
}

int
reader_chunk(struct reader *r, const struct index_entry *e, uint8_t *out,
    struct fault *f)
{
	int rc = open_chunk(r, e, out, f), again;
	struct fault why = { 0 };

	if (!fetch_is_lost(rc))
		return rc;
	again = reader_elsewhere(r, e, out, &why);
	if (again == FAULT_NOT_FOUND)
		return rc;
	*f = why;
	return again;
}

/* Finds and appends one chunk of the given kind and length. */
static int
append_chunk(struct reader *r, const uint8_t *id, enum seal_kind kind,
    uint64_t length, struct buf *out, struct fault *f)
{
	struct index_entry e;
	int rc;

	rc = reader_find(r, id, &e, f);
	if (rc == FAULT_NOT_FOUND)
		return fault_set(f, FAULT_MISSING,
		    "the index does not have a chunk that the tree names");
	if (rc != 0)
		return rc;
	if (e.kind != kind || e.plain_len != length)
		return fault_set(f, FAULT_MALFORMED,
		    "index and tree say different things of a chunk");
	rc = buf_reserve(out, e.plain_len);
	if (rc != 0)
		return fault_set(f, rc, "%s", fault_text(rc));
	rc = reader_chunk(r, &e, out->p + out->n, f);
	if (rc != 0)
		return rc;
	out->n += e.plain_len;
	return 0;
}

/* Replaces a list of lists by what it names. */
static int
expand(struct reader *r, struct bytes list, unsigned level, struct buf *out,
    struct fault *f)
{
	struct list_iter it = list_begin(list, level);
	struct list_item item;
	int rc;

	while ((rc = list_next(&it, &item)) == 1) {
		rc = append_chunk(r, item.id, SEAL_LIST, item.length, out, f);
		if (rc != 0)
			return rc;
	}
	return rc == 0 ? 0 : fault_set(f, rc, "a bad content list");
}

int
reader_list(struct reader *r, const struct tree_entry *e, struct buf *out,
    struct fault *f)
{
	struct buf now defer(buf_wipe) = buf_init(out->max);
	int rc;

	rc = buf_append(&now, e->list.p, e->list.n);
	for (unsigned level = e->level; rc == 0 && level > 0; level--) {
		struct buf next = buf_init(out->max);

		rc = expand(r, buf_bytes(&now), level, &next, f);
		buf_wipe(&now);
		now = next;
		if (rc != 0)
			return rc;
		if (!list_valid(buf_bytes(&now), level - 1, e->size))
			return fault_set(f, FAULT_MALFORMED,
			    "a bad content list");
	}
	if (rc == 0)
		rc = buf_append(out, now.p, now.n);
	return rc == 0 ? 0 : fault_set(f, rc, "%s", fault_text(rc));
}

static int
list_ids(struct bytes list, unsigned level,
    int (*each)(void *arg, const uint8_t id[static CHUNK_ID_LEN]), void *arg)
{
	struct list_iter it = list_begin(list, level);
	struct list_item item;
	int rc;

	while ((rc = list_next(&it, &item)) == 1) {
		rc = item.hole ? 0 : each(arg, item.id);
		if (rc != 0)
			return rc;
	}
	return rc;
}

int
reader_ids(struct reader *r, const struct tree_entry *e,
    int (*each)(void *arg, const uint8_t id[static CHUNK_ID_LEN]), void *arg,
    struct fault *f)
{
	struct buf now defer(buf_wipe) = buf_init(READER_LIST_MAX);
	struct bytes list = e->list;
	int rc = 0;

	if (e->attrs_chunk_len != 0)
		rc = each(arg, e->attrs_id);
	if (e->type != ENTRY_FILE)
		list.n = 0;
	for (unsigned level = e->type == ENTRY_FILE ? e->level : 0; rc == 0;
	    level--) {
		struct buf next = buf_init(READER_LIST_MAX);

		rc = list_ids(list, level, each, arg);
		if (level == 0 || rc != 0)
			break;
		rc = expand(r, list, level, &next, f);
		buf_wipe(&now);
		now = next;
		list = buf_bytes(&now);
		if (rc != 0)
			return rc;
	}
	return rc == 0 ? 0 : fault_set(f, rc, "a content list: %s",
	    fault_text(rc));
}

int
reader_attrs(struct reader *r, const struct tree_entry *e, struct buf *out,
    struct fault *f)
{
	int rc;

	if (e->attrs_chunk_len != 0)
		return append_chunk(r, e->attrs_id, SEAL_ATTRS,
		    e->attrs_chunk_len, out, f);
	rc = buf_append(out, e->attrs.p, e->attrs.n);
	return rc == 0 ? 0 : fault_set(f, rc, "%s", fault_text(rc));
}
