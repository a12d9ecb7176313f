// SPDX-License-Identifier: Apache-2.0
/* skerry log: the commits, latest first.  Reads nothing but them. */
#include <inttypes.h>

#include "base/noun.h"
#include "client/engine/history.h"
#include "client/reading.h"
#include "client/show.h"
#include "net/text.h"

static void
print(struct cli *cli, json_t *list, const struct commit *c)
{
	char device[TEXT_HEX_SIZE(ID_LEN)], time[SHOW_TIME_SIZE];

	text_hex(c->device, ID_LEN, device, sizeof(device));
	show_time(c->time_sec, c->time_nsec, cli->json, time);
	if (cli->json) {
		(void)json_array_append_new(list,
		    json_pack("{s:I,s:I,s:s,s:s,s:I,s:I,s:o}", "number",
			(json_int_t)c->number, "epoch", (json_int_t)c->epoch,
			"time", time, "device", device, "entries",
			(json_int_t)c->entries, "bytes", (json_int_t)c->bytes,
			"message", json_stringn(c->message, c->message_len)));
		return;
	}
	cli_print(cli, "%" PRIu64 "  %s  %.8s  %" PRIu64 " %s  %" PRIu64
	    " %s  ", c->number, time, device, c->entries,
	    noun_for(c->entries, "entry", "entries"), c->bytes,
	    noun_for(c->bytes, "byte", "bytes"));
	show_name(stdout, bytes_of(c->message, c->message_len), true);
	cli_print(cli, "\n");
}

static int
go_back(struct reading *r, json_t *list, uint64_t max)
{
	struct cli *cli = r->cli;
	const struct commit *c = r->commit;
	struct commit one defer(commit_wipe) = { 0 };

	print(cli, list, c);
	for (uint64_t n = 1; c->has_parent && n < max; n++) {
		struct commit up = { 0 };
		int rc;

		if (atomic_load(cli->stop))
			return fault_set(&cli->fault, FAULT_INTERRUPTED,
			    "interrupted");
		rc = history_parent(r->reader, c, &up, &cli->fault);
		if (rc != 0)
			return rc;
		commit_wipe(&one);
		one = up;
		c = &one;
		print(cli, list, c);
	}
	return 0;
}

static int
show(struct cli *cli, uint64_t max)
{
	struct reading r defer(reading_close) = { 0 };
	json_t *list = json_array();
	int rc;

	if (list == NULL || json_object_set_new(cli->out, "commits", list) != 0)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = reading_open(cli, (struct reading_which){ 0 }, &r);
	if (rc != 0 || !r.space->has_head || max == 0)
		return rc;
	return go_back(&r, list, max);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "number", required_argument, NULL, 'n' }, { 0 } };
	uint64_t max = UINT64_MAX;
	int opt;

	while ((opt = cli_getopt(cli, argc, argv, "n:", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		if (reading_number(cli, "-n", optarg, INT64_MAX, &max) != 0)
			return FAULT_USAGE;
	}
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	return show(cli, max);
}

const struct command cmd_log = {
	.name = "log",
	.run = run,
	.args = "[-n N]",
	.help = "list the commits of the space, latest first",
	.options =
	    "  -n, --number N  the latest N only\n",
};
