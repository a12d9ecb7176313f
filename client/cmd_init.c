// SPDX-License-Identifier: Apache-2.0
/*
 * skerry init: a new account with one space.  What is sent is written down
 * first, so that a run after a crash or a lost answer sends the same bytes; the
 * recovery code stays on the disk until it was handed over.
 * client/DESIGN.md, Init.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rd.h"
#include "base/wr.h"
#include "client/account.h"
#include "client/authority.h"
#include "client/cli.h"
#include "client/code.h"
#include "client/handover.h"
#include "client/logpin.h"
#include "client/release.h"
#include "crypt/hpke.h"
#include "crypt/invitation.h"
#include "crypt/recovery.h"
#include "crypt/secret.h"
#include "crypt/sign.h"

#define FIRST_EPOCH 1

struct args {
	const char *policy, *policy_key, *authority, *residency, *depot;
	const char *recovery_out, *trust, *code, *code_in;
	struct invitation invitation; /* of one of the two */
	bool invited;
};

/* Secrets of one run, in secret memory. */
struct secrets {
	struct recovery_code code;
	struct sign_key sign;
	struct box_key box;
	struct space_key space;
};

static const struct policy_authority *
choose_authority(const struct policy *p, const struct policy_residency *r,
    const char *name)
{
	for (size_t i = 0; i < p->nauthorities; i++) {
		const struct policy_authority *a = &p->authorities[i];

		if (name != NULL && strcmp(a->name, name) != 0)
			continue;
		for (size_t k = 0; k < r->nkeys; k++)
			if (strcmp(r->keys[k], a->jurisdiction) == 0)
				return a;
	}
	return NULL;
}

static int
no_residency(struct cli *cli, const struct policy *p, const char *name)
{
	char has[512] = "";

	for (size_t i = 0, n = 0; i < p->nresidencies && n < sizeof(has); i++)
		n += (size_t)snprintf(has + n, sizeof(has) - n, "%s%s",
		    i > 0 ? ", " : "", p->residencies[i].name);
	return fault_set(&cli->fault, FAULT_CONFIG,
	    "policy: it has no residency %s; it has %s", name, has);
}

/* The names of a new space, from the options and the policy. */
static int
choose(struct cli *cli, const struct state *st, const struct args *in,
    struct state_binding *b)
{
	const struct policy_residency *r = policy_find_residency(st->policy,
	    in->residency);
	const struct policy_authority *a;
	const char *depot = in->depot;
	char has[160];

	if (r == NULL)
		return no_residency(cli, st->policy, in->residency);
	policy_authority_names(st->policy, has, sizeof(has));
	if (in->authority != NULL &&
	    policy_find_authority(st->policy, in->authority) == NULL)
		return fault_set(&cli->fault, FAULT_CONFIG, "policy: it has "
		    "no authority %s; it has %s", in->authority, has);
	a = choose_authority(st->policy, r, in->authority);
	if (a == NULL)
		return fault_set(&cli->fault, FAULT_CONFIG,
		    "policy: residency %s allows no keys at %s", r->name,
		    in->authority != NULL ? in->authority : "any authority");
	if (depot == NULL)
		depot = r->depots[0];
	if (!policy_allows(r, depot))
		return fault_set(&cli->fault, FAULT_CONFIG,
		    "policy: residency %s does not have depot %s, but %s%s",
		    r->name, depot, r->depots[0],
		    r->ndepots > 1 ? " and others" : "");
	b->stage = STATE_INIT;
	secret_random(b->account, ID_LEN);
	secret_random(b->space, ID_LEN);
	(void)snprintf(b->authority, sizeof(b->authority), "%s", a->name);
	(void)snprintf(b->residency, sizeof(b->residency), "%s", r->name);
	(void)snprintf(b->depot, sizeof(b->depot), "%s", depot);
	return 0;
}

static bool
differs(const char *wanted, const char *is)
{
	return wanted != NULL && strcmp(wanted, is) != 0;
}

/* The two entries of a new chain. */
static int
make_chain(const struct state *st, const struct state_binding *b,
    const struct secrets *s, uint8_t out[2][CHAIN_ENTRY_LEN])
{
	struct chain c defer(chain_wipe) = { 0 };
	struct chain_make m = { .op = CHAIN_ADD, .sign = st->sign_pub,
		.box = st->box_pub };
	int rc;

	memcpy(m.account, b->account, ID_LEN);
	memcpy(m.signer, st->device, ID_LEN);
	rc = chain_make_entry(&c, &m, st->sign, out[0]);
	if (rc == 0)
		rc = chain_append(&c, bytes_of(out[0], CHAIN_ENTRY_LEN));
	if (rc != 0)
		return rc;
	m.op = CHAIN_RECOVERY;
	sign_public(&s->sign, &m.sign);
	sign_box_public(&s->box, &m.box);
	return chain_make_entry(&c, &m, st->sign, out[1]);
}

/* spec/10-names.md: Admission, and Recovery keyslot. */
static int
make_slots(const struct state_binding *b, const struct policy_authority *a,
    const struct secrets *s, struct authority_account_parts *out)
{
	struct box_pub recovery;
	int rc = release_seal(b, &(struct release_to){ .box = &a->intake,
	    .epoch = FIRST_EPOCH }, s->space.b, out->admission);

	sign_box_public(&s->box, &recovery);
	if (rc == 0)
		rc = release_recovery(b, &recovery, FIRST_EPOCH, &s->space,
		    out->recovery);
	return rc;
}

/* spec/55-custody.md: the set of a new space. */
static int
make_custody(const struct state *st, const struct state_binding *b,
    const struct policy_authority *a, struct custody *out)
{
	struct custody c = { .mode = CUSTODY_STANDARD, .k = 1, .n = 1,
		.serial = 1, .epoch = FIRST_EPOCH, .kind = CUSTODY_DEVICE,
		.time = (int64_t)time(NULL) };
	int rc;

	c.effective = c.time;
	memcpy(c.space, b->space, ID_LEN);
	memcpy(c.signer, st->device, ID_LEN);
	c.holder[0].signing = a->signing;
	memcpy(c.holder[0].jurisdiction, a->jurisdiction, 3);
	rc = custody_sign(&c, st->sign);
	if (rc == 0)
		*out = c;
	return rc;
}

/* spec/60-log.md: the authority is told it, and this device keeps it. */
static int
make_log_key(const struct state *st, const struct secrets *s,
    struct leaf_log_key *out, struct fault *f)
{
	int rc = leaf_log_key_first(&s->space, out);

	return rc != 0 ? rc : logpin_set_key(st, out, f);
}

/* pending = recovery code [20] || chain [2 * 216] || body of the request */
static int
make_pending(struct cli *cli, struct state *st, const struct args *in,
    const struct state_binding *b)
{
	struct secrets *s defer(secret_freep) = secret_new(sizeof(*s));
	struct authority_account_parts parts = { .residency = b->residency,
		.depot = b->depot,
		.invitation = in->invited ? &in->invitation : NULL };
	struct buf out defer(buf_wipe) = buf_init(STATE_PENDING_MAX);
	const struct policy_authority *a = policy_find_authority(st->policy,
	    b->authority);
	struct custody custody;
	int rc;

	if (s == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	memcpy(parts.account, b->account, ID_LEN);
	memcpy(parts.space, b->space, ID_LEN);
	recovery_new(&s->code);
	secret_random(s->space.b, KEY_LEN);
	rc = recovery_keys(&s->code, &s->sign, &s->box);
	if (rc == 0)
		rc = make_chain(st, b, s, parts.chain);
	if (rc == 0)
		rc = make_slots(b, a, s, &parts);
	if (rc == 0)
		rc = make_custody(st, b, a, &custody);
	if (rc == 0)
		rc = make_log_key(st, s, &parts.log_key, &cli->fault);
	if (rc == 0)
		parts.custody = bytes_of(custody.raw, custody.len);
	if (rc == 0)
		rc = buf_append(&out, s->code.b, RECOVERY_LEN);
	if (rc == 0)
		rc = buf_append(&out, parts.chain, sizeof(parts.chain));
	if (rc == 0)
		rc = authority_account_body(&parts, &out);
	if (rc != 0)
		return fault_add(&cli->fault, rc, "new account");
	return state_set_pending(st, STATE_OF_INIT, buf_bytes(&out),
	    &cli->fault);
}

/* The binding is written last: from then on the request may have been sent. */
static int
begin(struct cli *cli, struct state *st, const struct args *in)
{
	struct state_binding b = { 0 };
	/* Before there is an account whose code nobody gets. */
	int rc = handover_check(cli, in->recovery_out);

	if (rc == 0)
		rc = choose(cli, st, in, &b);
	if (rc == 0)
		rc = make_pending(cli, st, in, &b);
	if (rc == 0)
		rc = state_set_binding(st, &b, &cli->fault);
	return rc;
}

static int
resume(struct cli *cli, const struct state *st, const struct args *in)
{
	const struct state_binding *b = &st->binding;

	if (differs(in->residency, b->residency) ||
	    differs(in->authority, b->authority) ||
	    differs(in->depot, b->depot))
		return fault_set(&cli->fault, FAULT_CONFLICT,
		    "%s: init was begun with authority %s, residency %s, "
		    "depot %s: finish it with the same", st->dir,
		    b->authority, b->residency, b->depot);
	return 0;
}

/* Answers by which the authority says that it has made nothing. */
static bool
refused(int rc)
{
	return rc == FAULT_DENIED || rc == FAULT_EXISTS || rc == FAULT_LIMIT ||
	    rc == FAULT_USAGE || rc == FAULT_VERSION || rc == FAULT_NOT_FOUND;
}

static int
create(struct cli *cli, struct state *st, struct bytes chain,
    struct bytes body)
{
	struct authority *a defer(authority_closep) = NULL;
	struct state_binding b = st->binding;
	struct fault scrap = { 0 };
	int rc = account_open(cli, st, &a);

	if (rc == 0)
		rc = authority_create(a, body, &cli->fault);
	if (refused(rc)) {
		(void)!state_unbind(st, &scrap);
		(void)!state_drop_pending(st, STATE_OF_INIT, &scrap);
	}
	if (rc == 0)
		rc = state_add_chain(st, 0, chain, &cli->fault);
	if (rc != 0)
		return rc;
	b.stage = STATE_READY;
	return state_set_binding(st, &b, &cli->fault);
}

static int
finish(struct cli *cli, struct state *st, const struct args *in)
{
	struct recovery_code *code defer(secret_freep) =
	    secret_new(sizeof(*code));
	struct buf pending defer(buf_wipe) = buf_init(STATE_PENDING_MAX);
	struct bytes chain, body;
	struct rd r;
	int rc = state_get_pending(st, STATE_OF_INIT, &pending, &cli->fault);

	if (rc != 0)
		return rc;
	if (code == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	r = rd_from(pending.p, pending.n);
	rd_copy(&r, code->b, RECOVERY_LEN);
	chain = rd_take(&r, 2 * (size_t)CHAIN_ENTRY_LEN);
	body = rd_take(&r, r.left);
	if (rd_finish(&r) != 0)
		return fault_set(&cli->fault, FAULT_CONFIG,
		    "%s: pending: damaged", st->dir);
	if (st->binding.stage != STATE_READY)
		rc = create(cli, st, chain, body);
	if (rc != 0)
		return rc;
	account_show(cli, st);
	/* Once it was handed over, the code is nowhere on this disk. */
	rc = handover_code(cli, code, in->recovery_out);
	return rc != 0 ? rc : state_drop_pending(st, STATE_OF_INIT,
	    &cli->fault);
}

/* A run before did not end.  What it had no invitation for, or a bad one, is
 * begun anew with this one's: the authority has made nothing. */
static int
finish_anew(struct cli *cli, struct state *st, const struct args *in)
{
	int rc = finish(cli, st, in);

	if (rc != FAULT_DENIED || !in->invited || st->binding.stage != 0)
		return rc;
	rc = begin(cli, st, in);
	return rc != 0 ? rc : finish(cli, st, in);
}

static int
init(struct cli *cli, const struct args *in)
{
	struct state *st defer(state_closep) = NULL;
	int rc = account_begin(cli, in->policy, in->policy_key, &st);

	if (rc == 0 && in->trust != NULL)
		rc = account_pin_trust(cli, st, in->trust);
	if (rc != 0)
		return rc;
	switch (st->binding.stage) {
	case STATE_READY:
		/* All but the last step was done: the code is still here. */
		if (state_has_pending(st, STATE_OF_INIT))
			break;
		return fault_set(&cli->fault, FAULT_EXISTS,
		    "%s: there is a space here already", st->dir);
	case STATE_INIT:
		rc = resume(cli, st, in);
		return rc != 0 ? rc : finish_anew(cli, st, in);
	case STATE_ENROL:
	case STATE_REVOKED:
		return fault_set(&cli->fault, FAULT_EXISTS,
		    "%s: is in use for another account: give another --home",
		    st->dir);
	default:
		rc = begin(cli, st, in);
		break;
	}
	return rc != 0 ? rc : finish(cli, st, in);
}

/* Before anything is made or sent. */
static int
read_invitation(struct cli *cli, struct args *in)
{
	struct buf text defer(buf_wipe) = buf_init(CODE_LINE_MAX);
	int rc;

	if (in->code != NULL && in->code_in != NULL)
		return cli_usage(cli,
		    "--invitation and --invitation-in exclude each other");
	in->invited = in->code != NULL || in->code_in != NULL;
	if (!in->invited)
		return 0;
	rc = in->code != NULL ?
	    buf_append(&text, in->code, strlen(in->code)) :
	    code_read(in->code_in, &text, &cli->fault);
	if (rc != 0)
		return fault_add(&cli->fault, rc, "invitation");
	rc = invitation_parse(buf_bytes(&text), &in->invitation);
	return code_unread("invitation", rc, &cli->fault);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "policy", required_argument, NULL, 'p' },
		{ "policy-key", required_argument, NULL, 'k' },
		{ "trust", required_argument, NULL, 't' },
		{ "authority", required_argument, NULL, 'a' },
		{ "residency", required_argument, NULL, 'r' },
		{ "depot", required_argument, NULL, 'd' },
		{ "recovery-out", required_argument, NULL, 'o' },
		{ "invitation", required_argument, NULL, 'i' },
		{ "invitation-in", required_argument, NULL, 'f' },
		{ 0 },
	};
	struct args in = { 0 };
	int c, rc;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		const char **at = c == 'p' ? &in.policy :
		    c == 'k'		   ? &in.policy_key :
		    c == 'a'		   ? &in.authority :
		    c == 'r'		   ? &in.residency :
		    c == 'd'		   ? &in.depot :
		    c == 'o'		   ? &in.recovery_out :
		    c == 't'		   ? &in.trust :
		    c == 'i'		   ? &in.code :
		    c == 'f'		   ? &in.code_in :
					     NULL;

		if (at == NULL)
			return FAULT_USAGE;
		*at = optarg;
	}
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	if (in.policy == NULL || in.residency == NULL)
		return cli_usage(cli, "--policy and --residency are needed");
	rc = read_invitation(cli, &in);
	if (rc == 0)
		rc = init(cli, &in);
	secret_wipe(&in.invitation, sizeof(in.invitation));
	return rc;
}

const struct command cmd_init = {
	.name = "init",
	.run = run,
	.args = "--policy FILE --residency NAME [OPTION…]",
	.help = "make an account and a space, with this as its first device",
	.options =
	    "  --policy FILE        the operator's signed policy\n"
	    "  --policy-key KEY     the key that must have signed it (base64)\n"
	    "  --trust FILE         whom to believe about logs, instead of the "
	    "policy's\n"
	    "  --residency NAME     where the data is to be kept\n"
	    "  --authority NAME     who keeps the keys\n"
	    "  --depot NAME         who keeps the data\n"
	    "  --recovery-out FILE  write the recovery code there, not to the "
	    "output\n"
	    "  --invitation CODE    where the authority wants one\n"
	    "  --invitation-in FILE the same, in FILE\n",
};
