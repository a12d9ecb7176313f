// SPDX-License-Identifier: Apache-2.0
#include "client/engine/history.h"

#include <string.h>

#include "client/engine/fetch.h"

int
history_parent(struct reader *r, const struct commit *c, struct commit *out,
    struct fault *f)
{
	unsigned long long number = c->number;
	int rc = reader_commit(r, &c->parent, out, f);

	/* [tree] Commit: so whoever follows parents comes to an end. */
	if (rc == 0 && out->number != number - 1) {
		commit_wipe(out);
		return fault_set(f, FAULT_MALFORMED, "commit %llu has a "
		    "parent that is not %llu", number, number - 1);
	}
	if (rc == 0 || !fetch_is_lost(rc))
		return rc;
	if (number <= 2)
		return fault_add(f, rc, "commit %llu is lost; those from %llu "
		    "on can be read", number - 1, number);
	return fault_add(f, rc, "commit %llu is lost, and with it the way to "
	    "those before; those from %llu on can be read", number - 1,
	    number);
}

/* Whether c is what is asked for: a number, or whatever is before a time. */
struct wanted {
	uint64_t number; /* 0: by time */
	int64_t before;
};

static bool
is_wanted(const struct wanted *w, const struct commit *c)
{
	return w->number != 0 ? c->number == w->number :
	    c->time_sec < w->before;
}

/* Goes back from the head; FAULT_NOT_FOUND without a text. */
static int
go_back(struct reader *r, const struct wanted *w, struct commit *out,
    struct fault *f)
{
	struct commit c defer(commit_wipe) = { 0 };
	int rc = reader_commit(r, &r->space->head.commit, &c, f);

	while (rc == 0 && !is_wanted(w, &c)) {
		struct commit up = { 0 };

		if (c.number < w->number || !c.has_parent)
			return FAULT_NOT_FOUND;
		rc = history_parent(r, &c, &up, f);
		commit_wipe(&c);
		c = up;
	}
	if (rc != 0)
		return rc;
	*out = c;
	memset(&c, 0, sizeof(c));
	return 0;
}

int
history_commit(struct reader *r, uint64_t number, struct commit *out,
    struct fault *f)
{
	const struct wanted w = { .number = number };
	int rc = FAULT_NOT_FOUND;

	if (r->space->has_head && number <= r->space->head.number)
		rc = go_back(r, &w, out, f);
	return rc != FAULT_NOT_FOUND ? rc : fault_set(f, rc,
	    "there is no commit %llu", (unsigned long long)number);
}

int
history_before(struct reader *r, int64_t time, struct commit *out,
    struct fault *f)
{
	const struct wanted w = { .before = time };
	int rc = FAULT_NOT_FOUND;

	if (r->space->has_head)
		rc = go_back(r, &w, out, f);
	return rc != FAULT_NOT_FOUND ? rc : fault_set(f, rc,
	    "no commit is that old");
}
