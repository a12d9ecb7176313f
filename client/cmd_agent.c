// SPDX-License-Identifier: Apache-2.0
/* skerry agent: started by other commands, with its socket as descriptor 0. */
#include "client/agentd.h"
#include "client/cli.h"

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "socket", required_argument, NULL, 's' },
		{ 0 },
	};
	const char *socket = NULL;
	int c;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (c != 's')
			return FAULT_USAGE;
		socket = optarg;
	}
	if (cli->home == NULL || socket == NULL || optind != argc)
		return cli_usage(cli, "is started by other commands");
	return agentd_run(cli->home, socket, &cli->fault);
}

const struct command cmd_agent = {
	.name = "agent",
	.run = run,
	.args = "--home DIR --socket PATH",
	.help = "keep a lease in memory (started by other commands)",
	.hidden = true,
};
