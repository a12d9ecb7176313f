// SPDX-License-Identifier: Apache-2.0
#include "client/gather.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/authority.h"
#include "client/custodian.h"
#include "client/logpin.h"
#include "client/release.h"
#include "client/state.h"
#include "crypt/secret.h"
#include "crypt/shamir.h"

#define SHARES_MAX 20 /* one each, and some of moves that were given up */
#define PART_MAX 64u /* entries of a chain: each has a proof in the answer */
#define WHOLE_MAX 200u /* that a request has room for */
#define GRACE_MS 5000 /* for the others, once k have answered */
#define LOOK_MS 200
#define TRIES_MAX 4096 /* choices of k shares, where one of them is bad */

void
gather_wipe(struct gather *g)
{
	for (int i = 0; i < CUSTODY_HOLDERS_MAX; i++)
		answer_wipe_session(&g->one[i].answer);
}

void
gather_freep(struct gather **g)
{
	if (*g != NULL)
		gather_wipe(*g);
	free(*g);
}

/* Why a holder's answer is of no use, before anybody was asked. */
static const int not_asked = FAULT_AUTHORITY;

/* Who is asked, and how many have answered. */
struct asking {
	struct gather *g;
	atomic_bool enough; /* who has not answered yet is not waited for */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t answered;
	int open, good;
};

struct asker {
	struct asking *all;
	int i;
	pthread_t thread;
	bool started;
};

/* Entries from one on, PART_MAX at most. */
static int
push_part(const struct state *st, const struct authority_space *all,
    struct authority *to, uint32_t from, struct fault *f)
{
	size_t at = (size_t)from * CHAIN_ENTRY_LEN, n = all->chain.n - at;
	struct authority_part p = { .from = from, .sign = &st->sign_pub,
		.box = &st->box_pub, .more = n > PART_MAX * CHAIN_ENTRY_LEN };
	struct authority_space s = *all;

	if (p.more)
		n = PART_MAX * CHAIN_ENTRY_LEN;
	s.chain = bytes_of(all->chain.p + at, n);
	s.part = &p;
	return authority_holder(to, &s, f);
}

/* [custody] The end of it, which is all that is new to most; else from its
 * beginning on.  An earlier release takes it as a whole, as far as it goes. */
static int
push_parts(const struct state *st, const struct authority_space *all,
    struct authority *to, struct fault *f)
{
	uint32_t n = (uint32_t)(all->chain.n / CHAIN_ENTRY_LEN);
	int rc = push_part(st, all, to, n - PART_MAX, f);

	if (rc == FAULT_CONFLICT) {
		*f = (struct fault){ 0 };
		rc = 0;
		for (uint32_t at = 0; rc == 0 && at < n; at += PART_MAX)
			rc = push_part(st, all, to, at, f);
	}
	if (rc == FAULT_MALFORMED && n <= WHOLE_MAX) {
		*f = (struct fault){ 0 };
		return authority_holder(to, all, f);
	}
	return rc != FAULT_MALFORMED ? rc : fault_add(f, rc, "a device chain "
	    "of %u entries, in parts, which earlier releases do not take", n);
}

int
gather_push(const struct state *st, const struct custody *set,
    struct authority *to, const char *capability, struct fault *f)
{
	struct buf chain defer(buf_wipe) = buf_init(ANSWER_CHAIN_BYTES + 64);
	struct leaf_log_key key;
	struct authority_space all = { .device = st->device,
		.account = st->binding.account, .space = st->binding.space,
		.residency = st->binding.residency, .capability = capability,
		.set = set };
	int rc = state_chain_bytes(st, &chain, f);
	int unknown = rc == 0 ? logpin_key(st, &key, f) : 0;

	if (unknown != FAULT_NOT_FOUND && rc == 0)
		rc = unknown;
	if (rc != 0)
		return rc;
	all.log_key = unknown == 0 ? &key : NULL;
	all.chain = buf_bytes(&chain);
	return chain.n <= PART_MAX * CHAIN_ENTRY_LEN ?
	    authority_holder(to, &all, f) : push_parts(st, &all, to, f);
}

/* A holder that was away when the chain grew is told by whoever finds out: a
 * device that it does not know yet, or any that knows more. */
static int
ask_and_tell(struct gather *g, struct authority *a, struct gather_one *o)
{
	const struct state *st = g->st;
	struct fault scrap = { 0 };
	const struct authority_ask ask = { .account = st->binding.account,
		.space = st->binding.space, .chain_seen = st->chain.n,
		.custody_seen = g->set->serial };
	int rc = authority_session(a, &ask, &o->answer, &o->f);

	if (rc == FAULT_DENIED &&
	    gather_push(st, g->set, a, "", &scrap) == 0)
		return authority_session(a, &ask, &o->answer, &o->f);
	if (rc == 0 && o->answer.chain_length < st->chain.n)
		(void)!gather_push(st, g->set, a, "", &scrap);
	return rc;
}

/* [custody] It was not told yet which set is in force: the move was broken off
 * when the home had taken it.  So it knows of none (an earlier release calls
 * that INTERNAL), or has shares of moves before that came to nothing, two of an
 * epoch or more than it has room for. */
static bool
untold(const struct gather_one *o, int rc)
{
	uint32_t last = 0;

	for (size_t k = 0; rc == 0 && k < o->answer.nkeys; k++) {
		const struct answer_key *x = &o->answer.key[k];

		if (x->kind == ANSWER_SHARE && x->epoch == last)
			return true;
		last = x->kind == ANSWER_SHARE ? x->epoch : last;
	}
	return rc == FAULT_LIMIT || rc == FAULT_CONFLICT ||
	    rc == FAULT_INTERNAL;
}

static int
ask_until_told(struct gather *g, struct authority *a, struct gather_one *o)
{
	struct answer_receipts *none;
	struct fault scrap = { 0 };
	int rc = ask_and_tell(g, a, o);

	if (!untold(o, rc))
		return rc;
	none = calloc(1, sizeof(*none)); /* leaving_settle asks for them */
	if (none != NULL &&
	    authority_custody(a, g->set, NULL, 0, none, &scrap) == 0) {
		answer_wipe_session(&o->answer);
		o->f = (struct fault){ 0 };
		rc = ask_and_tell(g, a, o);
	}
	free(none);
	return rc;
}

static int
ask_one(struct gather *g, int i, const atomic_bool *stop)
{
	const struct state *st = g->st;
	struct gather_one *o = &g->one[i];
	struct authority *a defer(authority_closep) = NULL;
	struct authority_config config = { .key = st->sign, .wire = g->wire,
		.state = st,
		.stop = stop };
	int rc = custodian_holder(st, g->set, i, &config.peer, &o->f);

	memcpy(config.signer, st->device, ID_LEN);
	if (rc == 0)
		rc = authority_open(&config, &a, &o->f);
	return rc != 0 ? rc : ask_until_told(g, a, o);
}

static void *
asker_run(void *arg)
{
	struct asker *a = arg;
	struct asking *all = a->all;
	int rc = ask_one(all->g, a->i, &all->enough);

	all->g->one[a->i].rc = rc;
	(void)pthread_mutex_lock(&all->lock);
	all->open--;
	all->good += rc == 0;
	(void)pthread_cond_signal(&all->answered);
	(void)pthread_mutex_unlock(&all->lock);
	return NULL;
}

static void
look_again_in(int ms, struct timespec *out)
{
	(void)clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_nsec += ms * 1000000L;
	out->tv_sec += out->tv_nsec / 1000000000;
	out->tv_nsec %= 1000000000;
}

/* [custody] Once there are as many as it takes, the others have a few seconds:
 * one that does not come to an end is not in the way of k that do. */
static void
wait_for(struct asking *a, int enough)
{
	int64_t until = INT64_MAX;
	struct timespec t;

	(void)pthread_mutex_lock(&a->lock);
	while (a->open > 0) {
		if (a->good >= enough && until == INT64_MAX)
			until = clock_ms() + GRACE_MS;
		if (clock_ms() >= until ||
		    (a->g->stop != NULL && atomic_load(a->g->stop)))
			atomic_store(&a->enough, true);
		look_again_in(LOOK_MS, &t);
		(void)pthread_cond_clockwait(&a->answered, &a->lock,
		    CLOCK_MONOTONIC, &t);
	}
	(void)pthread_mutex_unlock(&a->lock);
}

/* Who was not waited for is away, unless the user ended it all. */
static void
tell_late(struct gather *g, int i)
{
	struct gather_one *o = &g->one[i];

	if (o->rc == FAULT_INTERRUPTED &&
	    (g->stop == NULL || !atomic_load(g->stop)))
		o->rc = fault_set(&o->f, FAULT_AUTHORITY, "the holder in %s "
		    "takes too long to answer", g->set->holder[i].jurisdiction);
}

int
gather_ask(struct gather *g, int first, struct fault *f)
{
	struct asker a[CUSTODY_HOLDERS_MAX] = { 0 };
	struct asking all = { .g = g, .lock = PTHREAD_MUTEX_INITIALIZER,
		.answered = PTHREAD_COND_INITIALIZER,
		.open = g->set->n - first };
	int rc = 0;

	for (int i = first; i < g->set->n; i++) {
		answer_wipe_session(&g->one[i].answer);
		g->one[i] = (struct gather_one){ .rc = not_asked };
		a[i] = (struct asker){ .all = &all, .i = i };
		a[i].started = pthread_create(&a[i].thread, NULL, asker_run,
		    &a[i]) == 0;
		if (!a[i].started)
			rc = fault_set(f, FAULT_MEMORY, "no thread");
	}
	for (int i = first; i < g->set->n; i++) {
		(void)pthread_mutex_lock(&all.lock);
		all.open -= !a[i].started;
		(void)pthread_mutex_unlock(&all.lock);
	}
	/* The home, which is asked apart, has a share, too. */
	wait_for(&all, g->set->k - (first > 0));
	for (int i = first; i < g->set->n; i++) {
		if (a[i].started)
			(void)pthread_join(a[i].thread, NULL);
		tell_late(g, i);
	}
	return rc;
}

/* The shares of one epoch, opened; secret memory. */
struct shares {
	struct key_share b[SHARES_MAX], pick[SHARES_MAX];
	uint8_t index[SHARES_MAX], at[SHARES_MAX];
	unsigned n;
	unsigned holders; /* who gave them */
};

/* A holder's share number nth of an epoch, if it has one.  It has the share of
 * its own place, no other. */
static const struct answer_key *
find_share(const struct gather *g, int i, uint32_t epoch, size_t nth)
{
	const struct gather_one *o = &g->one[i];

	for (size_t k = 0; o->rc == 0 && k < o->answer.nkeys; k++) {
		const struct answer_key *x = &o->answer.key[k];

		if (x->kind == ANSWER_SHARE && x->epoch == epoch &&
		    x->index == i + 1 && nth-- == 0)
			return x;
	}
	return NULL;
}

/* The first of all comes before the second of any: who gives many takes no
 * other's place. */
static void
open_shares(const struct gather *g, uint32_t epoch, struct shares *s)
{
	bool has[CUSTODY_HOLDERS_MAX] = { false };
	struct fault scrap = { 0 };

	for (size_t nth = 0; nth < SHARES_MAX; nth++)
		for (int i = 0; i < g->set->n && s->n < SHARES_MAX; i++) {
			const struct answer_key *x = find_share(g, i, epoch,
			    nth);

			if (x == NULL || release_open(g->st, x, s->b[s->n].b,
			    &scrap) != 0)
				continue;
			s->index[s->n++] = x->index;
			s->holders += !has[i];
			has[i] = true;
		}
}

static int
join_some(const struct gather *g, struct shares *s, unsigned mask,
    struct space_key *out)
{
	unsigned k = 0;

	for (unsigned i = 0; i < s->n; i++)
		if (mask >> i & 1) {
			s->pick[k] = s->b[i];
			s->at[k++] = s->index[i];
		}
	return shamir_join(s->at, s->pick, g->set->k, out);
}

/* [custody] The first k that fit: one bad share of more than k is got round. */
static int
join(const struct gather *g, uint32_t epoch, struct shares *s,
    struct gather_check check, struct space_key *out, struct fault *f)
{
	unsigned tries = 0;

	for (unsigned mask = 0; mask < 1u << s->n && tries < TRIES_MAX;
	    mask++) {
		int rc;

		if (__builtin_popcount(mask) != g->set->k)
			continue;
		tries++;
		rc = join_some(g, s, mask, out);
		if (rc == FAULT_USAGE)
			continue; /* two of one holder */
		if (rc != 0)
			return fault_add(f, rc, "shares");
		if (check.fits(check.arg, epoch, out))
			return 0;
	}
	return fault_set(f, FAULT_TAMPERED,
	    "the shares of epoch %u do not belong together: at least one "
	    "holder gave a wrong one", epoch);
}

static int
too_few(const struct gather *g, unsigned have, struct fault *f)
{
	char why[768] = "";
	size_t n = 0;

	for (int i = 0; i < g->set->n; i++) {
		const struct gather_one *o = &g->one[i];
		int m;

		if (o->rc == 0)
			continue;
		m = snprintf(why + n, sizeof(why) - n, "%s%.180s",
		    n == 0 ? "" : "; ",
		    o->f.text[0] != '\0' ? o->f.text : fault_text(o->rc));
		n += m > 0 && (size_t)m < sizeof(why) - n ? (size_t)m : 0;
	}
	return fault_set(f, FAULT_AUTHORITY, "%u of the %u holders that it "
	    "takes gave their share of the key, of %u in all (%s)", have,
	    g->set->k, g->set->n, n == 0 ? "they hold none" : why);
}

static int
from_shares(const struct gather *g, uint32_t epoch, struct gather_check check,
    struct space_key *out, struct fault *f)
{
	struct shares *s defer(secret_freep) = secret_new(sizeof(*s));

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	open_shares(g, epoch, s);
	if (s->holders < g->set->k)
		return too_few(g, s->holders, f);
	return join(g, epoch, s, check, out, f);
}

/* [custody] Only what the pinned custody has: whoever could slip in a key of
 * another kind would know what is written under it. */
static bool
of_mode(const struct gather *g, const struct answer_key *k)
{
	return k->kind == (g->set->mode == CUSTODY_STANDARD ? ANSWER_WHOLE :
		g->set->mode == CUSTODY_SPLIT	    ? ANSWER_SHARE :
							      ANSWER_DEVICE);
}

/* The next epoch after the one given that any answer has; 0: none. */
static uint32_t
next_epoch(const struct gather *g, uint32_t after,
    const struct answer_key **whole)
{
	uint32_t next = 0;

	for (int i = 0; i < g->set->n; i++) {
		const struct gather_one *o = &g->one[i];

		for (size_t k = 0; o->rc == 0 && k < o->answer.nkeys; k++) {
			const struct answer_key *x = &o->answer.key[k];

			if (x->epoch <= after || !of_mode(g, x) ||
			    (next != 0 && x->epoch > next))
				continue;
			if (x->epoch != next)
				*whole = NULL;
			next = x->epoch;
			if (x->kind != ANSWER_SHARE)
				*whole = x;
		}
	}
	return next;
}

int
gather_keys(const struct gather *g, struct gather_check check,
    struct lease *out, struct fault *f)
{
	const struct answer_key *whole = NULL;
	uint32_t epoch = 0;
	bool few = false;
	int rc = 0;

	out->nepochs = 0;
	while (rc == 0 && (epoch = next_epoch(g, epoch, &whole)) != 0) {
		struct space_key *key = &out->key[out->nepochs];

		if (out->nepochs == LEASE_EPOCHS_MAX)
			return fault_set(f, FAULT_LIMIT, "too many epochs");
		rc = whole != NULL ? release_open(g->st, whole, key->b, f) :
				     from_shares(g, epoch, check, key, f);
		/* Begun or ended at some holders and not yet at all: only if
		 * there is no other, this is what is to be told. */
		if (rc == FAULT_AUTHORITY) {
			few = true;
			rc = 0;
			continue;
		}
		if (rc == 0 && !check.fits(check.arg, epoch, key))
			rc = fault_set(f, FAULT_TAMPERED, "the key of epoch "
			    "%u is not the one that the head needs", epoch);
		out->epoch[out->nepochs] = epoch;
		out->nepochs++;
	}
	if (rc == 0 && out->nepochs == 0 && few)
		return FAULT_AUTHORITY;
	if (rc == 0 && out->nepochs == 0 && g->set->mode == CUSTODY_SPLIT)
		return too_few(g, 0, f);
	if (rc == 0 && out->nepochs == 0)
		return fault_set(f, FAULT_DENIED, "no keyslot is for this "
		    "device: run skerry approve again on a device that can "
		    "read");
	return rc;
}
