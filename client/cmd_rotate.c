// SPDX-License-Identifier: Apache-2.0
/* skerry rotate: a new epoch, with a new space key. */
#include <getopt.h>

#include "client/cli.h"
#include "client/rotation.h"
#include "client/state.h"

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS, { 0 } };
	struct state *st defer(state_closep) = NULL;
	struct rewrite w = { .message = "rotate" };
	int rc;

	while (cli_getopt(cli, argc, argv, "", options) != -1)
		return FAULT_USAGE;
	if (cli->help)
		return 0;
	if (optind != argc)
		return cli_usage(cli, "rotate takes no operand");
	rc = cli_state(cli, &st);
	if (rc == 0)
		rc = rotation_run(cli, st, "rotate", &w);
	return rc != 0 ? rc : rotation_lost(cli, &w);
}

const struct command cmd_rotate = {
	.name = "rotate",
	.run = run,
	.args = "",
	.help = "give the space a new key, and have the old one destroyed",
};
