// SPDX-License-Identifier: Apache-2.0
#include "client/leaving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "client/authority.h"
#include "client/custodian.h"
#include "client/file.h"
#include "client/gather.h"
#include "client/state.h"
#include "net/text.h"

#define LEAVING_FILE "leaving"
#define ONE_MAX (2 * (2 + CUSTODY_MAX) + 3 + 4 * LEAVING_EPOCHS_MAX)
#define BODY_MAX (1 + LEAVING_MAX * ONE_MAX)

void
leaving_wipe(struct leavings *l)
{
	free(l->one);
	*l = (struct leavings){ 0 };
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static void
get_set(struct rd *r, struct custody *out)
{
	struct bytes b = rd_take(r, rd_u16(r));

	rd_require(r, !r->failed && custody_decode(b, out) == 0);
}

static void
put_set(struct wr *w, const struct custody *c)
{
	wr_u16(w, (uint16_t)c->len);
	wr_copy(w, c->raw, c->len);
}

static void
get_one(struct rd *r, struct leaving *x)
{
	uint8_t sure;

	get_set(r, &x->old);
	get_set(r, &x->set);
	x->index = rd_u8(r);
	sure = rd_u8(r);
	x->n = rd_u8(r);
	rd_require(r, !r->failed && x->index < x->old.n && sure <= 1 &&
		x->n >= 1 && x->n <= LEAVING_EPOCHS_MAX &&
		custody_follows(&x->old, &x->set, x->old.space) == 0);
	for (size_t i = 0; !r->failed && i < x->n; i++)
		x->epoch[i] = rd_u32(r);
	x->sure = sure == 1;
}

int
leaving_parse(struct bytes body, struct leavings *out)
{
	struct rd r = rd_from(body.p, body.n);
	struct leavings l = { .n = rd_u8(&r),
		.one = calloc(LEAVING_MAX, sizeof(*l.one)) };
	int rc;

	if (l.one == NULL)
		return FAULT_MEMORY;
	rd_require(&r, l.n <= LEAVING_MAX);
	for (size_t i = 0; !r.failed && i < l.n; i++)
		get_one(&r, &l.one[i]);
	rc = rd_finish(&r);
	if (rc != 0)
		leaving_wipe(&l);
	else
		*out = l;
	return rc;
}

int
leaving_format(const struct leavings *l, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_u8(&w, (uint8_t)l->n);
	for (size_t i = 0; i < l->n; i++) {
		const struct leaving *x = &l->one[i];

		put_set(&w, &x->old);
		put_set(&w, &x->set);
		wr_u8(&w, x->index);
		wr_u8(&w, x->sure);
		wr_u8(&w, x->n);
		for (size_t k = 0; k < x->n; k++)
			wr_u32(&w, x->epoch[k]);
	}
	return wr_finish(&w);
}

static int
load(const struct state *st, struct leavings *out, struct fault *f)
{
	static const uint8_t none;
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int rc = file_load(st->fd, LEAVING_FILE, FILE_LEAVING, &b, f);

	if (rc == FAULT_NOT_FOUND)
		rc = leaving_parse(bytes_of(&none, 1), out);
	else if (rc == 0)
		rc = leaving_parse(buf_bytes(&b), out);
	if (rc == FAULT_MALFORMED)
		return fault_set(f, FAULT_CONFIG, "%s: " LEAVING_FILE
		    ": damaged", st->dir);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

static int
save(const struct state *st, const struct leavings *l, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int rc;

	if (l->n == 0)
		return file_remove(st->fd, LEAVING_FILE, f);
	rc = leaving_format(l, &b);
	if (rc == 0)
		rc = file_save(st->fd, LEAVING_FILE, FILE_LEAVING,
		    buf_bytes(&b), f);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

static bool
is_one(const struct leaving *a, const struct leaving *b)
{
	return a->index == b->index && custody_same(&a->set, &b->set);
}

static void
drop(struct leavings *l, size_t i)
{
	memmove(&l->one[i], &l->one[i + 1], (l->n - i - 1) * sizeof(*l->one));
	l->n--;
}

int
leaving_note(const struct session *ses, const struct custody *old,
    const struct custody *set, struct fault *f)
{
	struct leavings l defer(leaving_wipe) = { 0 };
	int lock defer(close_fd) = -1;
	int rc = state_lock(ses->state, &lock, f);

	if (rc == 0)
		rc = load(ses->state, &l, f);
	/* One that never came into force is overtaken by this one. */
	for (size_t i = l.n; rc == 0 && i-- > 0;)
		if (!l.one[i].sure && l.one[i].set.serial >= set->serial)
			drop(&l, i);
	for (uint8_t i = 0; rc == 0 && i < old->n; i++) {
		struct leaving *x;

		if (l.n == LEAVING_MAX)
			return fault_set(f, FAULT_LIMIT, "nothing was "
			    "changed: there is room for %d holders that were "
			    "left and have not shown yet that they destroyed "
			    "their keyslots: skerry custody asks them again, "
			    "skerry custody forget gives up on one",
			    LEAVING_MAX);
		x = &l.one[l.n++];
		*x = (struct leaving){ .old = *old, .set = *set, .index = i };
		for (size_t e = 0; e < ses->nepochs && e <
		    LEAVING_EPOCHS_MAX; e++)
			x->epoch[x->n++] = ses->epochs[e].epoch;
	}
	return rc != 0 ? rc : save(ses->state, &l, f);
}

/* Replaces what is noted of x, or drops it where no epoch is left. */
static int
update(const struct state *st, const struct leaving *x, struct fault *f)
{
	struct leavings l defer(leaving_wipe) = { 0 };
	int lock defer(close_fd) = -1;
	int rc = state_lock(st, &lock, f);

	if (rc == 0)
		rc = load(st, &l, f);
	for (size_t i = l.n; rc == 0 && i-- > 0;) {
		if (!is_one(&l.one[i], x))
			continue;
		if (x->n == 0)
			drop(&l, i);
		else
			l.one[i] = *x;
	}
	return rc != 0 ? rc : save(st, &l, f);
}

struct settling {
	struct session *ses;
	struct leaving_report *out;
	const struct policy_authority *peer; /* of the one at hand */
	struct authority *own;               /* it, unless it is the home */
};

static void
settling_wipe(struct settling *s)
{
	authority_close(s->own);
	s->own = NULL;
}

static int
reach(struct settling *s, const struct leaving *x, struct authority **out,
    struct fault *f)
{
	struct authority_config config = { .key = s->ses->sign,
		.state = s->ses->state, .wire = &s->ses->offshore,
		.stop = s->ses->stop };
	int rc = custodian_holder(s->ses->state, &x->old, x->index, &s->peer,
	    f);

	if (rc == 0 && x->index == 0)
		return session_home(s->ses, out, f);
	config.peer = s->peer;
	memcpy(config.signer, s->ses->device, ID_LEN);
	if (rc == 0)
		rc = authority_open(&config, &s->own, f);
	if (rc == 0)
		*out = s->own;
	return rc;
}

/* A holder that was away while this device joined does not know it yet. */
static int
ask(struct settling *s, const struct leaving *x, struct answer_receipts *got,
    struct fault *f)
{
	struct authority *a;
	int rc = reach(s, x, &a, f);

	if (rc != 0)
		return rc;
	rc = authority_custody(a, &x->set, NULL, 0, got, f);
	if (rc != FAULT_DENIED || x->index == 0)
		return rc;
	*f = (struct fault){ 0 };
	rc = gather_push(s->ses->state, &x->old, a,
	    session_capability(s->ses), f);
	return rc != 0 ? rc : authority_custody(a, &x->set, NULL, 0, got, f);
}

static int
keep(struct settling *s, struct leaving *x, const struct receipt *r,
    const uint8_t raw[static RECEIPT_LEN], struct fault *f)
{
	struct leaving_receipt o = { .receipt = *r };
	char name[160];
	size_t i = 0;
	int rc;

	while (i < x->n && x->epoch[i] != r->epoch)
		i++;
	if (i == x->n)
		return 0; /* of a try before, or had already */
	(void)snprintf(name, sizeof(name), "receipt-%u-%s-left-%u", r->epoch,
	    s->peer->name, x->set.serial);
	rc = file_write(s->ses->state->fd, name, bytes_of(raw, RECEIPT_LEN),
	    f);
	if (rc != 0)
		return rc;
	(void)snprintf(o.holder, sizeof(o.holder), "%s", s->peer->name);
	if (s->out->nreceipts < ARRAY_LEN(s->out->receipt))
		s->out->receipt[s->out->nreceipts++] = o;
	else
		s->out->more++;
	x->epoch[i] = x->epoch[--x->n];
	return 0;
}

/* [custody] All of them hold, or none is taken. */
static int
take_receipts(struct settling *s, struct leaving *x,
    const struct answer_receipts *got, struct fault *f)
{
	struct receipt r;
	int rc = 0;

	for (size_t i = 0; i < got->n; i++)
		if (receipt_check(bytes_of(got->raw[i], RECEIPT_LEN),
		        &s->peer->signing, &r) != 0 ||
		    r.what != RECEIPT_CUSTODY ||
		    memcmp(r.space, x->set.space, ID_LEN) != 0)
			return fault_set(f, FAULT_TRUST,
			    "its receipt does not hold");
	for (size_t i = 0; rc == 0 && i < got->n; i++) {
		rc = receipt_check(bytes_of(got->raw[i], RECEIPT_LEN),
		    &s->peer->signing, &r);
		if (rc == 0)
			rc = keep(s, x, &r, got->raw[i], f);
	}
	if (rc == 0 && x->n != 0)
		return fault_set(f, FAULT_PARTIAL, "it gave no receipt");
	return rc;
}

static void
name_holder(const struct state *st, const struct leaving *x,
    char out[static 65])
{
	const struct policy_authority *a;
	struct fault scrap = { 0 };

	if (custodian_holder(st, &x->old, x->index, &a, &scrap) == 0)
		(void)snprintf(out, 65, "%s", a->name);
	else
		text_b64(x->old.holder[x->index].signing.b, 32, out, 65);
}

/* [custody] Whether the set of x was ever in force, as far as this device can
 * know. */
static int
was_in_force(const struct state *st, struct leaving *x, struct fault *f)
{
	struct custodian c;
	uint8_t hash[HASH_LEN];
	int rc = custodian_load(st, &c, f);

	if (rc != 0 || x->sure)
		return rc;
	custody_hash(&x->set, hash);
	if (custody_same(&c.set, &x->set) ||
	    (c.set.serial == x->set.serial + 1 &&
		memcmp(c.set.prev, hash, sizeof(hash)) == 0)) {
		x->sure = true;
		return update(st, x, f);
	}
	if (c.set.serial < x->set.serial)
		return FAULT_NOT_FOUND; /* nor is it now */
	x->n = 0; /* another took its place */
	rc = update(st, x, f);
	return rc != 0 ? rc : FAULT_NOT_FOUND;
}

static void
doubt(struct leaving_report *out, const struct state *st,
    const struct leaving *x, const struct fault *f)
{
	struct leaving_doubt *d = &out->doubt[out->ndoubts++];

	*d = (struct leaving_doubt){ .n = x->n };
	memcpy(d->epoch, x->epoch, sizeof(d->epoch));
	memcpy(d->jurisdiction, x->old.holder[x->index].jurisdiction,
	    sizeof(d->jurisdiction));
	name_holder(st, x, d->holder);
	(void)snprintf(d->why, sizeof(d->why), "%s", f->text);
}

/* FAULT_PARTIAL, FAULT_TRUST and FAULT_LOG are what it stands at; others end
 * the command. */
static int
settle_one(struct settling *s, struct leaving *x, struct fault *f)
{
	struct answer_receipts *got = calloc(1, sizeof(*got));
	struct fault why = { 0 };
	uint8_t before = x->n;
	int rc = got == NULL ? fault_set(&why, FAULT_MEMORY, "out of memory") :
			       ask(s, x, got, &why);

	if (rc == 0)
		rc = take_receipts(s, x, got, &why);
	free(got);
	if (rc == FAULT_MEMORY || rc == FAULT_IO || rc == FAULT_SPACE ||
	    rc == FAULT_INTERRUPTED) {
		*f = why;
		return rc;
	}
	if (rc != 0)
		doubt(s->out, s->ses->state, x, &why);
	/* A later custody ended what it held; who made that was told. */
	if (rc == FAULT_CONFLICT)
		x->n = 0;
	if (x->n != before && update(s->ses->state, x, f) != 0)
		return f->code;
	return rc == 0 || rc == FAULT_TRUST || rc == FAULT_LOG ? rc :
								 FAULT_PARTIAL;
}

/* What is said of all of them. */
static int
sum_up(const struct leaving_report *r, int worst, struct fault *f)
{
	const struct leaving_doubt *d = &r->doubt[0];

	if (worst == 0)
		return 0;
	return fault_set(f, worst, "nothing shows that %s, in %s%s, destroyed "
	    "what it held (%.200s): skerry custody asks again", d->holder,
	    d->jurisdiction, r->ndoubts > 1 ? ", and others" : "", d->why);
}

static int
worse(int a, int b)
{
	return a == FAULT_LOG || b == FAULT_LOG	    ? FAULT_LOG :
	    a == FAULT_TRUST || b == FAULT_TRUST ? FAULT_TRUST :
						     FAULT_PARTIAL;
}

int
leaving_settle(struct session *ses, struct leaving_report *out,
    struct fault *f)
{
	struct leavings l defer(leaving_wipe) = { 0 };
	int worst = 0, rc = load(ses->state, &l, f);

	out->ndoubts = 0;
	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		struct settling s defer(settling_wipe) = { .ses = ses,
			.out = out };

		rc = was_in_force(ses->state, &l.one[i], f);
		if (rc == 0)
			rc = settle_one(&s, &l.one[i], f);
		if (rc == FAULT_PARTIAL || rc == FAULT_TRUST ||
		    rc == FAULT_LOG) {
			worst = worse(worst, rc);
			rc = 0;
		}
		if (rc == FAULT_NOT_FOUND)
			rc = 0;
	}
	return rc != 0 ? rc : sum_up(out, worst, f);
}

static bool
is_live(const struct session *ses, uint32_t epoch)
{
	size_t i = 0;

	while (i < ses->nepochs && ses->epochs[i].epoch != epoch)
		i++;
	return i < ses->nepochs;
}

/* [custody] What it may have kept must open nothing that comes after. */
static int
may_forget(const struct session *ses, const struct leaving *x,
    const char *holder, struct fault *f)
{
	for (size_t i = 0; i < x->n; i++)
		if (is_live(ses, x->epoch[i]))
			return fault_set(f, FAULT_DENIED, "%.64s may have "
			    "kept what it held of epoch %u, which is in use: "
			    "skerry rotate ends that first", holder,
			    (unsigned)x->epoch[i]);
	return 0;
}

int
leaving_forget(struct session *ses, const char *holder,
    struct leaving_report *out, struct fault *f)
{
	static const struct fault given_up = { .text = "given up" };
	struct leavings l defer(leaving_wipe) = { 0 };
	int lock defer(close_fd) = -1;
	int rc = state_lock(ses->state, &lock, f);

	if (rc == 0)
		rc = load(ses->state, &l, f);
	out->ndoubts = 0;
	for (size_t i = l.n; rc == 0 && i-- > 0;) {
		char name[65];

		name_holder(ses->state, &l.one[i], name);
		if (!l.one[i].sure || strcmp(name, holder) != 0)
			continue;
		rc = may_forget(ses, &l.one[i], holder, f);
		if (rc == 0) {
			doubt(out, ses->state, &l.one[i], &given_up);
			drop(&l, i);
		}
	}
	if (rc == 0 && out->ndoubts == 0)
		rc = fault_set(f, FAULT_NOT_FOUND, "nothing is unproved of "
		    "%.64s", holder);
	return rc != 0 ? rc : save(ses->state, &l, f);
}
