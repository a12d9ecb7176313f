// SPDX-License-Identifier: Apache-2.0
/*
 * skerry enrol: joins this device to an account, either by another device's
 * approval or by the recovery code.  Both can be broken off and run again.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/account.h"
#include "client/authority.h"
#include "client/cli.h"
#include "client/code.h"
#include "client/recover.h"

#define POLL_FIRST_MS 1000
#define POLL_MAX_MS 15000
#define SLICE_MS 100
#define AGAIN_BEFORE 60 /* seconds before the enrolment expires */

struct args {
	const char *policy, *policy_key, *authority, *recovery_in, *check;
	const char *trust;
	bool recovery, no_wait;
};

static int
sleep_ms(struct cli *cli, int ms)
{
	for (; ms > 0; ms -= SLICE_MS) {
		const struct timespec t = { .tv_nsec = SLICE_MS * 1000000L };

		if (atomic_load(cli->stop))
			return fault_set(&cli->fault, FAULT_INTERRUPTED,
			    "interrupted: run skerry enrol again to go on");
		(void)nanosleep(&t, NULL);
	}
	return 0;
}

/* 1 where the account has this device and the state is bound; 0: not yet. */
static int
try_bind(struct cli *cli, struct authority *a, struct state *st,
    const char *check)
{
	struct answer_account *got defer(account_freep) =
	    calloc(1, sizeof(*got));
	int rc;

	if (got == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = authority_account(a, 0, got, &cli->fault);
	if (rc == FAULT_NOT_FOUND || rc == FAULT_DENIED)
		return 0;
	if (rc == 0)
		rc = account_bind(cli, st, got, check);
	return rc == 0 ? 1 : rc;
}

static int
announce(struct cli *cli, struct authority *a, const struct state *st,
    int64_t *expires)
{
	return authority_enrol(a, &st->sign_pub, &st->box_pub, expires,
	    &cli->fault);
}

static void
show_code(struct cli *cli, const struct state *st)
{
	char code[CODE_SIZE];

	code_text(st->device, code);
	cli_set_text(cli, "code", code);
	cli_print(cli, "Code of this device:\n\n    %s\n\n"
	    "On a device of yours, run:  skerry approve %s\n", code, code);
	(void)fflush(stdout);
}

/* Asks at growing intervals; an authority that is away does not end it. */
static int
wait_for_approval(struct cli *cli, struct authority *a, struct state *st,
    const char *check, int64_t expires)
{
	int ms = POLL_FIRST_MS, rc;

	cli_note(cli, "waiting (Ctrl-C to leave; run it again to go on)\n");
	for (;;) {
		rc = sleep_ms(cli, ms);
		if (rc == 0)
			rc = try_bind(cli, a, st, check);
		if (rc == FAULT_AUTHORITY || rc == 0) {
			ms = ms * 3 / 2 < POLL_MAX_MS ? ms * 3 / 2 :
							POLL_MAX_MS;
			if (time(NULL) > expires - AGAIN_BEFORE)
				rc = announce(cli, a, st, &expires);
		}
		if (rc == FAULT_INTERRUPTED)
			return fault_set(&cli->fault, rc,
			    "interrupted: run skerry enrol again to go on");
		if (rc < 0 && rc != FAULT_AUTHORITY)
			return rc;
		if (rc > 0)
			return 0;
	}
}

static int
by_approval(struct cli *cli, struct authority *a, struct state *st,
    const struct args *in)
{
	int64_t expires;
	int rc = try_bind(cli, a, st, in->check);

	if (rc == 0)
		rc = announce(cli, a, st, &expires);
	if (rc < 0)
		return rc;
	if (st->binding.stage != STATE_READY) {
		show_code(cli, st);
		if (in->no_wait) {
			cli_set_bool(cli, "approved", false);
			return 0;
		}
		rc = wait_for_approval(cli, a, st, in->check, expires);
		if (rc != 0)
			return rc;
	}
	cli_set_bool(cli, "approved", true);
	account_show(cli, st);
	if (in->check == NULL)
		cli_note(cli, "the device that approved this one must show "
		    "the same check\n");
	return 0;
}

static int
choose(struct cli *cli, struct state *st, const char *name)
{
	struct state_binding b = st->binding;
	char has[160];

	if (b.stage == STATE_ENROL && name == NULL)
		return 0;
	if (name == NULL && st->policy->nauthorities == 1)
		name = st->policy->authorities[0].name;
	policy_authority_names(st->policy, has, sizeof(has));
	if (name == NULL)
		return cli_usage(cli, "the policy has several authorities: "
		    "--authority is needed, one of %s", has);
	if (policy_find_authority(st->policy, name) == NULL)
		return fault_set(&cli->fault, FAULT_CONFIG,
		    "policy: it has no authority %s; it has %s", name, has);
	b.stage = STATE_ENROL;
	(void)snprintf(b.authority, sizeof(b.authority), "%s", name);
	return state_set_binding(st, &b, &cli->fault);
}

static int
open_state(struct cli *cli, const struct args *in, struct state **out)
{
	struct state *st defer(state_closep) = NULL;
	int rc = account_begin(cli, in->policy, in->policy_key, &st);

	if (rc != 0)
		return rc;
	if (st->binding.stage != 0 && st->binding.stage != STATE_ENROL)
		return fault_set(&cli->fault, FAULT_EXISTS,
		    "%s: belongs to a space already", st->dir);
	if (in->trust != NULL)
		rc = account_pin_trust(cli, st, in->trust);
	if (rc == 0)
		rc = choose(cli, st, in->authority);
	if (rc == 0)
		*out = take(st);
	return rc;
}

static int
enrol(struct cli *cli, const struct args *in)
{
	struct state *st defer(state_closep) = NULL;
	struct authority *a defer(authority_closep) = NULL;
	int rc = open_state(cli, in, &st);

	if (rc == 0 && in->recovery)
		return recover_enrol(cli, st, in->recovery_in);
	if (rc == 0)
		rc = account_open(cli, st, &a);
	if (rc == 0)
		rc = by_approval(cli, a, st, in);
	return rc;
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
		{ "recovery", no_argument, NULL, 'r' },
		{ "recovery-in", required_argument, NULL, 'i' },
		{ "no-wait", no_argument, NULL, 'n' },
		{ "check", required_argument, NULL, 'c' },
		{ 0 },
	};
	struct args in = { 0 };
	int c;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		switch (c) {
		case 'p':
			in.policy = optarg;
			break;
		case 'k':
			in.policy_key = optarg;
			break;
		case 'a':
			in.authority = optarg;
			break;
		case 'i':
			in.recovery_in = optarg;
			in.recovery = true;
			break;
		case 'c':
			in.check = optarg;
			break;
		case 't':
			in.trust = optarg;
			break;
		case 'r':
			in.recovery = true;
			break;
		case 'n':
			in.no_wait = true;
			break;
		default:
			return FAULT_USAGE;
		}
	}
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	if (in.policy == NULL)
		return cli_usage(cli, "--policy is needed");
	if (in.recovery && (in.check != NULL || in.no_wait))
		return cli_usage(cli, "--check and --no-wait are for an "
		    "approval, which the recovery code needs none of");
	return enrol(cli, &in);
}

const struct command cmd_enrol = {
	.name = "enrol",
	.run = run,
	.args = "--policy FILE [OPTION…]",
	.help = "join this device to an account",
	.options =
	    "  --policy FILE       the operator's signed policy\n"
	    "  --policy-key KEY    the key that must have signed it (base64)\n"
	    "  --trust FILE        whom to believe about logs, instead of the "
	    "policy's\n"
	    "  --authority NAME    who keeps the account\n"
	    "  --check CHECK       the account check that it must have\n"
	    "  --no-wait           show the code and leave\n"
	    "  --recovery          join by the recovery code, asked for\n"
	    "  --recovery-in FILE  join by the recovery code in FILE\n",
};
