// SPDX-License-Identifier: Apache-2.0
#include "client/auditbody.h"

#include "client/authority.h"
#include "net/policy.h"

static int
fetch_page(struct auditbody *b, uint64_t from, struct fault *f)
{
	answer_wipe_entries(&b->page);
	b->has = false;
	b->from = from;
	return authority_entries(b->ask, b->space, from, &b->page, f);
}

int
auditbody_of(struct auditbody *b, uint64_t index, struct bytes *out,
    struct fault *f)
{
	int rc = 0;

	*out = bytes_of(NULL, 0);
	if (!b->has || index < b->from)
		rc = fetch_page(b, index, f);
	while (rc == 0) {
		const struct answer_entries *e = &b->page;
		uint64_t next = e->next;

		b->has = true;
		for (size_t i = 0; i < e->n; i++)
			if (e->entry[i].index == index)
				*out = e->entry[i].body;
		if (out->p != NULL || !e->more || next > index)
			return 0;
		if (next <= b->from)
			return fault_set(f, FAULT_MALFORMED, "authority %s: "
			    "entries: goes back", b->peer->name);
		rc = fetch_page(b, next, f);
	}
	return rc;
}

void
auditbody_wipe(struct auditbody *b)
{
	authority_close(b->ask);
	answer_wipe_entries(&b->page);
}
