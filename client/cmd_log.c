// SPDX-License-Identifier: Apache-2.0
/* skerry log: the commits, latest first.  Reads nothing but them; of a path,
 * the nodes of their trees that lead to it. */
#include <inttypes.h>

#include "base/noun.h"
#include "client/engine/compare.h"
#include "client/engine/history.h"
#include "client/path.h"
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

struct logcmd {
	struct cli *cli;
	struct buf key; /* empty: all */
	json_t *list;   /* of cli->out */
	uint64_t max, shown;
};

static void
logcmd_wipe(struct logcmd *l)
{
	buf_wipe(&l->key);
}

static int
on_change(void *arg, struct bytes key, struct cursor *was, struct cursor *is)
{
	(void)arg;
	(void)key;
	(void)was;
	(void)is;
	return 1;
}

/* Prints c if it has the path otherwise than the commit before, up. */
static int
print_if(struct logcmd *l, struct reading *r, const struct commit *up,
    const struct commit *c)
{
	const struct compare_sink sink = { on_change, NULL };
	int rc = compare_commits(r->reader, up, c, buf_bytes(&l->key), &sink,
	    &l->cli->fault);

	if (rc != 1)
		return rc;
	print(l->cli, l->list, c);
	l->shown++;
	return 0;
}

static int
go_back(struct logcmd *l, struct reading *r)
{
	struct cli *cli = l->cli;
	const struct commit *c = r->commit;
	struct commit one defer(commit_wipe) = { 0 };

	for (;;) {
		struct commit up = { 0 };
		int rc = 0;

		if (atomic_load(cli->stop))
			return fault_set(&cli->fault, FAULT_INTERRUPTED,
			    "interrupted");
		if (l->key.n == 0) {
			print(cli, l->list, c);
			l->shown++;
		}
		if (c->has_parent && l->shown < l->max)
			rc = history_parent(r->reader, c, &up, &cli->fault);
		if (rc == 0 && l->key.n != 0)
			rc = print_if(l, r, &up, c);
		if (rc != 0 || !c->has_parent || l->shown >= l->max) {
			commit_wipe(&up);
			return rc;
		}
		commit_wipe(&one);
		one = up;
		c = &one;
	}
}

static int
show(struct logcmd *l)
{
	struct reading r defer(reading_close) = { 0 };
	struct cli *cli = l->cli;
	char path[PATH_SHOW_MAX];
	int rc;

	l->list = json_array();
	if (l->list == NULL ||
	    json_object_set_new(cli->out, "commits", l->list) != 0)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = reading_open(cli, (struct reading_which){ 0 }, &r);
	if (rc != 0 || l->max == 0)
		return rc;
	if (r.space->has_head)
		rc = go_back(l, &r);
	if (rc != 0 || l->key.n == 0 || l->shown != 0)
		return rc;
	path_show(buf_bytes(&l->key), path);
	return fault_set(&cli->fault, FAULT_NOT_FOUND, "%s: in no commit",
	    path);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "number", required_argument, NULL, 'n' }, { 0 } };
	struct logcmd l defer(logcmd_wipe) = { .cli = cli, .max = UINT64_MAX,
		.key = buf_init(KEY_BYTES_MAX) };
	int opt;

	while ((opt = cli_getopt(cli, argc, argv, "n:", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		if (reading_number(cli, "-n", optarg, INT64_MAX, &l.max) != 0)
			return FAULT_USAGE;
	}
	if (argc - optind > 1)
		return cli_usage(cli, "one path at most");
	if (optind < argc && path_key(argv[optind], &l.key, &cli->fault) != 0)
		return FAULT_USAGE;
	return show(&l);
}

const struct command cmd_log = {
	.name = "log",
	.run = run,
	.args = "[-n N] [PATH]",
	.help = "list the commits of the space, latest first",
	.options =
	    "  PATH            those that changed it, or what is below it\n"
	    "  -n, --number N  the latest N of them only\n",
};
