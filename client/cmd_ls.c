// SPDX-License-Identifier: Apache-2.0
/* skerry ls: what a folder of a commit holds. */
#include <inttypes.h>
#include <unistd.h>

#include "client/engine/listing.h"
#include "client/path.h"
#include "client/reading.h"
#include "client/show.h"

struct lscmd {
	struct cli *cli;
	bool detail, recursive, null;
	bool escape;
	struct reading_which commit;
	uint64_t entries;
	struct buf key;
};

static void
print_json(struct lscmd *c, struct bytes name, const struct tree_entry *e)
{
	char time[SHOW_TIME_SIZE];

	(void)fputs(c->cli->begun ? ",{" : "{\"entries\":[{", stdout);
	c->cli->begun = true;
	show_json_name(stdout, "name", name);
	show_time(e->mtime_sec, e->mtime_nsec, true, time);
	(void)printf(",\"type\":\"%s\",\"mode\":\"%04o\",\"uid\":%" PRIu32
	    ",\"gid\":%" PRIu32 ",\"mtime\":\"%s\"", show_type(e->type),
	    e->mode, e->uid, e->gid, time);
	if (e->type == ENTRY_FILE)
		(void)printf(",\"size\":%" PRIu64, e->size);
	if (e->type == ENTRY_SYMLINK) {
		(void)putchar(',');
		show_json_name(stdout, "target", e->target);
	}
	if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK)
		(void)printf(",\"major\":%" PRIu32 ",\"minor\":%" PRIu32,
		    e->major, e->minor);
	(void)putchar('}');
}

static void
print_detail(const struct tree_entry *e)
{
	char mode[SHOW_MODE_SIZE], time[SHOW_TIME_SIZE];

	show_mode(e, mode);
	show_time(e->mtime_sec, e->mtime_nsec, false, time);
	if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK)
		(void)printf("%s %6" PRIu32 ",%6" PRIu32 " %s ", mode,
		    e->major, e->minor, time);
	else
		(void)printf("%s %13" PRIu64 " %s ", mode,
		    e->type == ENTRY_FILE ? e->size : 0, time);
}

static int
on_entry(void *arg, struct bytes name, const struct tree_entry *e)
{
	struct lscmd *c = arg;

	c->entries++;
	if (c->cli->json) {
		print_json(c, name, e);
		return ferror(stdout) ? FAULT_IO : 0;
	}
	if (c->detail)
		print_detail(e);
	show_name(stdout, name, c->escape);
	if (c->detail && e->type == ENTRY_SYMLINK) {
		(void)fputs(" -> ", stdout);
		show_name(stdout, e->target, c->escape);
	}
	(void)putchar(c->null ? '\0' : '\n');
	return ferror(stdout) ? FAULT_IO : 0;
}

static void
on_lost(void *arg, struct bytes key, const struct fault *why)
{
	struct lscmd *c = arg;
	char path[PATH_SHOW_MAX];

	path_show(key, path);
	cli_note(c->cli, "skerry: ls: from %s on: %s\n", path, why->text);
}

static int
list(struct lscmd *c)
{
	struct reading r defer(reading_close) = { 0 };
	struct listing_sink sink = { on_entry, on_lost, c };
	struct cli *cli = c->cli;
	char path[PATH_SHOW_MAX];
	int rc = reading_open(cli, c->commit, &r);

	if (rc != 0)
		return rc;
	rc = listing_run(r.reader, buf_bytes(&c->key), c->recursive, &sink,
	    &cli->fault);
	if (cli->json && cli->begun)
		(void)fputs("],", stdout);
	else if (cli->json && rc == 0)
		(void)json_object_set_new(cli->out, "entries", json_array());
	cli_set_int(cli, "commit", (int64_t)r.commit->number);
	if (rc == 0 || ferror(stdout))
		return 0; /* what was not written main() looks for */
	path_show(buf_bytes(&c->key), path);
	return fault_add(&cli->fault, rc, "%s", path);
}

static void
lscmd_wipe(struct lscmd *c)
{
	buf_wipe(&c->key);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "long", no_argument, NULL, 'l' },
		{ "recursive", no_argument, NULL, 'R' },
		{ "null", no_argument, NULL, '0' },
		{ "commit", required_argument, NULL, 'c' }, { 0 } };
	struct lscmd c defer(lscmd_wipe) = { .cli = cli,
		.key = buf_init(KEY_BYTES_MAX) };
	int opt;

	while ((opt = cli_getopt(cli, argc, argv, "lR0", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		c.detail |= opt == 'l';
		c.recursive |= opt == 'R';
		c.null |= opt == '0';
		if (opt == 'c' && reading_which(cli, "--commit", optarg,
		    &c.commit) != 0)
			return FAULT_USAGE;
	}
	if (argc - optind > 1)
		return cli_usage(cli, "one path at most");
	if (optind < argc && path_key(argv[optind], &c.key, &cli->fault) != 0)
		return FAULT_USAGE;
	c.escape = !c.null && isatty(STDOUT_FILENO);
	return list(&c);
}

const struct command cmd_ls = {
	.name = "ls",
	.run = run,
	.args = "[-l] [-R] [-0] [--commit N] [PATH]",
	.help = "list a folder of the space",
	.options =
	    "  -l, --long       type, mode, size and time too\n"
	    "  -R, --recursive  all that is below, as paths\n"
	    "  -0, --null       names as they are, each ended by a zero byte\n"
	    "  --commit N       as it was then: a number or a time (skerry "
	    "log)\n",
};
