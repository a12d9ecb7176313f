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

int
history_commit(struct reader *r, uint64_t number, struct commit *out,
    struct fault *f)
{
	struct space *sp = r->space;
	struct commit c defer(commit_wipe) = { 0 };
	int rc;

	if (!sp->has_head || number > sp->head.number)
		return fault_set(f, FAULT_NOT_FOUND, "there is no commit %llu",
		    (unsigned long long)number);
	rc = reader_commit(r, &sp->head.commit, &c, f);
	while (rc == 0 && number != 0 && c.number != number) {
		struct commit up = { 0 };

		if (c.number < number || !c.has_parent)
			return fault_set(f, FAULT_NOT_FOUND,
			    "there is no commit %llu",
			    (unsigned long long)number);
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
