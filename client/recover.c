// SPDX-License-Identifier: Apache-2.0
#include "client/recover.h"

#include <stdlib.h>
#include <string.h>

#include "client/account.h"
#include "client/authority.h"
#include "client/code.h"
#include "client/lease.h"
#include "client/release.h"
#include "client/terminal.h"
#include "crypt/recovery.h"
#include "crypt/secret.h"
#include "crypt/sign.h"

#define TRIES 8

/* In secret memory. */
struct keys {
	char line[CODE_LINE_MAX];
	struct recovery_code code;
	struct sign_key sign;
	struct box_key box;
	struct space_key space;
};

/* Keyslots of a space: as the code has them, and as this device is to. */
struct slots {
	struct answer_slot code[LEASE_EPOCHS_MAX];
	struct authority_slot own[LEASE_EPOCHS_MAX];
	size_t n;
};

static int
read_code(struct cli *cli, const char *file, struct keys *k)
{
	struct buf text defer(buf_wipe) = buf_init(CODE_LINE_MAX);
	int rc;

	if (file == NULL) {
		rc = terminal_secret("Recovery code: ", k->line,
		    sizeof(k->line), &cli->fault);
		if (rc == 0)
			rc = buf_append(&text, k->line, strlen(k->line));
	} else {
		rc = code_read(file, &text, &cli->fault);
	}
	if (rc != 0)
		return rc;
	rc = recovery_parse(buf_bytes(&text), &k->code);
	if (rc == 0)
		rc = recovery_keys(&k->code, &k->sign, &k->box);
	return code_unread("recovery code", rc, &cli->fault);
}

static int
open_as_recovery(struct cli *cli, const struct state *st, const struct keys *k,
    uint8_t id[static ID_LEN], struct authority **out)
{
	struct authority_config config = { .key = &k->sign, .state = st,
		.wire = &cli->offshore, .stop = cli->stop };
	struct sign_pub sign;
	struct box_pub box;
	int rc = state_authority(st, &config.peer, &cli->fault);

	if (rc != 0)
		return rc;
	sign_public(&k->sign, &sign);
	sign_box_public(&k->box, &box);
	chain_device_id(&sign, &box, id);
	memcpy(config.signer, id, ID_LEN);
	return authority_open(&config, out, &cli->fault);
}

/* The account's chain has this code's key, by its own signatures. */
static int
check_chain(struct cli *cli, const struct answer_account *got,
    const uint8_t id[static ID_LEN], struct chain *c)
{
	const struct chain_device *d;
	int rc = chain_append_all(c, buf_bytes(&got->chain));

	if (rc != 0)
		return fault_add(&cli->fault, rc, "device chain");
	d = chain_find(c, id);
	if (d == NULL || !d->recovery || !d->live ||
	    memcmp(c->account, got->account, ID_LEN) != 0)
		return fault_set(&cli->fault, FAULT_TRUST,
		    "device chain: the recovery code is not in it");
	return 0;
}

/* Adds this device, signed by the code's key; got->chain then has its entry
 * too.  FAULT_CONFLICT: got->chain has grown, try again. */
static int
add_self(struct cli *cli, struct authority *a, const struct state *st,
    const struct keys *k, const uint8_t id[static ID_LEN],
    struct answer_account *got)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct chain_make make = { .op = CHAIN_ADD, .sign = st->sign_pub,
		.box = st->box_pub };
	struct buf newer defer(buf_wipe) = buf_init(ANSWER_CHAIN_BYTES);
	uint8_t entry[CHAIN_ENTRY_LEN];
	const struct chain_device *own;
	int rc = check_chain(cli, got, id, &c), bad;

	if (rc != 0)
		return rc;
	own = chain_find(&c, st->device);
	if (own != NULL)
		return own->live ? 0 :
				   fault_set(&cli->fault, FAULT_DENIED,
				       "this device was revoked: give a new "
				       "--home");
	memcpy(make.signer, id, ID_LEN);
	memcpy(make.account, got->account, ID_LEN);
	rc = account_room(cli, &c, CHAIN_ADD);
	if (rc != 0)
		return rc;
	rc = chain_make_entry(&c, &make, &k->sign, entry);
	if (rc != 0)
		return fault_add(&cli->fault, rc, "device chain");
	rc = authority_add_entry(a, &(struct authority_entry){
	    .account = got->account, .seen = c.n, .entry = entry }, &newer,
	    &cli->fault);
	if (rc == 0)
		bad = buf_append(&got->chain, entry, sizeof(entry));
	else
		bad = buf_append(&got->chain, newer.p, newer.n);
	return bad != 0 ? fault_add(&cli->fault, bad, "device chain") : rc;
}

/* Opens what the code opens and seals it to this device. */
static int
own_slots(struct cli *cli, const struct state *st,
    const struct state_binding *b, struct keys *k, struct slots *s)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		struct authority_slot *own = &s->own[i];

		*own = (struct authority_slot){ .kind = ANSWER_DEVICE,
			.epoch = s->code[i].epoch };
		memcpy(own->device, st->device, ID_LEN);
		rc = release_recovered(b, &k->box, own->epoch, s->code[i].blob,
		    &k->space);
		if (rc == 0)
			rc = release_seal(b, &(struct release_to){
			    .box = &st->box_pub, .device = st->device,
			    .epoch = own->epoch }, k->space.b, own->sealed);
	}
	return rc == 0 && s->n != 0 ? 0 :
	    fault_set(&cli->fault, rc == 0 || rc == FAULT_MALFORMED ?
	    FAULT_TAMPERED : rc, "authority %s: the recovery code does not "
	    "open the keyslots that it keeps for it", b->authority);
}

static void
free_slots(struct slots **s)
{
	free(*s);
}

/* [custody] In sealed custody only who has the keys can hand them to a device.
 * In another the authority wants none from here, and that the code opens its
 * keyslots is all that is asked.  FAULT_TAMPERED: it does not. */
static int
hand_keys(struct cli *cli, struct authority *as_code, const struct state *st,
    const struct answer_account *got, struct keys *k)
{
	struct slots *s defer(free_slots) = calloc(1, sizeof(*s));
	struct authority *a defer(authority_closep) = NULL;
	struct state_binding b = st->binding;
	int rc;

	if (s == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	if (got->nspaces == 0)
		return 0;
	memcpy(b.account, got->account, ID_LEN);
	memcpy(b.space, got->space[0].space, ID_LEN);
	rc = authority_recovery(as_code, &(struct authority_ask){
	    .account = b.account, .space = b.space }, s->code,
	    LEASE_EPOCHS_MAX, &s->n, &cli->fault);
	if (rc == 0)
		rc = own_slots(cli, st, &b, k, s);
	if (rc == 0)
		rc = account_open(cli, st, &a);
	if (rc == 0)
		rc = authority_keyslots(a, b.space, s->own, s->n, &cli->fault);
	return rc == FAULT_CONFLICT ? 0 : rc;
}

int
recover_enrol(struct cli *cli, struct state *st, const char *file)
{
	struct keys *k defer(secret_freep) = secret_new(sizeof(*k));
	struct authority *a defer(authority_closep) = NULL;
	struct answer_account *got defer(account_freep) =
	    calloc(1, sizeof(*got));
	uint8_t id[ID_LEN];
	struct fault why;
	int rc, slots = 0;

	if (k == NULL || got == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = read_code(cli, file, k);
	if (rc == 0)
		rc = open_as_recovery(cli, st, k, id, &a);
	if (rc != 0)
		return rc;
	rc = authority_account(a, 0, got, &cli->fault);
	if (rc == FAULT_NOT_FOUND || rc == FAULT_DENIED)
		return fault_set(&cli->fault, FAULT_SECRET,
		    "recovery code: no account at authority %s has it, or "
		    "another has taken its place",
		    st->binding.authority);
	for (int i = 0; rc == 0 && i < TRIES; i++) {
		rc = add_self(cli, a, st, k, id, got);
		if (rc != FAULT_CONFLICT)
			break;
		rc = i + 1 < TRIES ? 0 : rc;
	}
	if (rc == 0)
		slots = hand_keys(cli, a, st, got, k);
	if (slots != 0 && slots != FAULT_TAMPERED)
		return slots;
	/* A keyslot that is bad keeps nobody out: the device is let in. */
	why = cli->fault;
	if (rc == 0)
		rc = account_bind(cli, st, got, NULL);
	if (rc != 0)
		return rc;
	account_show(cli, st);
	cli->fault = why;
	return slots;
}
