// SPDX-License-Identifier: Apache-2.0
/* skerry get: restores paths of a commit into a folder. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/noun.h"
#include "client/engine/restore.h"
#include "client/path.h"
#include "client/progress.h"
#include "client/reading.h"
#include "object/key.h"

struct getcmd {
	struct cli *cli;
	const char *to;
	struct reading_which commit;
	bool overwrite;
	struct bytes *key; /* each owned */
	size_t n;
	int dir;
};

static void
getcmd_wipe(struct getcmd *c)
{
	for (size_t i = 0; i < c->n; i++)
		free((void *)(uintptr_t)c->key[i].p);
	free(c->key);
	if (c->dir >= 0)
		(void)close(c->dir);
}

static void
outcome(struct getcmd *c, const struct reading *r,
    const struct restore_result *res, double seconds)
{
	struct cli *cli = c->cli;

	cli_set_int(cli, "commit", (int64_t)r->commit->number);
	cli_set_int(cli, "entries", (int64_t)res->entries);
	cli_set_int(cli, "bytes", (int64_t)res->bytes);
	cli_set_int(cli, "kept", (int64_t)res->kept);
	cli_set_int(cli, "left_out", (int64_t)res->failed);
	cli_set_int(cli, "incomplete", (int64_t)res->incomplete);
	cli_set_int(cli, "fetches", (int64_t)res->requests);
	(void)json_object_set_new(cli->out, "seconds", json_real(seconds));
	cli_warned(cli);
	cli_print(cli, "commit %" PRIu64 ": restored %" PRIu64
	    " %s, %.1f MiB in %.2f s", r->commit->number, res->entries,
	    noun_for(res->entries, "entry", "entries"),
	    (double)res->bytes / 1048576, seconds);
	if (res->kept != 0)
		cli_print(cli, "; %" PRIu64 " %s there already", res->kept,
		    noun_for(res->kept, "was", "were"));
	cli_print(cli, "\n");
}

static int
restore(struct getcmd *c)
{
	struct reading r defer(reading_close) = { 0 };
	struct restore_result res;
	struct cli *cli = c->cli;
	struct restore_options o = { .key = c->key, .n = c->n,
		.overwrite = c->overwrite, .warn = cli_warn, .arg = cli };
	int64_t from = clock_ms();
	int rc = reading_open(cli, c->commit, &r);

	if (rc == 0)
		rc = restore_find(r.reader, c->key, c->n, &cli->fault);
	if (rc == 0)
		rc = path_target(c->to, 0777, &c->dir, &cli->fault);
	if (rc != 0)
		return rc;
	o.commit = r.commit;
	o.dir = c->dir;
	o.progress = progress_new("get", "entry", "entries",
	    cli->quiet || cli->json);
	rc = restore_run(r.space, &o, &res, &cli->fault);
	progress_free(o.progress);
	if (rc == 0 || rc == FAULT_PARTIAL)
		outcome(c, &r, &res,
		    (double)(clock_ms() - from) / 1000);
	return rc;
}

static int
add_path(struct getcmd *c, const char *arg)
{
	struct buf key = buf_init(KEY_BYTES_MAX);
	int rc = path_key(arg, &key, &c->cli->fault);

	if (rc != 0) {
		buf_wipe(&key);
		return rc;
	}
	c->key[c->n++] = buf_bytes(&key);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;

	return bytes_cmp(key_name(*x), key_name(*y));
}

static int
check_paths(struct getcmd *c)
{
	char one[PATH_SHOW_MAX], two[PATH_SHOW_MAX];

	qsort(c->key, c->n, sizeof(*c->key), by_name);
	if (c->n > 1 && c->key[0].n == 0)
		return cli_usage(c->cli, "/ is everything: no other path goes "
		    "beside it");
	for (size_t i = 1; i < c->n; i++) {
		if (by_name(&c->key[i - 1], &c->key[i]) != 0)
			continue;
		path_show(c->key[i - 1], one);
		path_show(c->key[i], two);
		return cli_usage(c->cli, "%s and %s would go to the same "
		    "place", one, two);
	}
	return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "to", required_argument, NULL, 't' },
		{ "commit", required_argument, NULL, 'c' },
		{ "overwrite", no_argument, NULL, 'o' }, { 0 } };
	struct getcmd c defer(getcmd_wipe) = { .cli = cli, .to = ".",
		.dir = -1 };
	int opt, rc = 0;

	while ((opt = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		if (opt == 't')
			c.to = optarg;
		c.overwrite |= opt == 'o';
		if (opt == 'c' && reading_which(cli, "--commit", optarg,
		    &c.commit) != 0)
			return FAULT_USAGE;
	}
	c.key = calloc((size_t)(argc - optind) + 1, sizeof(*c.key));
	if (c.key == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	for (int i = optind; i < argc && rc == 0; i++)
		rc = add_path(&c, argv[i]);
	if (rc == 0)
		rc = check_paths(&c);
	return rc == 0 ? restore(&c) : rc;
}

const struct command cmd_get = {
	.name = "get",
	.run = run,
	.args = "[--to DIR] [--commit N] [--overwrite] [PATH…]",
	.help = "restore paths, or everything, from the space",
	.options =
	    "  --to DIR     folder that each path's last name goes to; made if "
	    "it is\n"
	    "               missing; the current one if not given\n"
	    "  --commit N   as it was then: a number or a time (skerry log)\n"
	    "  --overwrite  replace what is there, even what looks the same\n",
};
