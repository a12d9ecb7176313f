// SPDX-License-Identifier: Apache-2.0
#include "client/engine/mend.h"

#include <stdlib.h>

#include "client/engine/anew.h"
#include "client/engine/fetch.h"
#include "client/engine/lost.h"
#include "crypt/secret.h"

/* Refs of commits, the head's first. */
struct line {
	struct ref *ref;
	size_t n, cap;
	size_t lost; /* as many as up to the oldest lost one */
};

static void
line_wipe(struct line *l)
{
	if (l->ref != NULL)
		secret_wipe(l->ref, l->cap * sizeof(*l->ref));
	free(l->ref);
}

static int
line_add(struct line *l, const struct ref *ref, bool lost)
{
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
		struct ref *p = reallocarray(l->ref, cap, sizeof(*p));

		if (p == NULL)
			return FAULT_MEMORY;
		l->ref = p;
		l->cap = cap;
	}
	l->ref[l->n++] = *ref;
	if (lost)
		l->lost = l->n;
	return 0;
}

/* All commits, as far back as they can be read. */
static int
line_read(struct space *sp, struct reader *r, struct line *l, struct fault *f)
{
	struct ref ref = sp->head.commit;
	bool more = true;

	while (more) {
		struct commit c defer(commit_wipe) = { 0 };
		int rc = reader_commit(r, &ref, &c, f);

		if (rc != 0 && fetch_is_local(rc)) {
			*f = (struct fault){ 0 };
			return 0;
		}
		if (rc == 0 && line_add(l, &ref, lost_has(
		    buf_bytes(&sp->lost), &ref.place)) != 0)
			rc = fault_set(f, FAULT_MEMORY, "out of memory");
		if (rc != 0)
			return rc;
		more = c.has_parent;
		ref = c.parent;
	}
	return 0;
}

/* Seals the commit of *ref anew, with another parent unless that is NULL. */
static int
again(struct stow *s, const struct ref *ref, const struct ref *parent,
    struct ref *out, struct fault *f)
{
	struct commit c defer(commit_wipe) = { 0 };
	struct buf plain defer(buf_wipe) = buf_init(COMMIT_MAX);
	int rc = reader_commit(stow_reader(s), ref, &c, f);

	if (rc != 0)
		return rc;
	if (parent != NULL)
		c.parent = *parent;
	rc = commit_encode(&c, &plain);
	if (rc != 0)
		return fault_set(f, rc, "commit: %s", fault_text(rc));
	return stow_ref(s, SEAL_COMMIT, buf_bytes(&plain), out, f);
}

int
mend_commits(struct mend *m, struct fault *f)
{
	struct line l defer(line_wipe) = { 0 };
	struct ref last;
	int rc = line_read(m->space, stow_reader(m->stow), &l, f);

	for (size_t i = l.lost; rc == 0 && i-- > 0;)
		rc = again(m->stow, &l.ref[i], i + 1 == l.lost ? NULL : &last,
		    &last, f);
	if (rc != 0)
		return fault_add(f, rc, "storing lost commits again");
	if (l.lost != 0) {
		m->space->head.commit = last;
		m->mended = true;
	}
	return 0;
}

/* 1 where block b of s can be read, 0, or what ends it. */
static int
readable(struct reader *r, const struct segment *s, uint32_t b,
    struct fault *f)
{
	struct place p = segment_block_place(s, b);
	struct index_where w = segment_block_where(s, b);
	struct bytes sealed;
	int rc = 0;

	for (int i = 0; i < 2; i++) {
		rc = reader_block(r, &p, i != 0, &sealed);
		if (rc == 0)
			rc = index_block_open(seal_bulk(r->seal), &s->key, &w,
			    sealed, r->plain);
		if (rc == 0)
			return 1;
	}
	if (fetch_is_local(rc))
		return 0;
	*f = r->fault;
	return fault_add(f, rc, "index");
}

/* 1 where it has lost blocks and all can be read, 0 where it has none, -1 where
 * one cannot be; or what ends it. */
static int
segment_state(struct space *sp, struct reader *r, const struct segment *s,
    int *state, struct fault *f)
{
	*state = 0;
	for (uint32_t b = 0; b < s->blocks; b++) {
		struct place p = segment_block_place(s, b);
		int rc;

		if (!lost_has(buf_bytes(&sp->lost), &p))
			continue;
		rc = readable(r, s, b, f);
		if (rc < 0)
			return rc;
		*state = rc == 1 ? 1 : -1;
		if (*state < 0)
			return 0;
	}
	return 0;
}

int
mend_index(struct space *sp, struct stow *s, const struct commit *c,
    struct mend_index *out, struct fault *f)
{
	*out = (struct mend_index){ .most = c->segments };
	if (sp->lost.n == 0)
		return 0;
	for (size_t i = 0; i < c->segments; i++) {
		int state, rc = segment_state(sp, stow_reader(s),
		    &c->segment[i], &state, f);

		if (rc != 0)
			return rc;
		if (state < 0) {
			out->most = i;
			break;
		}
		if (state > 0)
			out->least = i + 1;
	}
	return 0;
}

int
mend_all(struct mend *m, struct fault *f)
{
	struct mend_index index;
	int rc;

	if (!m->space->has_head || (m->space->lost.n == 0 && !m->repair))
		return 0;
	rc = mend_commits(m, f);
	if (rc == 0 && m->space->anew) {
		rc = anew_seal(m->space, m->stow, m->warn, m->arg, f);
		m->mended = true;
	}
	if (rc == 0)
		rc = mend_tree(m, f);
	if (rc == 0)
		rc = mend_index(m->space, m->stow, &m->space->commit, &index,
		    f);
	m->mended |= rc == 0 && index.least != 0;
	return rc;
}
