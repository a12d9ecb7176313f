// SPDX-License-Identifier: Apache-2.0
/* skerry approve: signs a waiting device into the account. */
#include <string.h>

#include "client/account.h"
#include "client/cli.h"
#include "client/code.h"
#include "client/custodian.h"
#include "client/release.h"
#include "client/terminal.h"
#include "client/transfer.h"
#include "net/text.h"

/* The keys behind the code.  The authority is not believed: the code stands for
 * both keys. */
static int
look_up(struct cli *cli, struct authority *a, const struct state *st,
    const uint8_t id[static ID_LEN], struct chain_make *make)
{
	uint8_t is[ID_LEN];
	int rc = authority_lookup(a, st->binding.account, id, &make->sign,
	    &make->box, &cli->fault);

	if (rc == FAULT_NOT_FOUND)
		return fault_set(&cli->fault, rc,
		    "no device with this code waits to be approved");
	if (rc != 0)
		return rc;
	/* [devices] */
	chain_device_id(&make->sign, &make->box, is);
	if (memcmp(is, id, ID_LEN) != 0)
		return fault_set(&cli->fault, FAULT_TRUST,
		    "authority %s: gave keys that are not those of the code",
		    st->binding.authority);
	return 0;
}

static int
confirm(struct cli *cli, const uint8_t id[static ID_LEN])
{
	char code[CODE_SIZE], question[256];
	bool yes = false;
	int rc;

	code_text(id, code);
	(void)snprintf(question, sizeof(question),
	    "The new device must show this code:\n\n    %s\n\n"
	    "It will be able to read and write everything.  Approve? [y/N] ",
	    code);
	rc = terminal_confirm(question, &yes, &cli->fault);
	if (rc == 0 && !yes)
		rc = fault_set(&cli->fault, FAULT_DENIED, "not approved");
	return rc;
}

/* [custody] In sealed custody only a device can let another in. */
static int
hand_keys(struct cli *cli, struct state *st, const uint8_t id[static ID_LEN])
{
	struct session *ses = NULL;
	int rc = cli_session(cli, st, SESSION_WRITE, &ses);

	if (rc != 0)
		return rc;
	rc = transfer_admit(ses, chain_find(&st->chain, id), &cli->fault);
	cli_session_done(cli, ses);
	return rc;
}

/* [custody] One more than an epoch has room for would end all rotations. */
static int
has_room(struct cli *cli, const struct state *st)
{
	struct custodian c;
	int rc = custodian_load(st, &c, &cli->fault);

	return rc != 0 || !c.known || c.set.mode != CUSTODY_SEALED ? rc :
	    release_room(&st->chain, 1, 1, &cli->fault);
}

static int
approve(struct cli *cli, const uint8_t id[static ID_LEN], bool yes)
{
	struct state *st defer(state_closep) = NULL;
	struct authority *a defer(authority_closep) = NULL;
	struct chain_make make = { .op = CHAIN_ADD };
	const struct chain_device *d;
	int rc = account_current(cli, &st, &a);

	if (rc != 0)
		return rc;
	cli_set_id(cli, "device", id);
	d = chain_find(&st->chain, id);
	if (d != NULL && d->live) {
		rc = hand_keys(cli, st, id);
		if (rc == 0)
			cli_print(cli, "approved already\n");
		return rc;
	}
	if (d != NULL)
		return fault_set(&cli->fault, FAULT_DENIED,
		    "this device was revoked: it needs new keys");
	rc = has_room(cli, st);
	if (rc == 0)
		rc = look_up(cli, a, st, id, &make);
	if (rc == 0 && !yes)
		rc = confirm(cli, id);
	if (rc == 0)
		rc = account_append(cli, a, st, &make);
	if (rc != 0)
		return rc;
	rc = hand_keys(cli, st, id);
	if (rc != 0)
		return fault_add(&cli->fault, rc, "the device is in, but it "
		    "may have no keys yet: run skerry approve again");
	cli_print(cli, "approved\n");
	account_show_check(cli, st);
	return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "yes", no_argument, NULL, 'y' },
		{ 0 },
	};
	uint8_t id[ID_LEN];
	bool yes = false;
	int c;

	while ((c = cli_getopt(cli, argc, argv, "y", options)) != -1) {
		if (c != 'y')
			return FAULT_USAGE;
		yes = true;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "one code is wanted");
	if (code_parse(argv[optind], id) != 0)
		return cli_usage(cli, "this is not the code of a device");
	return approve(cli, id, yes);
}

const struct command cmd_approve = {
	.name = "approve",
	.run = run,
	.args = "[--yes] CODE",
	.help = "let a new device in",
	.options = "  --yes, -y  do not ask whether the code is right\n",
};
