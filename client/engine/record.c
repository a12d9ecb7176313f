// SPDX-License-Identifier: Apache-2.0
#include "client/engine/record.h"

#include <stdlib.h>
#include <string.h>

#include "object/key.h"

/* Longest content list: files of some terabytes. */
#define LIST_BYTES_MAX (1u << 30)

int
records_init(struct records *q, struct stow *stow,
    const struct dedup_key *dedup, const struct ref *old, struct fault *f)
{
	int rc;

	memset(q, 0, sizeof(*q));
	q->stow = stow;
	q->same_from = buf_init(KEY_BYTES_MAX + 1);
	q->same_until = buf_init(KEY_BYTES_MAX + 1);
	rc = builder_new(dedup, stow_nodes(stow), &q->builder);
	if (rc == 0)
		rc = cursor_new(old, CURSOR_LEVEL_ANY,
		    reader_nodes(stow_reader(stow)), &q->old);
	return rc == 0 ? 0 : fault_set(f, rc, "%s", fault_text(rc));
}

static void
record_free(struct record *r)
{
	while (r != NULL) {
		struct record *next = r->next;

		buf_wipe(&r->key);
		buf_wipe(&r->until);
		buf_wipe(&r->attrs);
		buf_wipe(&r->target);
		list_builder_wipe(&r->list);
		free(r);
		r = next;
	}
}

void
records_wipe(struct records *q)
{
	record_free(q->first);
	record_free(q->spare);
	builder_free(q->builder);
	cursor_free(q->old);
	buf_wipe(&q->same_from);
	buf_wipe(&q->same_until);
	memset(q, 0, sizeof(*q));
}

static struct record *
get(struct records *q)
{
	struct record *r = q->spare;

	if (r != NULL) {
		q->spare = r->next;
		r->next = NULL;
		return r;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->key = buf_init(KEY_BYTES_MAX + 1);
	r->until = buf_init(KEY_BYTES_MAX + 1);
	r->attrs = buf_init(XATTR_MAX);
	r->target = buf_init(LINK_TARGET_MAX);
	r->list = list_build(LIST_BYTES_MAX);
	return r;
}

int
records_push(struct records *q, enum record_kind kind, struct bytes key,
    struct record **out, struct fault *f)
{
	struct record *r = get(q);
	int rc = r == NULL ? FAULT_MEMORY : 0;

	if (rc == 0) {
		r->kind = kind;
		rc = buf_append(&r->key, key.p, key.n);
	}
	if (rc != 0) {
		record_free(r);
		return fault_set(f, rc, "%s", fault_text(rc));
	}
	if (q->last == NULL)
		q->first = r;
	else
		q->last->next = r;
	q->last = r;
	q->n++;
	*out = r;
	return 0;
}

int
records_push_run(struct records *q, struct bytes from, struct bytes until,
    struct fault *f)
{
	struct record *r;
	int rc = records_push(q, RECORD_RUN, from, &r, f);

	if (rc == 0 && buf_append(&r->until, until.p, until.n) != 0)
		rc = fault_set(f, FAULT_MEMORY, "out of memory");
	return rc;
}

/* What a node callback left, or the code's own text. */
static int
node_fault(struct records *q, int rc, struct fault *f)
{
	const struct fault *inner = &stow_reader(q->stow)->fault;

	if (inner->code == rc)
		*f = *inner;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return fault_add(f, rc, "tree");
}

static int
copy(struct records *q, struct bytes from, struct bytes until,
    struct fault *f)
{
	int rc = cursor_seek(q->old, from);

	if (rc == 1)
		rc = cursor_copy(q->old, q->builder, until);
	return rc == 0 ? 0 : node_fault(q, rc, f);
}

/* What waits goes to the builder. */
static int
flush_same(struct records *q, struct fault *f)
{
	if (!q->same)
		return 0;
	q->same = false;
	return copy(q, buf_bytes(&q->same_from), buf_bytes(&q->same_until),
	    f);
}

/* Whether the old tree has this very entry.  1 or 0, or a FAULT_*; after 1 its
 * cursor is before that entry. */
static int
is_old(struct records *q, struct bytes key, struct bytes raw, struct fault *f)
{
	struct bytes was;
	int rc = cursor_seek(q->old, key);

	if (rc == 1 && bytes_cmp(cursor_key(q->old), key) != 0)
		return 0;
	if (rc == 1) {
		rc = cursor_entry(q->old, &was, NULL);
		rc = rc != 0 ? rc : bytes_cmp(was, raw) == 0;
	}
	return rc < 0 ? node_fault(q, rc, f) : rc;
}

/* Begins to let entries wait, with the one of key. */
static int
begin_same(struct records *q, struct bytes key, struct fault *f)
{
	int rc = flush_same(q, f);

	if (rc != 0)
		return rc;
	q->same_from.n = 0;
	rc = buf_append(&q->same_from, key.p, key.n);
	q->same = rc == 0;
	if (rc == 0)
		rc = cursor_seek(q->old, key); /* flush_same moved it */
	return rc < 0 || !q->same ? node_fault(q, rc, f) : 0;
}

/* Lets the entry before the old tree's cursor wait, whose key this is. */
static int
keep_old(struct records *q, struct bytes key, struct fault *f)
{
	int rc = 0;

	if (!q->same || bytes_cmp(buf_bytes(&q->same_until), key) != 0)
		rc = begin_same(q, key, f);
	if (rc != 0)
		return rc;
	q->same_until.n = 0;
	rc = cursor_next(q->old);
	if (rc == 1) {
		struct bytes next = cursor_key(q->old);

		rc = buf_append(&q->same_until, next.p, next.n);
	}
	return rc == 0 ? 0 : node_fault(q, rc, f);
}

/* Stores a long list as chunks, and the list of those, until it fits. */
static int
shorten_list(struct records *q, struct record *r, struct fault *f)
{
	struct bytes now;
	int rc = list_finish(&r->list, &now);

	r->entry.level = 0;
	while (rc == 0 && now.n > INLINE_MAX) {
		struct list_builder up = list_build(LIST_BYTES_MAX);

		for (size_t at = 0; at < now.n && rc == 0;) {
			struct bytes part = bytes_of(now.p + at,
			    now.n - at < CHUNK_MAX ? now.n - at : CHUNK_MAX);
			uint8_t id[1][CHUNK_ID_LEN];

			rc = stow_pieces(q->stow, SEAL_LIST, &part, 1, id, f);
			if (rc != 0) {
				list_builder_wipe(&up);
				return rc;
			}
			rc = list_add_data(&up, id[0], (uint32_t)part.n);
			at += part.n;
		}
		list_builder_wipe(&r->list);
		r->list = up;
		r->entry.level++;
		if (rc == 0)
			rc = list_finish(&r->list, &now);
	}
	r->entry.list = now;
	return rc == 0 ? 0 : fault_set(f, rc, "content list: %s",
	    fault_text(rc));
}

static int
place_attrs(struct records *q, struct record *r, struct fault *f)
{
	struct bytes all = buf_bytes(&r->attrs);
	uint8_t id[1][CHUNK_ID_LEN];
	int rc;

	if (all.n <= INLINE_MAX) {
		r->entry.attrs = all;
		return 0;
	}
	rc = stow_pieces(q->stow, SEAL_ATTRS, &all, 1, id, f);
	if (rc != 0)
		return rc;
	memcpy(r->entry.attrs_id, id[0], CHUNK_ID_LEN);
	r->entry.attrs_chunk_len = (uint32_t)all.n;
	return 0;
}

static int
add_raw(struct records *q, struct bytes key, struct bytes raw, uint64_t size,
    struct fault *f)
{
	int rc = is_old(q, key, raw, f);

	if (rc == 1)
		return keep_old(q, key, f);
	if (rc == 0)
		rc = flush_same(q, f);
	if (rc != 0)
		return rc;
	q->differs = true;
	rc = builder_add_checked(q->builder, key, raw, size);
	return rc == 0 ? 0 : node_fault(q, rc, f);
}

static int
add_entry(struct records *q, struct record *r, struct fault *f)
{
	struct buf raw defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	uint64_t size = 0;
	int rc = 0;

	if (r->entry.type == ENTRY_FILE) {
		r->entry.size = size = r->list.size;
		rc = shorten_list(q, r, f);
	}
	if (rc == 0)
		rc = place_attrs(q, r, f);
	if (rc != 0)
		return rc;
	r->entry.target = buf_bytes(&r->target);
	rc = entry_encode(&r->entry, &raw);
	if (rc != 0)
		return fault_set(f, rc, "encoding an entry: %s",
		    fault_text(rc));
	rc = add_raw(q, buf_bytes(&r->key), buf_bytes(&raw), size, f);
	if (rc != 0)
		return rc;
	if (r->note)
		statcache_note(q->stats, buf_bytes(&r->key), r->stat_fp,
		    statcache_entry(q->stats, buf_bytes(&raw)));
	return 0;
}

static int
emit(struct records *q, struct record *r, struct fault *f)
{
	int rc;

	if (r->discard)
		return 0;
	switch (r->kind) {
	case RECORD_RUN:
		rc = flush_same(q, f);
		return rc != 0 ? rc : copy(q, buf_bytes(&r->key),
		    buf_bytes(&r->until), f);
	case RECORD_NOTE:
		statcache_note(q->stats, buf_bytes(&r->key), r->stat_fp,
		    r->entry_fp);
		return 0;
	case RECORD_ENTRY:
		return add_entry(q, r, f);
	}
	return 0;
}

/* Back to the spare ones, with its buffers. */
static void
reuse(struct records *q, struct record *r)
{
	struct buf key = r->key, until = r->until, attrs = r->attrs,
	    target = r->target;
	struct list_builder list = r->list;

	memset(r, 0, sizeof(*r));
	r->key = key;
	r->until = until;
	r->attrs = attrs;
	r->target = target;
	r->key.n = r->until.n = r->attrs.n = r->target.n = 0;
	if (list.b.cap > 4096) {
		list_builder_wipe(&list);
		list = list_build(LIST_BYTES_MAX);
	}
	list.b.n = 0;
	list.size = list.hole = 0;
	r->list = list;
	r->next = q->spare;
	q->spare = r;
}

int
records_drain(struct records *q, struct fault *f)
{
	while (q->first != NULL && !q->first->waiting) {
		struct record *r = q->first;
		int rc = emit(q, r, f);

		if (rc != 0)
			return rc;
		q->first = r->next;
		if (q->first == NULL)
			q->last = NULL;
		q->n--;
		reuse(q, r);
	}
	return 0;
}

int
records_finish(struct records *q, struct builder_tree *out, struct fault *f)
{
	struct node_source nodes = reader_nodes(stow_reader(q->stow));
	int rc = flush_same(q, f);

	if (rc != 0)
		return rc;
	rc = builder_finish(q->builder, &nodes, out);
	return rc == 0 ? 0 : node_fault(q, rc, f);
}
