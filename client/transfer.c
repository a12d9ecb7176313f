// SPDX-License-Identifier: Apache-2.0
#include "client/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/authority.h"
#include "client/gather.h"
#include "client/given.h"
#include "client/leaving.h"
#include "client/release.h"
#include "client/state.h"
#include "crypt/secret.h"
#include "crypt/shamir.h"

#define ADMIT_TRIES 4

struct job {
	struct session *ses;
	const struct transfer *t;
	struct custodian old;
	struct custody set;
	struct key_share *share; /* secret; nepochs rows of n */
	struct authority_slot *slot;
	size_t nslots;
	struct answer_receipts none; /* which leaving_settle asks for */
};

static void
job_wipe(struct job *j)
{
	secret_free(j->share);
	free(j->slot);
}

static int
make_set(struct job *j, struct fault *f)
{
	const struct state *st = j->ses->state;
	const struct transfer *t = j->t;
	struct custody *c = &j->set;

	*c = (struct custody){ .mode = t->mode, .k = t->k, .n = t->n,
		.serial = j->old.set.serial + 1, .kind = CUSTODY_DEVICE,
		.epoch = j->ses->epochs[j->ses->nepochs - 1].epoch,
		.time = (int64_t)time(NULL) };
	c->effective = c->time;
	memcpy(c->space, st->binding.space, ID_LEN);
	memcpy(c->signer, st->device, ID_LEN);
	custody_hash(&j->old.set, c->prev);
	for (int i = 0; i < t->n; i++) {
		c->holder[i].signing = t->holder[i]->signing;
		memcpy(c->holder[i].jurisdiction, t->holder[i]->jurisdiction,
		    3);
	}
	if (custody_sign(c, st->sign) != 0)
		return fault_set(f, FAULT_USAGE, "not a custody: split wants "
		    "2 or more holders in different jurisdictions, and a "
		    "threshold from 2 to their number");
	return 0;
}

static int
split_keys(struct job *j, struct fault *f)
{
	const struct session *s = j->ses;
	int rc = 0;

	if (j->set.mode != CUSTODY_SPLIT)
		return 0;
	j->share = secret_new(s->nepochs * j->set.n * sizeof(*j->share));
	if (j->share == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	for (size_t e = 0; rc == 0 && e < s->nepochs; e++)
		rc = shamir_split(s->epochs[e].key, j->set.k, j->set.n,
		    j->share + e * j->set.n);
	return rc == 0 ? 0 : fault_add(f, rc, "splitting the key");
}

static struct authority_slot *
next_slot(struct job *j, size_t epoch, enum answer_kind kind)
{
	struct authority_slot *s;

	if (j->nslots == RELEASE_SLOTS_MAX)
		return NULL;
	s = &j->slot[j->nslots++];
	*s = (struct authority_slot){ .kind = kind,
		.epoch = j->ses->epochs[epoch].epoch };
	return s;
}

static int
device_slot(struct job *j, size_t e, const struct chain_device *d)
{
	struct authority_slot *s = next_slot(j, e, ANSWER_DEVICE);

	if (s == NULL)
		return FAULT_LIMIT;
	memcpy(s->device, d->id, ID_LEN);
	return release_seal(&j->ses->state->binding,
	    &(struct release_to){ .box = &d->box, .device = d->id,
	    .epoch = s->epoch }, j->ses->epochs[e].key->b, s->sealed);
}

static int
holder_slot(struct job *j, size_t e, int i)
{
	const struct state_binding *b = &j->ses->state->binding;
	const struct policy_authority *a = j->t->holder[i];
	bool split = j->set.mode == CUSTODY_SPLIT;
	struct authority_slot *s = next_slot(j, e,
	    split ? ANSWER_SHARE : ANSWER_WHOLE);

	if (s == NULL)
		return FAULT_LIMIT;
	s->index = split ? (uint8_t)(i + 1) : 0;
	return release_seal(b, &(struct release_to){ .box = &a->intake,
	    .epoch = s->epoch, .index = s->index },
	    split ? j->share[e * j->set.n + (size_t)i].b :
		    j->ses->epochs[e].key->b, s->sealed);
}

/* The keyslots of every live epoch that holder i is to keep. */
static int
make_slots(struct job *j, int i, struct fault *f)
{
	const struct chain *c = j->ses->chain;
	int rc = 0;

	j->nslots = 0;
	for (size_t e = 0; rc == 0 && e < j->ses->nepochs; e++) {
		if (j->set.mode != CUSTODY_SEALED) {
			rc = holder_slot(j, e, i);
			continue;
		}
		for (uint32_t d = 0; rc == 0 && d < c->devices; d++)
			if (c->device[d].live && !c->device[d].recovery)
				rc = device_slot(j, e, &c->device[d]);
	}
	return rc == 0 ? 0 : fault_add(f, rc, "keyslots");
}

static int
open_holder(struct job *j, const struct policy_authority *a,
    struct authority **out, struct fault *f)
{
	struct authority_config config = { .peer = a,
		.state = j->ses->state,
		.key = j->ses->state->sign, .wire = &j->ses->offshore,
		.stop = j->ses->stop };

	memcpy(config.signer, j->ses->state->device, ID_LEN);
	return authority_open(&config, out, f);
}

/* Shares of a set that is not in force yet. */
static int
stage(struct job *j, int i, struct fault *f)
{
	struct authority *a defer(authority_closep) = NULL;
	int rc = open_holder(j, j->t->holder[i], &a, f);

	if (rc == 0)
		rc = gather_push(j->ses->state, &j->set, a,
		    session_capability(j->ses), f);
	if (rc == 0)
		rc = make_slots(j, i, f);
	if (rc == 0)
		rc = authority_custody(a, &j->set, j->slot, j->nslots,
		    &j->none, f);
	return rc == 0 ? 0 : fault_add(f, rc, "holder %s",
	    j->t->holder[i]->name);
}

static int
confirm(struct job *j, int i, struct fault *f)
{
	struct authority *a defer(authority_closep) = NULL;
	int rc = open_holder(j, j->t->holder[i], &a, f);

	return rc != 0 ? rc : authority_custody(a, &j->set, NULL, 0, &j->none,
	    f);
}

/* Who holds for the first time; who held before is asked for receipts. */
static int
confirm_all(struct job *j, struct fault *f)
{
	char late[256] = "";
	struct fault why = { 0 };
	size_t n = 0;

	for (int i = 1; i < j->set.n; i++) {
		int m;

		if (custody_find(&j->old.set, &j->set.holder[i].signing) >= 0 ||
		    confirm(j, i, &why) == 0)
			continue;
		m = snprintf(late + n, sizeof(late) - n, "%s%s",
		    n == 0 ? "" : ", ", j->set.holder[i].jurisdiction);
		n += m > 0 && (size_t)m < sizeof(late) - n ? (size_t)m : 0;
	}
	if (n == 0)
		return 0;
	return fault_set(f, FAULT_PARTIAL, "the custody is changed, but the "
	    "holders in %s could not be told (%.200s): run the command again",
	    late, why.text);
}

static int
placed(const struct job *j, struct fault *f)
{
	const struct state *st = j->ses->state;
	const struct policy_residency *r = policy_find_residency(st->policy,
	    st->binding.residency);

	for (int i = 0; i < j->t->n; i++)
		if (r == NULL || !policy_keys_in(r,
		    j->t->holder[i]->jurisdiction))
			return fault_set(f, FAULT_DENIED,
			    "residency %s allows no keys in %s",
			    st->binding.residency,
			    j->t->holder[i]->jurisdiction);
	return 0;
}

int
transfer_run(struct session *ses, const struct transfer *t,
    struct custodian *out, struct fault *f)
{
	struct job j defer(job_wipe) = { .ses = ses, .t = t };
	struct authority *home;
	int rc = custodian_load(ses->state, &j.old, f);

	j.slot = calloc(RELEASE_SLOTS_MAX, sizeof(*j.slot));
	if (j.slot == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (rc == 0 && t->mode != CUSTODY_STANDARD && !ses->has_head)
		rc = fault_set(f, FAULT_CONFIG, "the space is empty: store "
		    "something first, so that its head can tell a right key "
		    "from a forged one");
	if (rc == 0 && t->mode == CUSTODY_SEALED)
		rc = release_room(ses->chain, 0, ses->nepochs, f);
	if (rc == 0)
		rc = placed(&j, f);
	if (rc == 0)
		rc = make_set(&j, f);
	if (rc == 0)
		rc = split_keys(&j, f);
	if (rc == 0)
		rc = given_note(ses, &j.set, f);
	for (int i = 1; rc == 0 && i < j.set.n; i++)
		rc = stage(&j, i, f);
	if (rc == 0)
		rc = make_slots(&j, 0, f);
	if (rc == 0)
		rc = session_home(ses, &home, f);
	if (rc == 0)
		rc = leaving_note(ses, &j.old.set, &j.set, f);
	if (rc == 0)
		rc = authority_custody(home, &j.set, j.slot, j.nslots,
		    &j.none, f);
	if (rc == 0)
		rc = custodian_pin(ses->state, &j.set, out, f);
	return rc != 0 ? rc : confirm_all(&j, f);
}

static int
admit(struct session *ses, const struct chain_device *d, struct fault *f)
{
	struct job j defer(job_wipe) = { .ses = ses };
	struct authority *home;
	int rc = custodian_load(ses->state, &j.old, f);

	if (rc != 0 || j.old.set.mode != CUSTODY_SEALED)
		return rc;
	j.slot = calloc(RELEASE_SLOTS_MAX, sizeof(*j.slot));
	if (j.slot == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	for (size_t e = 0; rc == 0 && e < ses->nepochs; e++)
		rc = device_slot(&j, e, d);
	if (rc != 0)
		return fault_add(f, rc, "keyslots");
	rc = session_home(ses, &home, f);
	return rc != 0 ? rc : authority_keyslots(home, ses->space, j.slot,
	    j.nslots, f);
}

int
transfer_admit(struct session *ses, const struct chain_device *d,
    struct fault *f)
{
	uint8_t id[ID_LEN];
	int rc = admit(ses, d, f);

	memcpy(id, d->id, ID_LEN);
	/* An epoch ended, or the custody changed, while it was made. */
	for (int i = 0; rc == FAULT_CONFLICT && i < ADMIT_TRIES; i++) {
		*f = (struct fault){ 0 };
		rc = session_refresh(ses, f);
		d = chain_find(ses->chain, id);
		if (rc == 0 && d == NULL)
			return fault_set(f, FAULT_TRUST,
			    "device chain: the device is gone from it");
		if (rc == 0)
			rc = admit(ses, d, f);
	}
	return rc;
}
