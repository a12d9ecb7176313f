// SPDX-License-Identifier: Apache-2.0
/* skerry revoke: signs a device out of the account, for good. */
#include <string.h>

#include "client/account.h"
#include "client/agent.h"
#include "client/cli.h"
#include "client/rotation.h"
#include "net/text.h"

#define PREFIX_MIN 4

/* The one device whose id begins with these digits. */
static int
find(struct cli *cli, const struct chain *c, const char *prefix,
    const struct chain_device **out)
{
	size_t n = strlen(prefix), hits = 0;

	if (n < PREFIX_MIN)
		return cli_usage(cli, "at least %d digits of the id are wanted",
		    PREFIX_MIN);
	for (uint32_t i = 0; i < c->devices; i++) {
		char hex[TEXT_HEX_SIZE(ID_LEN)];

		text_hex(c->device[i].id, ID_LEN, hex, sizeof(hex));
		if (strncmp(hex, prefix, n) != 0)
			continue;
		*out = &c->device[i];
		hits++;
	}
	if (hits == 0)
		return fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "device %s: there is none", prefix);
	if (hits > 1)
		return cli_usage(cli, "%s begins the id of %zu devices",
		    prefix, hits);
	return 0;
}

/* With the end of that in force another is to come into force. */
static int
check_recovery(struct cli *cli, const struct chain *c,
    const struct chain_device *d)
{
	return d != chain_recovery(c) ? 0 : fault_set(&cli->fault,
	    FAULT_DENIED, "this is the account's recovery code: skerry "
	    "recovery new puts another in its place");
}

static int
forget_own(struct cli *cli, struct state *st)
{
	struct state_binding b = st->binding;
	bool had;
	int rc;

	b.stage = STATE_REVOKED;
	rc = state_set_binding(st, &b, &cli->fault);
	return rc != 0 ? rc : agent_drop(st, &had, &cli->fault);
}

/* Signs d out, unless it was before. */
static int
shut_out(struct cli *cli, struct authority *a, struct state *st,
    const struct chain_device *d, bool own)
{
	struct chain_make make = { .op = CHAIN_REVOKE, .sign = d->sign,
		.box = d->box };
	int rc;

	if (!d->live) {
		cli_print(cli, "revoked already\n");
		return 0;
	}
	rc = check_recovery(cli, &st->chain, d);
	if (rc == 0)
		rc = account_append(cli, a, st, &make);
	if (rc == 0 && own)
		rc = forget_own(cli, st);
	if (rc == 0)
		cli_print(cli, "revoked\n");
	return rc;
}

/* One that was broken off is run again: so the key is changed even where the
 * device was out before. */
static int
revoke(struct cli *cli, const char *prefix, bool self, bool rotate)
{
	struct state *st defer(state_closep) = NULL;
	struct authority *a defer(authority_closep) = NULL;
	const struct chain_device *d = NULL;
	bool own;
	int rc = account_current(cli, &st, &a);

	if (rc == 0)
		rc = find(cli, &st->chain, prefix, &d);
	if (rc != 0)
		return rc;
	cli_set_id(cli, "device", d->id);
	own = memcmp(d->id, st->device, ID_LEN) == 0;
	if (own && !self)
		return cli_usage(cli,
		    "this is the device itself: --self if that is meant");
	rc = shut_out(cli, a, st, d, own);
	if (rc != 0)
		return rc;
	cli_set_bool(cli, "rotated", false);
	/* A device that is out cannot rotate any more. */
	if (!own && rotate) {
		rc = rotation_follow(cli, st, "the device is revoked");
		cli_set_bool(cli, "rotated", rc == 0);
		return rc;
	}
	cli_print(cli, "The space keeps the key that the device had: run "
	    "skerry rotate%s to change it.\n",
	    own ? " on another device" : "");
	return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "self", no_argument, NULL, 's' },
		{ "no-rotate", no_argument, NULL, 'n' },
		{ 0 },
	};
	bool self = false, rotate = true;
	int c;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (c != 's' && c != 'n')
			return FAULT_USAGE;
		self |= c == 's';
		rotate &= c != 'n';
	}
	if (argc - optind != 1)
		return cli_usage(cli, "one device is wanted");
	return revoke(cli, argv[optind], self, rotate);
}

const struct command cmd_revoke = {
	.name = "revoke",
	.run = run,
	.args = "[--self] [--no-rotate] DEVICE",
	.help = "shut a device out, for good, and change the space's key",
	.options =
	    "  --self       DEVICE may be the one that this runs on\n"
	    "  --no-rotate  leave the space's key as it is\n",
};
