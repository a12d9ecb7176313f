// SPDX-License-Identifier: Apache-2.0
/* skerry custody: who holds the space's keys, and who is to. */
#include <stdlib.h>
#include <string.h>

#include "base/noun.h"
#include "client/cli.h"
#include "client/custodian.h"
#include "client/given.h"
#include "client/leaving.h"
#include "client/reading.h"
#include "client/rotation.h"
#include "client/show.h"
#include "client/state.h"
#include "client/transfer.h"
#include "net/text.h"

#define TRIES 4 /* of a move, where others change epochs or devices */

struct args {
	const char *holders, *threshold;
	bool keep_key;
};

static void
show_holders(struct cli *cli, const struct state *st, const struct custody *c,
    const char *member)
{
	json_t *list = json_array();

	for (int i = 0; i < c->n; i++) {
		const struct policy_authority *a = policy_find_signing(
		    st->policy, &c->holder[i].signing);
		const char *name = a != NULL ? a->name : "not in the policy";
		char key[TEXT_B64_SIZE(32)];

		text_b64(c->holder[i].signing.b, 32, key, sizeof(key));
		(void)json_array_append_new(list, json_pack("{s:s,s:s,s:s}",
		    "name", name, "jurisdiction", c->holder[i].jurisdiction,
		    "key", key));
		cli_print(cli, "holder        %s, in %s%s\n", name,
		    c->holder[i].jurisdiction, i == 0 ? " (home)" : "");
	}
	(void)json_object_set_new(cli->out, member, list);
}

static void
print_mode(const struct cli *cli, const struct custody *s)
{
	cli_print(cli, "custody       %s\n", custody_mode_text(s->mode));
	if (s->mode == CUSTODY_SPLIT)
		cli_print(cli, "threshold     %u of %u\n", s->k, s->n);
}

static void
show_set(struct cli *cli, const struct state *st, const struct custodian *c)
{
	const struct custody *s = &c->set;
	const struct custody_who who = { .chain = &st->chain,
		.policy = &st->policy->signer };
	char when[SHOW_TIME_SIZE], by[TEXT_HEX_SIZE(ID_LEN)];
	bool live = false, good = custody_check(s, &who, &live) == 0;

	show_time(s->time, 0, false, when);
	text_hex(s->signer, ID_LEN, by, sizeof(by));
	cli_set_text(cli, "custody", custody_mode_text(s->mode));
	cli_set_int(cli, "threshold", s->k);
	cli_set_int(cli, "serial", s->serial);
	cli_set_int(cli, "epoch", s->epoch);
	cli_set_text(cli, "time", when);
	cli_set_text(cli, "signer", s->kind == CUSTODY_DEVICE ? by :
	    "operator");
	cli_set_bool(cli, "verified", good);
	print_mode(cli, s);
	show_holders(cli, st, s, "holders");
	cli_print(cli, "set           %u, %s, signed by %s: %s\n", s->serial,
	    when, s->kind == CUSTODY_DEVICE ? by : "the operator",
	    good ? "verified" : "NOT VERIFIED");
}

static void
show_next(struct cli *cli, const struct state *st, const struct custodian *c)
{
	char when[SHOW_TIME_SIZE], seen[SHOW_TIME_SIZE];

	if (!c->announced) {
		(void)json_object_set_new(cli->out, "announced", json_null());
		return;
	}
	show_time(c->next.effective, 0, false, when);
	show_time(c->first_shown, 0, false, seen);
	(void)json_object_set_new(cli->out, "announced", json_pack(
	    "{s:s,s:i,s:s,s:s}", "custody", custody_mode_text(c->next.mode),
	    "threshold", c->next.k, "effective", when, "first_shown", seen));
	cli_print(cli, "\nAnnounced by the operator, effective %s, first shown "
	    "%s:\n", when, seen);
	print_mode(cli, &c->next);
	show_holders(cli, st, &c->next, "announced_holders");
}

static json_t *
epochs_json(const struct leaving_doubt *d)
{
	json_t *a = json_array();

	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(a,
		    json_integer((json_int_t)d->epoch[i]));
	return a;
}

/* what: the line's first word.  The list is the caller's. */
static json_t *
show_doubts(struct cli *cli, const struct leaving_report *r, const char *what)
{
	json_t *open = json_array();

	for (size_t i = 0; i < r->ndoubts; i++) {
		const struct leaving_doubt *d = &r->doubt[i];

		cli_print(cli, "%s: that %s, in %s, destroyed what it "
		    "held of epoch %u%s: %s\n", what, d->holder,
		    d->jurisdiction, d->epoch[0], d->n > 1 ? " and others" :
		    "", d->why);
		(void)json_array_append_new(open, json_pack(
		    "{s:s,s:s,s:o,s:s}", "holder", d->holder, "jurisdiction",
		    d->jurisdiction, "epochs", epochs_json(d), "why", d->why));
	}
	return open;
}

static void
show_left(struct cli *cli, const struct leaving_report *r)
{
	json_t *proved = json_array();

	for (size_t i = 0; i < r->nreceipts; i++) {
		const struct leaving_receipt *x = &r->receipt[i];

		cli_receipt(cli, x->holder, &x->receipt, proved);
	}
	if (r->more != 0)
		cli_print(cli, "and %zu more %s, in the state folder\n",
		    r->more, noun_for(r->more, "receipt", "receipts"));
	(void)json_object_set_new(cli->out, "left", proved);
	cli_set_int(cli, "left_more", (int64_t)r->more);
	(void)json_object_set_new(cli->out, "unproved",
	    show_doubts(cli, r, "unproved"));
}

static struct leaving_report *
new_report(struct fault *f)
{
	struct leaving_report *r = calloc(1, sizeof(*r));

	if (r == NULL)
		(void)fault_set(f, FAULT_MEMORY, "out of memory");
	return r;
}

static void
free_report(struct leaving_report **r)
{
	free(*r);
}

/* What is still unproved may be so for ever, and was told by the command that
 * left it: then it is shown, and no fault. */
static int
settle(struct cli *cli, struct session *ses, struct fault *f)
{
	struct leaving_report *r defer(free_report) = new_report(f);
	int rc = r == NULL ? f->code : leaving_settle(ses, r, f);
	struct fault scrap = { 0 };
	size_t given = 0;

	if (r != NULL)
		show_left(cli, r);
	if (given_settle(ses, NULL, &given, &scrap) != 0)
		given++;
	cli_set_bool(cli, "given", given != 0);
	if (given != 0)
		cli_print(cli, "given: a move that was broken off has left "
		    "shares with others than hold now: skerry rotate ends "
		    "them\n");
	return rc == FAULT_PARTIAL || rc == FAULT_TRUST ? 0 : rc;
}

/* Asks the authority; where it is away, says what is pinned. */
static int
show(struct cli *cli)
{
	struct state *st defer(state_closep) = NULL;
	struct session *ses = NULL;
	struct fault left = { 0 };
	struct custodian c;
	int rc = cli_state(cli, &st), settled = 0;

	if (rc == 0)
		rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (rc == 0)
		settled = settle(cli, ses, &left);
	if (ses != NULL)
		cli_session_done(cli, ses);
	cli_set_bool(cli, "fresh", rc == 0);
	if (rc == FAULT_AUTHORITY) {
		cli_note(cli, "skerry: %s: as it is pinned\n",
		    cli->fault.text);
		rc = 0;
	}
	if (rc == 0)
		rc = custodian_load(st, &c, &cli->fault);
	if (rc == 0 && !c.known)
		rc = fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "no custody is pinned yet");
	if (rc != 0)
		return rc;
	show_set(cli, st, &c);
	show_next(cli, st, &c);
	cli->fault = left;
	return settled;
}

/* The home first, whatever the order given. */
static int
read_holders(struct cli *cli, const struct state *st, const char *text,
    struct transfer *t)
{
	const struct policy_authority *home;
	char *list = strdup(text), *at = list, *name;
	bool has_home = false;
	int rc = state_authority(st, &home, &cli->fault);

	t->holder[0] = home;
	t->n = 1;
	while (rc == 0 && (name = strsep(&at, ",")) != NULL) {
		const struct policy_authority *a = policy_find_authority(
		    st->policy, name);

		if (a == home) {
			has_home = true;
			continue;
		}
		if (a == NULL)
			rc = cli_usage(cli,
			    "the policy has no authority %s", name);
		else if (t->n == CUSTODY_HOLDERS_MAX)
			rc = cli_usage(cli, "%s is one holder too many: %d "
			    "is the most", name, CUSTODY_HOLDERS_MAX);
		else
			t->holder[t->n++] = a;
	}
	free(list);
	if (rc == 0 && !has_home)
		rc = cli_usage(cli, "%s keeps the head: it has to be among "
		    "the holders", home->name);
	return rc;
}

static int
read_want(struct cli *cli, const struct state *st, const char *mode,
    const struct args *in, struct transfer *t)
{
	uint64_t k;

	for (enum custody_mode m = CUSTODY_STANDARD; m <= CUSTODY_SEALED; m++)
		if (strcmp(mode, custody_mode_text(m)) == 0)
			t->mode = m;
	if (t->mode == 0)
		return cli_usage(cli,
		    "custody is standard, split or sealed");
	t->k = 1;
	if (t->mode != CUSTODY_SPLIT) {
		if (in->threshold != NULL || in->holders != NULL)
			return cli_usage(cli, "only split custody has several "
			    "holders and a threshold");
		return read_holders(cli, st, st->binding.authority, t);
	}
	if (in->holders == NULL || in->threshold == NULL)
		return cli_usage(cli,
		    "split wants --holders and --threshold");
	if (reading_number(cli, "--threshold", in->threshold,
	    CUSTODY_HOLDERS_MAX, &k) != 0)
		return FAULT_USAGE;
	t->k = (uint8_t)k;
	return read_holders(cli, st, in->holders, t);
}

/* Whether somebody could open more by what the old custody gave than by what
 * the new one gives: what was handed out once may have been kept. */
static bool
leaves(const struct custody *old, const struct custody *new)
{
	if (old->kind == CUSTODY_OPERATOR)
		return true; /* by which who held before was left */
	if (old->mode == CUSTODY_SEALED)
		return false;
	if (old->mode != new->mode || new->k > old->k)
		return true;
	for (int i = 0; i < old->n; i++)
		if (custody_find(new, &old->holder[i].signing) < 0)
			return true;
	return false;
}

/* A move before may have been broken off between set and key: nobody was left
 * by this one, but the key is still that of then. */
static bool
key_is_due(const struct session *ses, const struct custody *old)
{
	return old->serial > 1 && session_epoch_now(ses) == old->epoch;
}

/* so_far: what was not right yet, with its fault.  The less is proved of who
 * was left, the more a new key is needed. */
static int
finish_set(struct cli *cli, struct state *st, bool rotate,
    const struct args *in, int so_far)
{
	const struct fault before = cli->fault;
	int rc;

	if (rotate && in->keep_key)
		cli_print(cli, "The space keeps its key, and whoever held it "
		    "or a share may have kept that: run\nskerry rotate to "
		    "change it.\n");
	if (!rotate || in->keep_key)
		return so_far;
	cli->fault = (struct fault){ 0 };
	rc = rotation_follow(cli, st, "the custody is changed");
	if (so_far == 0)
		return rc;
	if (rc != 0)
		cli_note(cli, "skerry: %s\n", cli->fault.text);
	cli->fault = before;
	return so_far;
}

/* Again where not the custody has changed meanwhile but epochs or devices: what
 * another device had begun to rotate is ended, and a device that it let in gets
 * keyslots.  Another custody is for the user to look at. */
static int
transfer(struct cli *cli, struct session *ses, const struct transfer *t,
    struct custodian *out)
{
	struct custodian before, now;
	int rc = custodian_load(ses->state, &before, &cli->fault);

	for (int i = 0; rc == 0; i++) {
		rc = rotation_clear(ses, &cli->fault);
		if (rc == 0)
			rc = transfer_run(ses, t, out, &cli->fault);
		else if (rc == FAULT_DENIED)
			rc = FAULT_CONFLICT; /* it was finished just now */
		if (rc != FAULT_CONFLICT || i == TRIES)
			return rc;
		cli->fault = (struct fault){ 0 };
		rc = session_refresh(ses, &cli->fault);
		if (rc == 0)
			rc = custodian_load(ses->state, &now, &cli->fault);
		if (rc == 0 && !custody_same(&before.set, &now.set))
			rc = fault_set(&cli->fault, FAULT_CONFLICT, "another "
			    "device has changed the custody meanwhile: nothing "
			    "was changed by this command; see skerry custody");
	}
	return rc;
}

/* First who was left before, while what it knows is the set that left it. */
static int
move(struct cli *cli, struct session *ses, const struct transfer *t,
    struct custodian *out, struct fault *left, size_t *given)
{
	struct leaving_report *r defer(free_report) = new_report(&cli->fault);
	struct fault scrap = { 0 };
	int rc;

	if (r == NULL)
		return cli->fault.code;
	(void)!leaving_settle(ses, r, &scrap);
	rc = transfer(cli, ses, t, out);
	if (rc != 0 && rc != FAULT_PARTIAL)
		return rc;
	show_set(cli, ses->state, out);
	(void)!leaving_settle(ses, r, left);
	show_left(cli, r);
	(void)!given_settle(ses, NULL, given, &scrap);
	return rc;
}

static int
set(struct cli *cli, const char *mode, const struct args *in)
{
	struct state *st defer(state_closep) = NULL;
	struct session *ses = NULL;
	struct transfer t = { 0 };
	struct custodian c = { 0 }, old = { 0 };
	struct fault left = { 0 };
	size_t given = 0;
	bool due = false;
	int rc = cli_state(cli, &st);

	if (rc == 0)
		rc = state_require_ready(st, &cli->fault);
	/* Two at once, in one second, would make one set and two splits. */
	if (rc == 0)
		rc = state_setup(st, &cli->fault);
	if (rc == 0)
		rc = read_want(cli, st, mode, in, &t);
	if (rc == 0)
		rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (rc != 0)
		return rc;
	rc = custodian_load(st, &old, &cli->fault);
	if (rc == 0) {
		due = key_is_due(ses, &old.set);
		rc = move(cli, ses, &t, &c, &left, &given);
	}
	cli_session_done(cli, ses);
	if (rc != 0 && rc != FAULT_PARTIAL)
		return rc;
	if (rc == 0)
		cli->fault = left;
	due |= given != 0;
	return finish_set(cli, st, due || leaves(&old.set, &c.set), in,
	    cli->fault.code);
}

/* Sealing makes a set in the place of the announced one, which falls. */
static int
refuse(struct cli *cli)
{
	struct state *st defer(state_closep) = NULL;
	struct session *ses = NULL;
	struct custodian c = { 0 };
	int rc = cli_state(cli, &st);

	if (rc == 0)
		rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (ses != NULL)
		cli_session_done(cli, ses);
	if (rc == 0)
		rc = custodian_load(st, &c, &cli->fault);
	if (rc == 0 && !c.announced)
		rc = fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "no change of custody is announced");
	if (rc != 0)
		return rc;
	return set(cli, "sealed", &(struct args){ 0 });
}

/* It is asked once more: who is there again gives its receipts. */
static int
forget(struct cli *cli, const char *holder)
{
	struct leaving_report *r defer(free_report) = new_report(&cli->fault);
	struct state *st defer(state_closep) = NULL;
	struct session *ses = NULL;
	struct fault scrap = { 0 };
	int rc = r == NULL ? cli->fault.code : cli_state(cli, &st);

	if (rc == 0)
		rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (rc != 0)
		return rc;
	(void)!leaving_settle(ses, r, &scrap);
	rc = leaving_forget(ses, holder, r, &cli->fault);
	cli_session_done(cli, ses);
	if (rc == 0)
		(void)json_object_set_new(cli->out, "forgotten",
		    show_doubts(cli, r, "forgotten"));
	return rc;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "holders", required_argument, NULL, 'h' },
		{ "threshold", required_argument, NULL, 'k' },
		{ "no-rotate", no_argument, NULL, 'n' }, { 0 } };
	struct args in = { 0 };
	const char *what;
	int c, n;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (c == 'n')
			in.keep_key = true;
		else if (c == 'h' || c == 'k')
			*(c == 'h' ? &in.holders : &in.threshold) = optarg;
		else
			return FAULT_USAGE;
	}
	n = argc - optind;
	what = n == 0 ? "show" : argv[optind];
	if (strcmp(what, "set") == 0 && n == 2)
		return set(cli, argv[optind + 1], &in);
	if (strcmp(what, "set") == 0)
		return cli_usage(cli, "set wants one MODE");
	if (in.holders != NULL || in.threshold != NULL || in.keep_key)
		return cli_usage(cli, "--holders, --threshold and --no-rotate "
		    "are for set");
	if (strcmp(what, "show") == 0 && n <= 1)
		return show(cli);
	if (strcmp(what, "refuse") == 0 && n == 1)
		return refuse(cli);
	if (strcmp(what, "forget") == 0 && n == 2)
		return forget(cli, argv[optind + 1]);
	return cli_usage(cli, "show, set, refuse or forget is wanted");
}

const struct command cmd_custody = {
	.name = "custody",
	.run = run,
	.args = "[show] | set MODE [--holders NAME,… --threshold K] "
	    "[--no-rotate] | refuse | forget HOLDER",
	.help = "show who holds the keys, or move them",
	.options =
	    "  MODE           standard, split or sealed\n"
	    "  --holders A,B  authorities of the policy, in different "
	    "jurisdictions\n"
	    "  --threshold K  how many of them it takes\n"
	    "  --no-rotate    leave the space's key as it is, where a holder "
	    "is left\n"
	    "  HOLDER         one that is gone for good, as unproved names "
	    "it\n",
};
