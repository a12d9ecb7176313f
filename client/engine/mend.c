// SPDX-License-Identifier: Apache-2.0
#include "client/engine/mend.h"

#include <stdio.h>
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

/* How many of its lost blocks can be read, and how many cannot. */
static int
count_blocks(struct space *sp, struct reader *r, const struct segment *s,
    size_t *good, size_t *bad, struct fault *f)
{
	*good = *bad = 0;
	for (uint32_t b = 0; b < s->blocks; b++) {
		struct place p = segment_block_place(s, b);
		int rc;

		if (!lost_has(buf_bytes(&sp->lost), &p))
			continue;
		rc = readable(r, s, b, f);
		if (rc < 0)
			return rc;
		*good += rc == 1;
		*bad += rc == 0;
	}
	return 0;
}

int
mend_index(struct space *sp, struct stow *s, const struct commit *c,
    bool repair, struct mend_index *out, struct fault *f)
{
	*out = (struct mend_index){ .most = c->segments };
	if (sp->lost.n == 0)
		return 0;
	for (size_t i = 0; i < c->segments; i++) {
		size_t good, bad;
		int rc = count_blocks(sp, stow_reader(s), &c->segment[i],
		    &good, &bad, f);

		if (rc != 0)
			return rc;
		if (bad != 0 && !repair) {
			out->most = i;
			break;
		}
		out->given_up += bad;
		if (good + bad != 0)
			out->least = i + 1;
	}
	return 0;
}

bool
mend_pass(void *reader, const struct segment *s, uint32_t block, int why)
{
	const struct reader *r = reader;
	struct place p = segment_block_place(s, block);

	return fetch_is_lost(why) &&
	    lost_has(buf_bytes(&r->space->lost), &p);
}

static void
say_given_up(const struct mend *m, size_t blocks)
{
	char text[192];

	(void)snprintf(text, sizeof(text), "blocks of the index that are lost "
	    "are given up (%zu): check names what else needs them, and a put "
	    "of that stores it again", blocks);
	if (blocks != 0 && m->warn != NULL)
		m->warn(m->arg, bytes_of(NULL, 0), text);
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
		rc = mend_index(m->space, m->stow, &m->space->commit,
		    m->repair, &index, f);
	if (rc != 0)
		return rc;
	m->mended |= index.least != 0;
	say_given_up(m, index.given_up);
	return 0;
}
