// SPDX-License-Identifier: Apache-2.0
#include "client/epoch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/authority.h"
#include "client/custodian.h"
#include "client/file.h"
#include "client/release.h"
#include "client/state.h"
#include "crypt/secret.h"
#include "crypt/shamir.h"
#include "object/head.h"

#define TRIES 8

struct beginning {
	struct session *ses;
	struct custodian custodian;
	uint32_t epoch;
	struct space_key *key;   /* secret memory */
	struct key_share *share; /* likewise */
	struct authority_slot *slot;
	size_t n;
	uint8_t recovery[ANSWER_SEALED_LEN];
	const uint8_t *recovery_for; /* the chain's; or NULL */
};

static void
beginning_wipe(struct beginning *b)
{
	secret_free(b->key);
	secret_free(b->share);
	free(b->slot);
}

static int
open_holder(struct session *ses, const struct policy_authority *a,
    struct authority **out, struct fault *f)
{
	struct authority_config config = { .peer = a, .key = ses->sign,
		.state = ses->state, .wire = &ses->offshore,
		.stop = ses->stop };

	memcpy(config.signer, ses->device, ID_LEN);
	return authority_open(&config, out, f);
}

static struct authority_slot *
next_slot(struct beginning *b, enum answer_kind kind, uint8_t index)
{
	struct authority_slot *s;

	if (b->n == RELEASE_SLOTS_MAX)
		return NULL;
	s = &b->slot[b->n++];
	*s = (struct authority_slot){ .kind = kind, .epoch = b->epoch,
		.index = index };
	return s;
}

static int
seal(struct beginning *b, const struct release_to *to, const uint8_t *key,
    struct authority_slot *s)
{
	return s == NULL ? FAULT_LIMIT : release_seal(
	    &b->ses->state->binding, to, key, s->sealed);
}

static int
device_slot(struct beginning *b, const struct chain_device *d)
{
	struct authority_slot *s = next_slot(b, ANSWER_DEVICE, 0);

	if (s != NULL)
		memcpy(s->device, d->id, ID_LEN);
	return seal(b, &(struct release_to){ .box = &d->box, .device = d->id,
	    .epoch = b->epoch }, b->key->b, s);
}

/* What holder i of the custody in force keeps of the new epoch; a: which that
 * is, where it gets a key to keep. */
static int
make_slots(struct beginning *b, int i, const struct policy_authority *a)
{
	struct release_to to = { .box = a == NULL ? NULL : &a->intake,
		.epoch = b->epoch };
	const struct chain *c = b->ses->chain;
	int rc = 0;

	b->n = 0;
	switch (b->custodian.set.mode) {
	case CUSTODY_STANDARD:
		return seal(b, &to, b->key->b,
		    next_slot(b, ANSWER_WHOLE, 0));
	case CUSTODY_SPLIT:
		to.index = (uint8_t)(i + 1);
		return seal(b, &to, b->share[i].b,
		    next_slot(b, ANSWER_SHARE, to.index));
	case CUSTODY_SEALED:
		break;
	}
	for (uint32_t d = 0; rc == 0 && d < c->devices; d++)
		if (c->device[d].live && !c->device[d].recovery)
			rc = device_slot(b, &c->device[d]);
	return rc;
}

static int
make_recovery(struct beginning *b, struct fault *f)
{
	const struct chain_device *d = chain_recovery(b->ses->chain);

	if (d == NULL)
		return fault_set(f, FAULT_TRUST,
		    "device chain: it has no recovery key");
	/* An authority of before there could be another knows no name. */
	b->recovery_for = chain_recovery_changed(b->ses->chain) ? d->id : NULL;
	return release_recovery(&b->ses->state->binding, &d->box, b->epoch,
	    b->key, b->recovery);
}

static int
begin_at(struct beginning *b, struct authority *a, bool home,
    uint32_t *latest, struct fault *f)
{
	return authority_epoch(a, &(struct authority_epoch_parts){
	    .space = b->ses->space, .epoch = b->epoch,
	    .custody = b->custodian.set.serial, .slot = b->slot, .n = b->n,
	    .recovery = home ? b->recovery : NULL,
	    .recovery_for = b->recovery_for }, latest, f);
}

/* [custody] Who holds for the first time may not know that it does: a move that
 * was broken off when the home had it told nobody else. */
static int
tell_set(const struct beginning *b, struct authority *a)
{
	struct answer_receipts none = { 0 };
	struct fault scrap = { 0 };

	return authority_custody(a, &b->custodian.set, NULL, 0, &none, &scrap);
}

static int
send_slots(struct beginning *b, int i, uint32_t *latest, struct fault *f)
{
	struct authority *a defer(authority_closep) = NULL;
	const struct policy_authority *p;
	struct authority *home;
	int rc = custodian_holder(b->ses->state, &b->custodian.set, i, &p, f);

	if (rc == 0 && i == 0)
		rc = session_home(b->ses, &home, f);
	else if (rc == 0)
		rc = open_holder(b->ses, p, &a, f);
	if (rc != 0)
		return rc;
	rc = make_slots(b, i, p);
	if (rc != 0)
		return fault_add(f, rc, "keyslots");
	rc = begin_at(b, i == 0 ? home : a, i == 0, latest, f);
	if (rc != FAULT_CONFLICT || i == 0 || *latest >= b->epoch ||
	    tell_set(b, a) != 0)
		return rc;
	*f = (struct fault){ 0 };
	return begin_at(b, a, false, latest, f);
}

/* The home comes last: an epoch that it has is whole. */
static int
try_number(struct beginning *b, uint32_t *latest, struct fault *f)
{
	const struct custody *set = &b->custodian.set;
	int rc = make_recovery(b, f);

	if (rc == 0 && set->mode == CUSTODY_SPLIT) {
		secret_free(b->share);
		b->share = secret_new(set->n * sizeof(*b->share));
		if (b->share == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		rc = shamir_split(b->key, set->k, set->n, b->share);
		if (rc != 0)
			return fault_add(f, rc, "splitting the key");
	}
	for (int i = 1; rc == 0 && i < set->n; i++)
		rc = send_slots(b, i, latest, f);
	return rc == 0 ? send_slots(b, 0, latest, f) : rc;
}

int
epoch_begin(struct session *ses, uint32_t *epoch, struct fault *f)
{
	struct beginning b defer(beginning_wipe) = { .ses = ses };
	uint32_t latest = ses->last_epoch;
	int rc = custodian_load(ses->state, &b.custodian, f);

	b.key = secret_new(sizeof(*b.key));
	b.slot = calloc(RELEASE_SLOTS_MAX, sizeof(*b.slot));
	if (b.key == NULL || b.slot == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	secret_random(b.key->b, KEY_LEN);
	if (rc == 0 && b.custodian.set.mode == CUSTODY_SEALED)
		rc = release_room(ses->chain, 0, 1, f);
	for (int i = 0; rc == 0 && i < TRIES; i++) {
		b.epoch = latest + 1;
		rc = try_number(&b, &latest, f);
		if (rc == 0) {
			*epoch = b.epoch;
			return session_add_epoch(ses, b.epoch, b.key, f);
		}
		if (rc == FAULT_CONFLICT && latest >= b.epoch)
			rc = i + 1 < TRIES ? 0 : rc;
	}
	return rc;
}

uint32_t
epoch_of_head(const struct session *ses)
{
	uint64_t number;
	uint32_t epoch = 1;

	if (ses->has_head && head_clear(bytes_of(ses->head, HEAD_LEN), &epoch,
	    &number) != 0)
		return 1;
	return epoch;
}

bool
epoch_stale(const struct session *ses)
{
	return ses->has_head && ses->first_epoch != 0 &&
	    ses->first_epoch < epoch_of_head(ses);
}

bool
epoch_abandoned(const struct session *ses)
{
	return ses->has_head && ses->last_epoch > epoch_of_head(ses);
}

static int
keep_receipt(struct session *ses, const struct policy_authority *p,
    uint32_t epoch, const uint8_t raw[static RECEIPT_LEN],
    struct epoch_ends *out, struct fault *f)
{
	struct epoch_ended e = { .epoch = epoch };
	char name[128];
	int rc = receipt_check(bytes_of(raw, RECEIPT_LEN), &p->signing,
	    &e.receipt);

	if (rc != 0 || e.receipt.what != RECEIPT_EPOCH ||
	    e.receipt.epoch != epoch ||
	    memcmp(e.receipt.space, ses->space, ID_LEN) != 0)
		return fault_set(f, FAULT_TRUST, "holder %s: its receipt for "
		    "epoch %u does not hold", p->name, epoch);
	(void)snprintf(e.holder, sizeof(e.holder), "%s", p->name);
	(void)snprintf(name, sizeof(name), "receipt-%u-%s", epoch, p->name);
	rc = file_write(ses->state->fd, name, bytes_of(raw, RECEIPT_LEN), f);
	if (rc == 0 && out != NULL && out->n < EPOCH_ENDED_MAX)
		out->end[out->n++] = e;
	return rc;
}

static int
destroy(struct session *ses, struct authority *a,
    const struct policy_authority *p, uint32_t epoch, struct epoch_ends *out,
    struct fault *f)
{
	uint8_t raw[RECEIPT_LEN];
	int rc = authority_epoch_destroy(a, ses->space, epoch, raw, f);

	/* It never had it, or another device was faster and it is gone. */
	if (rc == FAULT_NOT_FOUND) {
		*f = (struct fault){ 0 };
		return 0;
	}
	return rc == 0 ? keep_receipt(ses, p, epoch, raw, out, f) : rc;
}

int
epoch_end_at(struct session *ses, const struct policy_authority *p,
    uint32_t epoch, struct epoch_ends *out, struct fault *f)
{
	struct authority *a defer(authority_closep) = NULL;
	int rc = open_holder(ses, p, &a, f);

	return rc != 0 ? rc : destroy(ses, a, p, epoch, out, f);
}

static int
end_at(struct session *ses, const struct custody *set, int i, uint32_t epoch,
    struct epoch_ends *out, struct fault *f)
{
	const struct policy_authority *p;
	struct authority *home;
	int rc = custodian_holder(ses->state, set, i, &p, f);

	if (rc == 0 && i != 0)
		return epoch_end_at(ses, p, epoch, out, f);
	if (rc == 0)
		rc = session_home(ses, &home, f);
	return rc != 0 ? rc : destroy(ses, home, p, epoch, out, f);
}

/*
 * The home comes last: while it has an old epoch, a session tells of it.  But
 * first for one after the head's: the home alone knows whether a head was moved
 * into it meanwhile, and refuses.
 */
static int
end_one(struct session *ses, const struct custody *set, uint32_t epoch,
    bool home_first, struct epoch_ends *out, struct fault *f)
{
	for (int k = 0; k < set->n; k++) {
		int i = home_first ? k : set->n - 1 - k;
		int rc = end_at(ses, set, i, epoch, out, f);

		if (rc == FAULT_AUTHORITY)
			return fault_set(f, FAULT_PARTIAL, "epoch %u is not "
			    "destroyed everywhere (a holder in %s does not "
			    "answer): run skerry rotate again", epoch,
			    set->holder[i].jurisdiction);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/*
 * [custody] Whoever let a device into a sealed space before the head moved here
 * could give it keyslots of the epochs before alone: no head had shown that the
 * key of this one is true.  A session that is later than the move has its entry
 * in the chain.
 */
static int
admit_all(struct session *ses, const struct custodian *custodian,
    uint32_t epoch, struct fault *f)
{
	struct beginning b defer(beginning_wipe) = { .ses = ses,
		.custodian = *custodian, .epoch = epoch };
	const struct space_key *key = session_key(ses, epoch);
	struct authority *home;
	int rc;

	b.key = secret_new(sizeof(*b.key));
	b.slot = calloc(RELEASE_SLOTS_MAX, sizeof(*b.slot));
	if (b.key == NULL || b.slot == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (key == NULL)
		return 0; /* it was let in so itself */
	*b.key = *key;
	rc = make_slots(&b, 0, NULL);
	if (rc != 0)
		return fault_add(f, rc, "keyslots");
	rc = session_home(ses, &home, f);
	return rc != 0 ? rc :
			 authority_keyslots(home, ses->space, b.slot, b.n, f);
}

int
epoch_end(struct session *ses, bool abandoned, struct epoch_ends *out,
    struct fault *f)
{
	struct custodian c = { 0 };
	uint32_t keep = epoch_of_head(ses);
	int rc = custodian_load(ses->state, &c, f);

	if (rc == 0 && epoch_stale(ses) && c.set.mode == CUSTODY_SEALED)
		rc = admit_all(ses, &c, keep, f);
	for (uint32_t e = ses->first_epoch; rc == 0 && e < keep && e != 0; e++)
		rc = end_one(ses, &c.set, e, false, out, f);
	for (uint32_t e = keep + 1; rc == 0 && abandoned &&
	    e <= ses->last_epoch; e++)
		rc = end_one(ses, &c.set, e, true, out, f);
	return rc;
}
