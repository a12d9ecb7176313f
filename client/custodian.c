// SPDX-License-Identifier: Apache-2.0
#include "client/custodian.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "client/evidence.h"
#include "client/file.h"
#include "client/state.h"

#define CUSTODY_FILE "custody"
#define FILE_MAX 4096

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static void
put_set(struct wr *w, bool has, const struct custody *c)
{
	wr_u16(w, has ? (uint16_t)c->len : 0);
	if (has)
		wr_copy(w, c->raw, c->len);
}

static bool
get_set(struct rd *r, struct custody *out)
{
	size_t n = rd_u16(r);
	struct bytes b = rd_take(r, n);

	if (n != 0)
		rd_require(r, !r->failed && custody_decode(b, out) == 0);
	return n != 0;
}

int
custodian_load(const struct state *st, struct custodian *out,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(FILE_MAX);
	struct custodian c = { 0 };
	struct rd r;
	int rc = file_load(st->fd, CUSTODY_FILE, FILE_CUSTODY, &b, f);

	if (rc == FAULT_NOT_FOUND) {
		*out = c;
		return 0;
	}
	if (rc != 0)
		return fault_add(f, rc, "%s", st->dir);
	r = rd_from(b.p, b.n);
	c.known = get_set(&r, &c.set);
	c.announced = get_set(&r, &c.next);
	c.first_shown = (int64_t)rd_u64(&r);
	rd_require(&r, c.known);
	if (rd_finish(&r) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: " CUSTODY_FILE
		    ": damaged", st->dir);
	*out = c;
	return 0;
}

static int
save(const struct state *st, const struct custodian *c, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(FILE_MAX);
	struct wr w = wr_to(&b);
	int rc;

	put_set(&w, c->known, &c->set);
	put_set(&w, c->announced, &c->next);
	wr_u64(&w, (uint64_t)c->first_shown);
	rc = wr_finish(&w);
	if (rc == 0)
		rc = file_save(st->fd, CUSTODY_FILE, FILE_CUSTODY,
		    buf_bytes(&b), f);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

int
custodian_pin(const struct state *st, const struct custody *set,
    struct custodian *c, struct fault *f)
{
	int lock defer(close_fd) = -1;
	int rc = state_lock(st, &lock, f);

	if (rc == 0)
		rc = custodian_load(st, c, f);
	if (rc != 0)
		return rc;
	if (c->known && custody_same(&c->set, set))
		return 0;
	if (custody_follows(c->known ? &c->set : NULL, set,
		st->binding.space) != 0)
		return fault_set(f, FAULT_CONFLICT,
		    "the custody was changed by another device meanwhile");
	*c = (struct custodian){ .known = true, .set = *set };
	return save(st, c, f);
}

/* One look at what was shown. */
struct look {
	const struct state *st;
	struct custody_who who;
	struct custodian *c;
	bool first; /* nothing was pinned before */
	bool sudden; /* an operator's set in force that was not shown in time */
	uint32_t chain_seen;
	int64_t now;
	const char *why; /* what is wrong */
};

static bool
wrong(struct look *l, const char *why)
{
	l->why = why;
	return false;
}

/* An operator's set counts only if it was shown in time, to this device. */
static bool
was_announced(const struct look *l, const struct custody *s)
{
	const struct custodian *c = l->c;

	if (s->effective > l->now)
		return false;
	if (l->first)
		return true; /* whoever is new has only the devices' word */
	return c->announced && custody_same(&c->next, s) &&
	    l->now - c->first_shown >= l->who.delay;
}

static bool
step(struct look *l, struct bytes raw, bool *live)
{
	struct custodian *c = l->c;
	struct custody s;

	if (custody_decode(raw, &s) != 0)
		return wrong(l, "a set that is none");
	/* Another command of this device may have pinned more meanwhile. */
	if (c->known && !c->moved && s.serial < c->set.serial)
		return true;
	if (c->known && !c->moved && s.serial == c->set.serial)
		return custody_same(&s, &c->set) ||
		    wrong(l, "another set under the serial of the pinned one");
	if (custody_follows(c->known ? &c->set : NULL, &s,
		l->st->binding.space) != 0)
		return wrong(l, "a set that does not follow the pinned one");
	if (custody_check(&s, &l->who, live) != 0)
		return wrong(l, "a set that neither a device nor a due "
		    "announcement stands behind");
	/* [custody] A device's set on top of it stands for it. */
	l->sudden = s.kind == CUSTODY_OPERATOR && !was_announced(l, &s);
	*c = (struct custodian){ .known = true, .set = s, .moved = true };
	return true;
}

static bool
next_set(struct rd *r, struct bytes *out)
{
	*out = rd_take(r, rd_u16(r));
	return !r->failed && out->n != 0;
}

/* [custody] Of a device that was revoked since: it can have signed in time only
 * if this device did not know of that yet.  Else it was dated back. */
static bool
was_live(const struct look *l)
{
	struct buf raw defer(buf_wipe) = buf_init(ANSWER_CHAIN_BYTES + 64);
	struct chain c defer(chain_wipe) = { 0 };
	struct fault scrap = { 0 };
	size_t n = (size_t)l->chain_seen * CHAIN_ENTRY_LEN;
	const struct chain_device *d;

	if (!l->c->moved)
		return true;
	if (state_chain_bytes(l->st, &raw, &scrap) != 0 || raw.n < n ||
	    chain_append_all(&c, bytes_of(raw.p, n)) != 0)
		return false;
	d = chain_find(&c, l->c->set.signer);
	return d == NULL || d->live;
}

/* From the pinned set to the current one, each signed by who may. */
static bool
walk(struct look *l, const struct answer_custody *shown)
{
	struct rd r = rd_from(shown->sets.p, shown->sets.n);
	struct custody current;
	struct bytes raw;
	bool live = true;

	while (r.left != 0) {
		if (!next_set(&r, &raw))
			return wrong(l, "a list that breaks off");
		if (!step(l, raw, &live))
			return false;
	}
	if (custody_decode(buf_bytes(&shown->current), &current) != 0)
		return wrong(l, "a set that is none");
	if (!l->c->known || !custody_same(&l->c->set, &current))
		return wrong(l, l->c->known &&
			current.serial < l->c->set.serial ?
		    "an older set than the pinned one" :
		    "a set without what leads to it");
	if (l->sudden)
		return wrong(l, "an operator's set that was not announced to "
		    "this device in time");
	return live || l->first || was_live(l) ||
	    wrong(l, "a set of a device that was revoked before");
}

/* [custody] Whoever holds: never where the data is, only where keys may be. */
static bool
placed(struct look *l)
{
	const struct policy_residency *r = policy_find_residency(l->st->policy,
	    l->st->binding.residency);
	const struct custody *s = &l->c->set;

	for (int i = 0; r != NULL && i < s->n; i++)
		if (!policy_keys_in(r, s->holder[i].jurisdiction))
			return wrong(l, "a holder where the residency allows "
			    "no keys");
	return r != NULL || wrong(l, "a residency that the policy has not");
}

static bool
announcement(struct look *l, const struct answer_custody *shown)
{
	struct custodian *c = l->c;
	struct custody s;
	bool live;

	if (shown->announced.n == 0)
		return !c->announced ||
		    wrong(l, "no announcement any more, where there was one");
	if (custody_decode(buf_bytes(&shown->announced), &s) != 0 ||
	    s.kind != CUSTODY_OPERATOR ||
	    custody_follows(&c->set, &s, l->st->binding.space) != 0 ||
	    custody_check(&s, &l->who, &live) != 0)
		return wrong(l, "an announcement that is none");
	if (c->announced && custody_same(&c->next, &s))
		return true;
	c->announced = true;
	c->next = s;
	c->first_shown = l->now;
	return true;
}

int
custodian_verify(const struct state *st, const struct answer_custody *shown,
    const char *authority, uint32_t chain_seen, struct custodian *out,
    struct fault *f)
{
	struct custodian before, c;
	struct look l = { .st = st, .c = &c, .now = (int64_t)time(NULL),
		.chain_seen = chain_seen,
		.who = { .chain = &st->chain, .policy = &st->policy->signer,
		    .delay = st->policy->custody_delay } };
	int lock defer(close_fd) = -1;
	int rc = state_lock(st, &lock, f);

	if (rc == 0)
		rc = custodian_load(st, &before, f);
	if (rc != 0)
		return rc;
	c = before;
	l.first = !before.known;
	if (!walk(&l, shown) || !placed(&l) || !announcement(&l, shown)) {
		(void)fault_set(f, FAULT_CUSTODY, "authority %s: shows %s",
		    authority, l.why);
		evidence_custody(st, authority, chain_seen, &before, shown,
		    f);
		return FAULT_CUSTODY;
	}
	if (c.moved || c.announced != before.announced ||
	    (c.announced && !custody_same(&c.next, &before.next)))
		rc = save(st, &c, f);
	c.moved = c.moved && !l.first; /* to pin at first is no move */
	if (rc == 0)
		*out = c;
	return rc;
}

void
custodian_keep_chain(const struct state *st, const char *authority,
    uint32_t seen, struct bytes entries, struct fault *f)
{
	evidence_chain(st, authority, seen, entries, f);
}

int
custodian_holder(const struct state *st, const struct custody *c, int i,
    const struct policy_authority **out, struct fault *f)
{
	const struct policy_authority *a = policy_find_signing(st->policy,
	    &c->holder[i].signing);

	if (a == NULL || strcmp(a->jurisdiction, c->holder[i].jurisdiction))
		return fault_set(f, FAULT_CONFIG,
		    "policy: it has no authority with the key of holder %d, "
		    "in %s", i + 1, c->holder[i].jurisdiction);
	*out = a;
	return 0;
}
