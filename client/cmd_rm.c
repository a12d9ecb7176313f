// SPDX-License-Identifier: Apache-2.0
/* skerry rm: commits the removal of paths.  Earlier commits keep them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/noun.h"
#include "client/cli.h"
#include "client/engine/put.h"
#include "client/path.h"
#include "client/paths.h"

static int
remove_all(struct cli *cli, const struct paths *c)
{
	struct state *st defer(state_closep) = NULL;
	struct session *ses = NULL;
	struct put p = { 0 };
	char shown[PATH_SHOW_MAX], message[PATH_SHOW_MAX + 64];
	int rc = cli_state(cli, &st);

	if (rc == 0)
		rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (rc != 0)
		return rc;
	path_show(c->key[0], shown);
	(void)snprintf(message, sizeof(message), c->n > 1 ?
	    "rm %s and %zu more" : "rm %s", shown, c->n - 1);
	p.ses = ses;
	p.message = message;
	rc = put_remove(&p, c->key, c->n, &cli->fault);
	cli_session_done(cli, ses);
	if (rc != 0)
		return rc;
	cli_set_int(cli, "commit", (int64_t)p.number);
	cli_set_int(cli, "removed", (int64_t)p.removed);
	cli_print(cli, "commit %" PRIu64 ": removed %" PRIu64
	    " %s; earlier commits keep %s\n", p.number, p.removed,
	    noun_for(p.removed, "entry", "entries"),
	    noun_for(p.removed, "it", "them"));
	return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS, { 0 } };
	struct paths c defer(paths_wipe) = { 0 };
	int rc;

	while (cli_getopt(cli, argc, argv, "", options) != -1)
		return FAULT_USAGE;
	if (cli->help)
		return 0;
	if (optind == argc)
		return cli_usage(cli, "what is to be removed?");
	rc = paths_read(cli, argc, argv, &c);
	return rc != 0 ? rc : remove_all(cli, &c);
}

const struct command cmd_rm = {
	.name = "rm",
	.run = run,
	.args = "PATH…",
	.help = "remove paths in a new commit; earlier commits keep them",
};
