// SPDX-License-Identifier: Apache-2.0
#include "client/auditrequest.h"

#include <string.h>

#include "client/engine/idmap.h"
#include "crypt/hash.h"
#include "tlog/demand.h"
#include "tlog/leaf.h"

#define LATE_SECONDS 600 /* that clocks may differ */

/* The state of one request that came last. */
struct last {
	uint8_t state;
	char jurisdiction[3];
	uint64_t index;
};

struct check {
	struct auditrequest *a;
	struct idmap last; /* by id */
	size_t item;       /* the first that was not come to */
	uint64_t bundle;
	unsigned n; /* of what follows; 0: nothing is there */
	struct bytes entry[TILE_WIDTH];
};

static void
check_wipe(struct check *c)
{
	idmap_wipe(&c->last);
}

const char *
auditrequest_text(enum auditrequest_why why)
{
	switch (why) {
#define X(name, number, text)     \
	case AUDITREQUEST_##name: \
		return text;
		AUDITREQUEST_TABLE(X)
#undef X
	default:
		return "not known";
	}
}

static void
tell(struct check *c, const struct auditrequest_alarm *x)
{
	c->n = 0; /* who is told may read into the same place */
	c->a->alarm(c->a->arg, x);
}

/* Borrowed until the next page is read, or an alarm told. */
static int
entry_at(struct check *c, uint64_t index, struct bytes *out, struct fault *f)
{
	int rc = 0;

	if (c->n == 0 || c->bundle != index / TILE_WIDTH) {
		c->n = 0;
		c->bundle = index / TILE_WIDTH;
		rc = logread_entries(c->a->read, c->bundle, c->entry, &c->n,
		    f);
	}
	if (rc == 0)
		*out = c->entry[index % TILE_WIDTH];
	return rc;
}

/* *before: the state that came last; 0 for none. */
static int
follows(struct check *c, const struct demand *d, uint64_t index, bool *out,
    struct last *before)
{
	const struct bytes id = bytes_of(d->id, ID_LEN);
	uint8_t key[IDMAP_KEY_LEN];
	struct last *last;

	hash_sha256(&id, 1, key);
	last = idmap_add(&c->last, key);
	if (last == NULL)
		return FAULT_MEMORY;
	*before = *last;
	*out = demand_follows(last->state, d->state) && (last->state == 0 ||
	    strcmp(last->jurisdiction, d->jurisdiction) == 0);
	last->index = index;
	last->state = d->state;
	memcpy(last->jurisdiction, d->jurisdiction,
	    sizeof(last->jurisdiction));
	return 0;
}

/* [log] What is published of an entry is what it commits to, or the date that
 * it has. */
static void
judge(struct check *c, const struct answer_request *q, const struct leaf *l,
    const struct demand *d)
{
	struct auditrequest *a = c->a;
	struct auditrequest_alarm x = { .index = q->index, .shown = q };

	if (q->until == 0) {
		if (demand_text_check(q->body) == 0 &&
		    leaf_open(l, &q->key, q->body) == 0) {
			a->texts++;
			return;
		}
		x.why = AUDITREQUEST_FALSE;
	} else if (q->until != d->until) {
		x.why = AUDITREQUEST_DATE;
	} else if (a->now > (int64_t)d->until + LATE_SECONDS) {
		x.why = AUDITREQUEST_LATE;
	} else {
		return;
	}
	tell(c, &x);
}

/* Those of the log before an index that the list has not. */
static void
left_out(struct check *c, uint64_t before)
{
	const struct audititems *items = c->a->items;

	for (; c->item < items->n && items->item[c->item].index < before;
	     c->item++) {
		if (items->item[c->item].type != LEAF_REQUEST)
			continue;
		c->a->n++;
		tell(c, &(struct auditrequest_alarm){
			.why = AUDITREQUEST_LEFT_OUT,
			.index = items->item[c->item].index });
	}
	if (c->item < items->n && items->item[c->item].index == before)
		c->item++;
}

static int
listed(struct check *c, const struct answer_request *q, struct fault *f)
{
	struct auditrequest_alarm x = { .index = q->index, .shown = q };
	struct last before = { 0 };
	bool in_order = false;
	struct bytes entry;
	struct demand d;
	struct leaf l;
	int rc;

	left_out(c, q->index);
	rc = entry_at(c, q->index, &entry, f);
	if (rc != 0)
		return rc;
	if (leaf_decode(entry, &l) != 0 || l.type != LEAF_REQUEST) {
		x.why = AUDITREQUEST_OTHER;
		tell(c, &x);
		return 0;
	}
	c->a->n++;
	if (demand_read(l.open, &d) != 0) {
		x.why = AUDITREQUEST_FALSE;
		tell(c, &x);
		return 0;
	}
	rc = follows(c, &d, q->index, &in_order, &before);
	if (rc != 0)
		return fault_set(f, rc, "out of memory");
	judge(c, q, &l, &d);
	if (in_order)
		return 0;
	x.why = AUDITREQUEST_ORDER;
	x.has_before = before.state != 0;
	x.before = before.index;
	tell(c, &x);
	return 0;
}

/* What is beyond the tree is newer than it, and for the next time. */
static int
page(struct check *c, uint64_t *from, bool *more, struct fault *f)
{
	struct answer_requests list defer(answer_wipe_requests) = { 0 };
	int rc = logread_requests(c->a->read, *from, &list, f);

	c->n = 0; /* the page was read into the same place */
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		if (list.request[i].index >= c->a->size)
			list.more = false;
		else
			rc = listed(c, &list.request[i], f);
	}
	*more = list.more;
	*from = list.next;
	return rc;
}

int
auditrequest_check(struct auditrequest *a, struct fault *f)
{
	struct check c defer(check_wipe) = { .a = a,
		.last = idmap_init(sizeof(struct last)) };
	uint64_t from = 0;
	bool more = false;
	int rc = 0;

	for (size_t i = 0; i < a->items->n; i++)
		more |= a->items->item[i].type == LEAF_REQUEST;
	/* One of before requests were entered has no list, and needs none. */
	while (rc == 0 && more)
		rc = page(&c, &from, &more, f);
	if (rc == 0)
		left_out(&c, a->size);
	return rc;
}
