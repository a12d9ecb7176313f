// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/holders.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/wr.h"
#include "client/custodian.h"
#include "client/gather.h"
#include "object/head.h"

#define HEAD_EPOCH 3

struct authority {
	struct holder *h;
};

static struct holders *all; /* of the test that runs */

static const char *const names[HOLDERS] = { "a", "b", "c" };
static const char *const places[HOLDERS] = { "aa", "bb", "cc" };

static void
note(const struct authority *a, const char *what)
{
	size_t n = strlen(all->log);

	(void)snprintf(all->log + n, sizeof(all->log) - n, "%s%s%s",
	    n == 0 ? "" : " ", names[a->h - all->h], what);
}

/* A holder that answers with the same fault to everything. */
static int
away(const struct authority *a, struct fault *f)
{
	return a->h->rc == 0 ? 0 : fault_set(f, a->h->rc, "authority %s: away",
	    names[a->h - all->h]);
}

int
authority_open(const struct authority_config *config, struct authority **out,
    struct fault *f)
{
	struct authority *a = calloc(1, sizeof(*a));

	(void)f;
	assert_non_null(a);
	assert_memory_equal(config->signer, all->ses.device, ID_LEN);
	a->h = &all->h[config->peer - all->peer];
	*out = a;
	return 0;
}

void
authority_close(struct authority *a)
{
	free(a);
}

void
authority_closep(struct authority **a)
{
	free(*a);
}

static void
keep_slots(struct holder *h, const struct authority_slot *slot, size_t n)
{
	assert_in_range(n, 0, HOLDERS_SLOTS);
	if (n != 0)
		memcpy(h->slot, slot, n * sizeof(*slot));
	h->n = n;
}

int
authority_epoch(struct authority *a, const struct authority_epoch_parts *p,
    uint32_t *latest, struct fault *f)
{
	struct holder *h = a->h;
	char what[16];
	int rc;

	(void)snprintf(what, sizeof(what), "+%u", p->epoch);
	note(a, what);
	assert_int_equal(p->custody, all->set.serial);
	rc = away(a, f);
	if (rc != 0)
		return rc;
	if (h->untold)
		return fault_set(f, FAULT_CONFLICT, "no custody is known");
	if (h->stubborn)
		h->latest = p->epoch;
	if (p->epoch <= h->latest) {
		*latest = h->latest;
		return fault_set(f, FAULT_CONFLICT, "epoch %u is there",
		    h->latest);
	}
	h->latest = p->epoch;
	h->recovery = p->recovery != NULL;
	h->named = p->recovery_for != NULL;
	if (h->named)
		memcpy(h->recovery_for, p->recovery_for, ID_LEN);
	keep_slots(h, p->slot, p->n);
	return 0;
}

int
authority_keyslots(struct authority *a, const uint8_t space[static ID_LEN],
    const struct authority_slot *slot, size_t n, struct fault *f)
{
	assert_memory_equal(space, all->ses.space, ID_LEN);
	note(a, "k");
	keep_slots(a->h, slot, n);
	return away(a, f);
}

static void
make_receipt(const struct holder *h, enum receipt_what what, uint32_t epoch,
    enum holder_lie lie, uint8_t out[static RECEIPT_LEN])
{
	static const struct sign_key other = { { 9 } };
	struct buf b defer(buf_wipe) = buf_init(256);
	struct receipt r = { .what = what, .epoch = epoch, .time = 1 };

	memcpy(r.space, all->ses.space, ID_LEN);
	if (lie == HOLDER_OTHER_KIND)
		r.what = RECEIPT_EPOCH + RECEIPT_CUSTODY - what;
	if (lie == HOLDER_OTHER_EPOCH)
		r.epoch++;
	if (lie == HOLDER_OTHER_SPACE)
		r.space[0] ^= 1;
	assert_int_equal(receipt_signed(&r, &b), 0);
	memcpy(out, b.p + sizeof(RECEIPT_LABEL), RECEIPT_SIGNED_LEN);
	sign_make(lie == HOLDER_OTHER_KEY ? &other : &h->key, buf_bytes(&b),
	    out + RECEIPT_SIGNED_LEN);
	if (lie == HOLDER_FLIPPED)
		out[RECEIPT_SIGNED_LEN - 1] ^= 1;
}

int
authority_epoch_destroy(struct authority *a,
    const uint8_t space[static ID_LEN], uint32_t epoch,
    uint8_t receipt[static RECEIPT_LEN], struct fault *f)
{
	char what[16];
	int rc;

	(void)snprintf(what, sizeof(what), "-%u", epoch);
	note(a, what);
	assert_memory_equal(space, all->ses.space, ID_LEN);
	rc = away(a, f);
	if (rc == 0 && epoch == a->h->gone)
		rc = fault_set(f, FAULT_NOT_FOUND, "no such epoch");
	if (rc == 0 && epoch == a->h->refuse)
		rc = fault_set(f, FAULT_CONFLICT, "the head is in it");
	if (rc == 0)
		make_receipt(a->h, RECEIPT_EPOCH, epoch, a->h->lie, receipt);
	return rc;
}

int
authority_custody(struct authority *a, const struct custody *set,
    const struct authority_slot *slot, size_t n, struct answer_receipts *out,
    struct fault *f)
{
	int rc;

	(void)slot;
	assert_int_equal(n, 0);
	assert_in_range(set->serial, all->set.serial, all->set.serial + 1);
	note(a, "c");
	rc = away(a, f);
	if (rc == 0)
		a->h->untold = false;
	if (rc == 0 && a->h->stranger)
		rc = fault_set(f, FAULT_DENIED, "who is this?");
	if (rc != 0 || a->h->silent)
		return rc;
	for (size_t i = 0; i < all->ses.nepochs; i++)
		make_receipt(a->h, RECEIPT_CUSTODY, all->epoch[i].epoch,
		    i + 1 < all->ses.nepochs ? HOLDER_HONEST : a->h->lie,
		    out->raw[out->n++]);
	return 0;
}

int
gather_push(const struct state *st, const struct custody *set,
    struct authority *to, const char *capability, struct fault *f)
{
	(void)st;
	(void)set;
	(void)f;
	assert_string_equal(capability, "capability");
	note(to, "p");
	to->h->stranger = false;
	return 0;
}

int
session_home(struct session *s, struct authority **out, struct fault *f)
{
	static struct authority home;

	(void)s;
	(void)f;
	home.h = &all->h[0];
	*out = &home;
	return 0;
}

const char *
session_capability(const struct session *s)
{
	(void)s;
	return "capability";
}

int
session_add_epoch(struct session *s, uint32_t epoch,
    const struct space_key *key, struct fault *f)
{
	(void)f;
	assert_in_range(s->nepochs, 0, ARRAY_LEN(all->epoch) - 1);
	all->key[s->nepochs] = *key;
	all->epoch[s->nepochs] = (struct session_epoch){ .epoch = epoch,
		.key = &all->key[s->nepochs] };
	s->nepochs++;
	all->added = epoch;
	return 0;
}

static void
make_policy(struct holders *x)
{
	for (size_t i = 0; i < HOLDERS; i++) {
		struct holder *h = &x->h[i];

		sign_new(&h->key, &h->signing);
		sign_box_new(&h->box, &h->intake);
		x->peer[i] = (struct policy_authority){
			.name = (char *)(uintptr_t)names[i],
			.jurisdiction = (char *)(uintptr_t)places[i],
			.signing = h->signing, .intake = h->intake,
		};
	}
	x->own = x->st->policy;
	x->policy = *x->own;
	x->policy.authorities = x->peer;
	x->policy.nauthorities = HOLDERS;
	x->st->policy = &x->policy;
}

/* Two live devices, one that was revoked, and the recovery key. */
static void
make_chain(struct holders *x)
{
	for (uint8_t i = 0; i < ARRAY_LEN(x->device); i++) {
		struct chain_device *d = &x->device[i];

		*d = (struct chain_device){ .id = { i + 1 }, .live = i != 2,
			.recovery = i == 3, .seq = i };
		sign_box_new(&x->box[i], &d->box);
	}
	x->chain = (struct chain){ .n = 5, .devices = ARRAY_LEN(x->device),
		.device = x->device };
}

static void
make_session(struct holders *x)
{
	struct buf head defer(buf_wipe) = buf_init(HEAD_LEN);
	struct wr w = wr_to(&head);

	x->ses = (struct session){ .state = x->st, .chain = &x->chain,
		.epochs = x->epoch, .nepochs = HEAD_EPOCH, .first_epoch = 1,
		.last_epoch = HEAD_EPOCH, .has_head = true, .device = { 1 } };
	memcpy(x->ses.space, x->st->binding.space, ID_LEN);
	for (uint8_t i = 0; i < HEAD_EPOCH; i++) {
		secret_random(x->key[i].b, KEY_LEN);
		x->epoch[i] = (struct session_epoch){ .epoch = i + 1u,
			.key = &x->key[i] };
	}
	wr_u32(&w, 1u << 24); /* version */
	wr_u32(&w, HEAD_EPOCH);
	wr_u64(&w, 1);
	assert_int_equal(wr_finish(&w), 0);
	memcpy(x->ses.head, head.p, head.n);
}

static void
sign_set(const struct holders *x, struct custody *c)
{
	static const struct sign_key key = { { 2 } };

	c->serial = memcmp(c->prev, (uint8_t[HASH_LEN]){ 0 }, HASH_LEN) == 0 ?
	    1 : 2;
	c->epoch = 1;
	c->kind = CUSTODY_DEVICE;
	memcpy(c->space, x->ses.space, ID_LEN);
	for (size_t i = 0; i < c->n; i++) {
		c->holder[i].signing = x->h[i].signing;
		memcpy(c->holder[i].jurisdiction, places[i], 3);
	}
	assert_int_equal(custody_sign(c, &key), 0);
}

void
holders_set(struct holders *x, enum custody_mode mode, uint8_t n)
{
	struct custodian c;

	x->set = (struct custody){ .mode = mode, .n = n,
		.k = mode == CUSTODY_SPLIT ? 2 : 1 };
	sign_set(x, &x->set);
	(void)unlinkat(x->st->fd, "custody", 0);
	assert_int_equal(custodian_pin(x->st, &x->set, &c, &x->f), 0);
}

struct custody
holders_next(const struct holders *x)
{
	struct custody c = { .mode = CUSTODY_STANDARD, .k = 1, .n = 1 };

	custody_hash(&x->set, c.prev);
	sign_set(x, &c);
	return c;
}

void
holders_forget(struct holders *x)
{
	x->log[0] = '\0';
	x->f = (struct fault){ 0 };
}

bool
holders_has(const struct holders *x, const char *name)
{
	return faccessat(x->st->fd, name, F_OK, 0) == 0;
}

int
holders_setup(void **state)
{
	struct holders *x = calloc(1, sizeof(*x));
	void *site = NULL;

	if (x == NULL || site_setup(&site) != 0)
		return -1;
	all = x;
	x->site = site;
	x->st = site_ready(x->site);
	if (x->st == NULL)
		return -1;
	make_policy(x);
	make_chain(x);
	make_session(x);
	holders_set(x, CUSTODY_SPLIT, HOLDERS);
	*state = x;
	return 0;
}

int
holders_teardown(void **state)
{
	struct holders *x = *state;
	void *site = x->site;

	x->st->policy = x->own;
	state_close(x->st);
	free(x);
	return site_teardown(&site);
}
