// SPDX-License-Identifier: Apache-2.0
/* skerry diff: what a commit has otherwise than another. */
#include <inttypes.h>
#include <unistd.h>

#include "client/difference.h"
#include "client/engine/compare.h"
#include "client/engine/history.h"
#include "client/engine/tour.h"
#include "client/path.h"
#include "client/reading.h"

struct diffcmd {
	struct cli *cli;
	struct reading_which commit, from;
	bool has_from;
	struct buf key;
	struct difference d;
};

static int
on_change(void *arg, struct bytes key, struct cursor *was, struct cursor *is)
{
	const struct tree_entry *a = NULL, *b = NULL;
	struct diffcmd *c = arg;
	int rc = was == NULL ? 0 : cursor_entry(was, NULL, &a);

	if (rc == 0 && is != NULL)
		rc = cursor_entry(is, NULL, &b);
	return rc != 0 ? rc : difference_show(&c->d, key,
	    compare_entries(a, b), a, b);
}

static void
outcome(struct diffcmd *c, uint64_t from, uint64_t commit, int rc)
{
	char counts[DIFFERENCE_TEXT_SIZE];
	struct cli *cli = c->cli;

	difference_end(&c->d, counts);
	cli_set_int(cli, "from", (int64_t)from);
	cli_set_int(cli, "commit", (int64_t)commit);
	if (rc == 0)
		cli_print(cli, "commit %" PRIu64 " to %" PRIu64 ": %s\n",
		    from, commit, counts);
}

/* That before r's, if nothing else was said; number 0: none. */
static int
open_from(struct diffcmd *c, struct reading *r, struct commit *out)
{
	if (c->has_from)
		return reading_commit(r, c->from, out);
	return !r->commit->has_parent ? 0 :
	    history_parent(r->reader, r->commit, out, &c->cli->fault);
}

/* A path that neither has is no path without changes. */
static int
is_there(struct diffcmd *c, struct reader *r)
{
	struct tour *t defer(tour_closep) = NULL;
	char path[PATH_SHOW_MAX];
	int rc = tour_open(r, buf_bytes(&c->key), &t, &c->cli->fault);

	path_show(buf_bytes(&c->key), path);
	return rc == 0 ? 0 : fault_add(&c->cli->fault, rc, "%s", path);
}

static int
diff(struct diffcmd *c)
{
	struct commit from defer(commit_wipe) = { 0 };
	struct reading r defer(reading_close) = { 0 };
	const struct compare_sink sink = { on_change, c };
	int rc = reading_open(c->cli, c->commit, &r);

	if (rc == 0 && r.space->has_head)
		rc = open_from(c, &r, &from);
	if (rc != 0)
		return rc;
	rc = compare_commits(r.reader, &from, r.commit, buf_bytes(&c->key),
	    &sink, &c->cli->fault);
	if (rc == 0 && c->d.n == 0)
		rc = is_there(c, r.reader);
	outcome(c, from.number, r.commit->number, rc);
	return ferror(stdout) ? 0 : rc; /* main() looks for that */
}

static void
diffcmd_wipe(struct diffcmd *c)
{
	buf_wipe(&c->key);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "commit", required_argument, NULL, 'c' },
		{ "from", required_argument, NULL, 'f' },
		{ "metadata", no_argument, NULL, 'm' }, { 0 } };
	struct diffcmd c defer(diffcmd_wipe) = { .cli = cli,
		.d.cli = cli, .d.escape = isatty(STDOUT_FILENO),
		.key = buf_init(KEY_BYTES_MAX) };
	int opt, rc = 0;

	while ((opt = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		if (opt == 'c')
			rc = reading_which(cli, "--commit", optarg, &c.commit);
		if (opt == 'f')
			rc = reading_which(cli, "--from", optarg, &c.from);
		if (rc != 0)
			return rc;
		c.has_from |= opt == 'f';
		c.d.metadata |= opt == 'm';
	}
	if (argc - optind > 1)
		return cli_usage(cli, "one path at most");
	if (optind < argc && path_key(argv[optind], &c.key, &cli->fault) != 0)
		return FAULT_USAGE;
	return diff(&c);
}

const struct command cmd_diff = {
	.name = "diff",
	.run = run,
	.args = "[--from N] [--commit N] [--metadata] [PATH]",
	.help = "list what a commit has otherwise than one before",
	.options =
	    "  --commit N  the later one: a number or a time (skerry log); the "
	    "latest if\n"
	    "              not given\n"
	    "  --from N    the earlier one; that before it if not given\n"
	    "  --metadata  paths, too, of which only mode, owner, time or "
	    "attributes changed\n",
};
