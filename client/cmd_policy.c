// SPDX-License-Identifier: Apache-2.0
/* skerry policy: shows the pinned policy, or pins a later one. */
#include <inttypes.h>

#include "client/account.h"
#include "client/cli.h"
#include "client/logpin.h"
#include "net/text.h"
#include "tlog/trust.h"

/* Whose file says whom to believe about logs. */
static int
show_trust(struct cli *cli, const struct state *st)
{
	struct buf own defer(buf_wipe) = buf_init(TRUST_FILE_MAX);
	int rc = logpin_trust(st, &own, &cli->fault);
	const char *whose = own.n != 0 ? "own file" : "policy";

	cli_set_text(cli, "trust", whose);
	cli_print(cli, "trust       %s\n", whose);
	return rc;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "trust", required_argument, NULL, 't' }, { 0 } };
	const char *trust = NULL;
	struct state *st defer(state_closep) = NULL;
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	char key[TEXT_B64_SIZE(32)];
	int c, rc;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (c != 't')
			return FAULT_USAGE;
		trust = optarg;
	}
	if (argc - optind > 1)
		return cli_usage(cli, "one file is wanted at most");
	rc = cli_state(cli, &st);
	if (rc == 0 && optind < argc) {
		rc = account_read_policy(cli, argv[optind], &file);
		if (rc == 0)
			rc = state_set_policy(st, buf_bytes(&file),
			    &cli->fault);
	}
	if (rc == 0 && trust != NULL)
		rc = account_pin_trust(cli, st, trust);
	if (rc == 0)
		rc = show_trust(cli, st);
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
	.args = "[--trust FILE] [FILE]",
	.help = "show the pinned policy, or pin a later one",
	.options =
	    "  --trust FILE  whom to believe about logs (a tlog-policy file); "
	    "an empty\n                FILE goes back to the policy's\n",
};
