// SPDX-License-Identifier: Apache-2.0
/*
 * skerry recovery new: another recovery code in the place of the one that there
 * is.  It can be broken off at any point and run again; at any moment one of
 * the two opens everything.  client/DESIGN.md, Another recovery code.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "client/account.h"
#include "client/authority.h"
#include "client/cli.h"
#include "client/code.h"
#include "client/epoch.h"
#include "client/handover.h"
#include "client/lease.h"
#include "client/release.h"
#include "client/rotation.h"
#include "crypt/recovery.h"
#include "crypt/secret.h"
#include "crypt/sign.h"

#define TRIES 8 /* where others change devices, epochs or the code */

struct args {
	const char *out; /* file for the code, or NULL */
	bool keep_key;
};

/* In secret memory. */
struct keys {
	struct recovery_code code;
	struct sign_key sign;
	struct box_key box;
	struct space_key space;
};

struct renew {
	struct cli *cli;
	struct state *st;
	struct authority *a;
	struct session *ses;
	struct keys *k;
	struct sign_pub sign; /* of the new key, as those that follow */
	struct box_pub box;
	uint8_t id[ID_LEN];
	struct answer_slot slot[LEASE_EPOCHS_MAX];
};

static void
renew_wipe(struct renew *r)
{
	if (r->ses != NULL)
		cli_session_done(r->cli, r->ses);
	authority_close(r->a);
	state_close(r->st);
	secret_free(r->k);
}

static int
derive(struct renew *r)
{
	int rc = recovery_keys(&r->k->code, &r->k->sign, &r->k->box);

	if (rc != 0)
		return fault_add(&r->cli->fault, rc, "recovery code");
	sign_public(&r->k->sign, &r->sign);
	sign_box_public(&r->k->box, &r->box);
	chain_device_id(&r->sign, &r->box, r->id);
	return 0;
}

/* Whether the file has the code that is in force. */
static bool
has_code(struct renew *r, const char *path)
{
	const struct chain_device *d = chain_recovery(&r->st->chain);
	struct buf b defer(buf_wipe) = buf_init(CODE_LINE_MAX);
	struct fault scrap = { 0 };

	return d != NULL && code_read(path, &b, &scrap) == 0 &&
	    recovery_parse(buf_bytes(&b), &r->k->code) == 0 &&
	    derive(r) == 0 && memcmp(d->id, r->id, ID_LEN) == 0;
}

/* What a run before has begun; FAULT_NOT_FOUND where there is nothing, or
 * another device has made that one useless. */
static int
resume(struct renew *r)
{
	struct buf b defer(buf_wipe) = buf_init(RECOVERY_LEN);
	const struct chain_device *d;
	int rc = state_get_pending(r->st, STATE_OF_RECOVERY, &b,
	    &r->cli->fault);

	if (rc == 0 && b.n == STATE_OWED_LEN)
		return FAULT_NOT_FOUND; /* it was handed over */
	if (rc == 0 && b.n != RECOVERY_LEN)
		rc = fault_set(&r->cli->fault, FAULT_CONFIG,
		    "%s: recovery: damaged", r->st->dir);
	if (rc != 0)
		return rc;
	memcpy(r->k->code.b, b.p, RECOVERY_LEN);
	rc = derive(r);
	d = rc == 0 ? chain_find(&r->st->chain, r->id) : NULL;
	return d != NULL && !d->live ? FAULT_NOT_FOUND : rc;
}

static int
begin(struct renew *r, const char *out)
{
	int rc = resume(r);

	if (rc != FAULT_NOT_FOUND)
		return rc;
	r->cli->fault = (struct fault){ 0 };
	rc = account_room(r->cli, &r->st->chain, CHAIN_RECOVERY);
	if (rc == 0)
		rc = handover_check(r->cli, out);
	if (rc == FAULT_EXISTS && has_code(r, out))
		return fault_add(&r->cli->fault, rc, "the recovery code in "
		    "that file is in force; another wants another file");
	if (rc != 0)
		return rc;
	recovery_new(&r->k->code);
	rc = derive(r);
	return rc != 0 ? rc : state_set_pending(r->st, STATE_OF_RECOVERY,
	    bytes_of(r->k->code.b, RECOVERY_LEN), &r->cli->fault);
}

static int
announce(struct renew *r)
{
	struct chain_make make = { .op = CHAIN_RECOVERY, .sign = r->sign,
		.box = r->box };

	if (chain_find(&r->st->chain, r->id) != NULL)
		return 0;
	return account_append(r->cli, r->a, r->st, &make);
}

/* A session that knows all live epochs, of which none is after the head's:
 * its key would not be known to be true.  FAULT_CONFLICT: the head has moved
 * into that meanwhile. */
static int
ask(struct renew *r)
{
	int rc;

	r->cli->fault = (struct fault){ 0 };
	rc = r->ses == NULL ?
	    cli_session(r->cli, r->st, SESSION_WRITE, &r->ses) :
	    session_refresh(r->ses, &r->cli->fault);
	if (rc != 0)
		return rc;
	rc = rotation_clear(r->ses, &r->cli->fault);
	return rc == FAULT_DENIED ? FAULT_CONFLICT : rc;
}

/* The last live one before the new one: so that in force is the last of all. */
static const struct chain_device *
next_to_end(const struct chain *c, const struct chain_device *own)
{
	while (own-- != c->device)
		if (own->recovery && own->live)
			return own;
	return NULL;
}

/* Ends a key; that in force by the entry that has the new one's keyslots. */
static int
end_key(struct renew *r, const struct chain_device *d)
{
	const struct session *s = r->ses;
	struct chain_make make = { .op = CHAIN_REVOKE, .sign = d->sign,
		.box = d->box };
	int rc = 0;

	if (d != chain_recovery(&r->st->chain))
		return account_append_once(r->cli, r->a, r->st, &make, NULL,
		    0);
	if (s->nepochs > ARRAY_LEN(r->slot))
		return fault_set(&r->cli->fault, FAULT_LIMIT,
		    "too many epochs");
	for (size_t i = 0; rc == 0 && i < s->nepochs; i++) {
		r->slot[i].epoch = s->epochs[i].epoch;
		rc = release_recovery(&r->st->binding, &r->box,
		    r->slot[i].epoch, s->epochs[i].key, r->slot[i].blob);
	}
	if (rc != 0)
		return fault_add(&r->cli->fault, rc, "keyslots");
	return account_append_once(r->cli, r->a, r->st, &make, r->slot,
	    s->nepochs);
}

static int
end_older(struct renew *r)
{
	const struct chain *c = &r->st->chain;
	const struct chain_device *d;
	int rc = 0;

	while (rc == 0 && (d = next_to_end(c, chain_find(c, r->id))) != NULL)
		rc = end_key(r, d);
	return rc;
}

static int
overtaken(struct renew *r)
{
	int rc = state_drop_pending(r->st, STATE_OF_RECOVERY, &r->cli->fault);

	return rc != 0 ? rc : fault_set(&r->cli->fault, FAULT_CONFLICT,
	    "another device has made a new recovery code meanwhile");
}

/* Until the new key is in force. */
static int
bring_in(struct renew *r)
{
	for (int i = 1;; i++) {
		const struct chain_device *own;
		int rc = ask(r);

		own = chain_find(&r->st->chain, r->id);
		if (rc == 0 && (own == NULL || !own->live))
			return overtaken(r);
		if (rc == 0)
			rc = end_older(r);
		if (rc != FAULT_CONFLICT || i == TRIES)
			return rc;
	}
}

/* Whether the code opens what the authority keeps for it; *now: that is also
 * the key of the epoch to write in, as this device knows it. */
static int
opens(struct renew *r, struct authority *a, bool *now)
{
	const uint32_t epoch = session_epoch_now(r->ses);
	size_t n = 0;
	int rc = authority_recovery(a, &(struct authority_ask){
	    .account = r->ses->account, .space = r->ses->space }, r->slot,
	    ARRAY_LEN(r->slot), &n, &r->cli->fault);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct answer_slot *s = &r->slot[i];
		const struct space_key *want = session_key(r->ses, s->epoch);

		rc = release_recovered(&r->st->binding, &r->k->box, s->epoch,
		    s->blob, &r->k->space);
		if (rc == 0 && want != NULL &&
		    !secret_equal(want->b, r->k->space.b, KEY_LEN))
			rc = FAULT_TAMPERED;
		*now |= rc == 0 && s->epoch == epoch;
	}
	return rc;
}

/* As who has the code.  Another device may have rotated since the session. */
static int
prove(struct renew *r)
{
	struct authority *a defer(authority_closep) = NULL;
	struct authority_config config = { .key = &r->k->sign,
		.state = r->st, .wire = &r->cli->offshore,
		.stop = r->cli->stop };
	struct fault *f = &r->cli->fault;
	bool now = false;
	int rc = state_authority(r->st, &config.peer, f);

	memcpy(config.signer, r->id, ID_LEN);
	if (rc == 0)
		rc = authority_open(&config, &a, f);
	if (rc == 0)
		rc = opens(r, a, &now);
	for (int i = 1; rc == 0 && !now && i < TRIES; i++) {
		rc = session_refresh(r->ses, f);
		if (rc == 0)
			rc = opens(r, a, &now);
	}
	if (rc == FAULT_DENIED)
		return overtaken(r);
	if (rc == FAULT_TAMPERED || (rc == 0 && !now))
		return fault_set(f, FAULT_TAMPERED, "authority %s: the new "
		    "recovery code does not open the keyslots that it keeps "
		    "for it", r->st->binding.authority);
	return rc;
}

/* A code that leaked opened the key as it is now. */
static int
change_key(struct renew *r)
{
	int rc;

	cli_session_done(r->cli, take(r->ses));
	rc = rotation_follow(r->cli, r->st,
	    "the new recovery code is in force");
	if (rc == 0)
		rc = state_drop_pending(r->st, STATE_OF_RECOVERY,
		    &r->cli->fault);
	cli_set_bool(r->cli, "rotated", rc == 0);
	return rc;
}

static int
keep_key(struct renew *r)
{
	cli_print(r->cli, "The space keeps the key that the code before "
	    "opened: run skerry rotate to change it.\n");
	cli_set_bool(r->cli, "rotated", false);
	return state_drop_pending(r->st, STATE_OF_RECOVERY, &r->cli->fault);
}

/* The code is with its user; the epoch that the one before opened is not over
 * yet. */
static int
owe_key(struct renew *r)
{
	struct buf b defer(buf_wipe) = buf_init(STATE_OWED_LEN);
	struct wr w = wr_to(&b);

	wr_u32(&w, epoch_of_head(r->ses));
	return wr_finish(&w) != 0 ? FAULT_INTERNAL : state_set_pending(r->st,
	    STATE_OF_RECOVERY, buf_bytes(&b), &r->cli->fault);
}

/* Whether a run before handed over the very code that is in this file, and was
 * broken off in changing the key. */
static bool
owed(struct renew *r, const struct args *in, uint32_t *epoch)
{
	return in->out != NULL && !in->keep_key && state_owed(r->st, epoch) &&
	    has_code(r, in->out);
}

/* Others may have changed it meanwhile. */
static int
go_on(struct renew *r, const char *out, uint32_t epoch)
{
	int rc = cli_session(r->cli, r->st, SESSION_WRITE, &r->ses);

	if (rc != 0)
		return rc;
	cli_print(r->cli, "The code in %s is in force since a run before.\n",
	    out);
	if (epoch_of_head(r->ses) <= epoch || epoch_stale(r->ses))
		return change_key(r);
	cli_set_bool(r->cli, "rotated", true);
	return state_drop_pending(r->st, STATE_OF_RECOVERY, &r->cli->fault);
}

static int
hand_over(struct renew *r, const struct args *in)
{
	int rc = begin(r, in->out);

	if (rc == 0)
		rc = announce(r);
	if (rc == 0)
		rc = bring_in(r);
	if (rc == 0)
		rc = prove(r);
	if (rc == 0)
		rc = handover_code(r->cli, &r->k->code, in->out);
	if (rc != 0)
		return rc;
	cli_print(r->cli, "The code before it opens nothing any more.\n");
	if (in->keep_key)
		return keep_key(r);
	rc = owe_key(r);
	return rc != 0 ? rc : change_key(r);
}

static int
make_new(struct cli *cli, const struct args *in)
{
	struct renew r defer(renew_wipe) = { .cli = cli,
		.k = secret_new(sizeof(*r.k)) };
	uint32_t epoch;
	int rc;

	if (r.k == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = account_current(cli, &r.st, &r.a);
	if (rc == 0)
		rc = state_setup(r.st, &cli->fault);
	if (rc == 0 && state_has_pending(r.st, STATE_OF_INIT))
		rc = fault_set(&cli->fault, FAULT_CONFIG, "%s: init has not "
		    "handed its recovery code over yet: run skerry init "
		    "again", r.st->dir);
	if (rc != 0)
		return rc;
	return owed(&r, in, &epoch) ? go_on(&r, in->out, epoch) :
				      hand_over(&r, in);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "recovery-out", required_argument, NULL, 'o' },
		{ "no-rotate", no_argument, NULL, 'n' },
		{ 0 },
	};
	struct args in = { 0 };
	int c;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (c == 'o')
			in.out = optarg;
		else if (c == 'n')
			in.keep_key = true;
		else
			return FAULT_USAGE;
	}
	if (argc - optind != 1 || strcmp(argv[optind], "new") != 0)
		return cli_usage(cli, "new is wanted");
	return make_new(cli, &in);
}

const struct command cmd_recovery = {
	.name = "recovery",
	.run = run,
	.args = "new [--recovery-out FILE] [--no-rotate]",
	.help = "make a new recovery code, and end the one before",
	.options =
	    "  --recovery-out FILE  write the recovery code there, not to the "
	    "output\n"
	    "  --no-rotate          leave the space's key as it is\n",
};
