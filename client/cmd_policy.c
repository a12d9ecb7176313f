// SPDX-License-Identifier: Apache-2.0
/* skerry policy: shows the pinned policy, or pins a later one. */
#include <inttypes.h>

#include "client/account.h"
#include "client/cli.h"
#include "net/text.h"

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS, { 0 } };
	struct state *st defer(state_closep) = NULL;
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	char key[TEXT_B64_SIZE(32)];
	int rc;

	if (cli_getopt(cli, argc, argv, "", options) != -1)
		return FAULT_USAGE;
	if (argc - optind > 1)
		return cli_usage(cli, "one file is wanted at most");
	rc = cli_state(cli, &st);
	if (rc == 0 && optind < argc) {
		rc = account_read_policy(cli, argv[optind], &file);
		if (rc == 0)
			rc = state_set_policy(st, buf_bytes(&file),
			    &cli->fault);
	}
	if (rc != 0)
		return rc;
	text_b64(st->policy->signer.b, 32, key, sizeof(key));
	cli_set_int(cli, "serial", (int64_t)st->policy->serial);
	cli_set_text(cli, "policy_key", key);
	cli_print(cli, "serial      %" PRIu64 "\npolicy key  %s\n",
	    st->policy->serial, key);
	return 0;
}

const struct command cmd_policy = {
	.name = "policy",
	.run = run,
	.args = "[FILE]",
	.help = "Show the pinned policy, or pin a later one",
};
