// SPDX-License-Identifier: Apache-2.0
/* skerry devices: the account's chain of devices. */
#include <string.h>

#include "client/account.h"
#include "client/cli.h"
#include "net/text.h"

static void
show(struct cli *cli, json_t *list, const struct state *st,
    const struct chain_device *d)
{
	bool own = memcmp(d->id, st->device, ID_LEN) == 0;
	char hex[TEXT_HEX_SIZE(ID_LEN)];

	text_hex(d->id, ID_LEN, hex, sizeof(hex));
	(void)json_array_append_new(list, json_pack("{s:s,s:b,s:b,s:b}",
	    "device", hex, "own", own, "recovery", d->recovery, "revoked",
	    !d->live));
	cli_print(cli, "%s%s%s%s\n", hex, own ? "  this device" : "",
	    d->recovery ? "  recovery code" : "",
	    d->live ? "" : "  revoked");
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS, { 0 } };
	struct state *st defer(state_closep) = NULL;
	struct authority *a defer(authority_closep) = NULL;
	json_t *list;
	int rc;

	if (cli_getopt(cli, argc, argv, "", options) != -1)
		return FAULT_USAGE;
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	rc = account_current(cli, &st, &a);
	/* Without the authority, the list as it was seen last is still good. */
	cli_set_bool(cli, "fresh", rc == 0);
	if (rc == FAULT_AUTHORITY) {
		cli_note(cli, "skerry: %s: the list is as last seen\n",
		    cli->fault.text);
		rc = 0;
	}
	if (rc != 0)
		return rc;
	list = json_array();
	for (uint32_t i = 0; i < st->chain.devices; i++)
		show(cli, list, st, &st->chain.device[i]);
	(void)json_object_set_new(cli->out, "devices", list);
	return 0;
}

const struct command cmd_devices = {
	.name = "devices",
	.run = run,
	.args = "",
	.help = "list the account's devices",
};
