// SPDX-License-Identifier: Apache-2.0
/* skerry lock: forgets the lease at once. */
#include "client/agent.h"
#include "client/cli.h"

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS, { 0 } };
	struct state *st defer(state_closep) = NULL;
	bool had = false;
	int rc;

	if (cli_getopt(cli, argc, argv, "", options) != -1)
		return FAULT_USAGE;
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	rc = cli_state(cli, &st);
	if (rc == 0)
		rc = agent_drop(st, &had, &cli->fault);
	if (rc != 0)
		return rc;
	cli_set_bool(cli, "had_lease", had);
	cli_print(cli, had ? "locked\n" : "locked: no lease was held\n");
	return 0;
}

const struct command cmd_lock = {
	.name = "lock",
	.run = run,
	.args = "",
	.help = "forget the released keys at once",
};
