// SPDX-License-Identifier: Apache-2.0
#include "client/engine/mend.h"

#include <stdlib.h>

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
mend_commits(struct space *sp, struct stow *s, bool *mended, struct fault *f)
{
	struct line l defer(line_wipe) = { 0 };
	struct ref last;
	int rc = 0;

	if (sp->lost.n == 0 || !sp->has_head)
		return 0;
	rc = line_read(sp, stow_reader(s), &l, f);
	for (size_t i = l.lost; rc == 0 && i-- > 0;)
		rc = again(s, &l.ref[i], i + 1 == l.lost ? NULL : &last, &last,
		    f);
	if (rc != 0)
		return fault_add(f, rc, "storing lost commits again");
	if (l.lost != 0) {
		sp->head.commit = last;
		*mended = true;
	}
	return 0;
}
