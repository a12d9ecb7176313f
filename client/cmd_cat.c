// SPDX-License-Identifier: Apache-2.0
/* skerry cat: a file's content to standard output. */
#include <errno.h>
#include <unistd.h>

#include "client/engine/stream.h"
#include "client/path.h"
#include "client/reading.h"

static int
on_data(void *arg, const uint8_t *p, size_t n, struct fault *f)
{
	struct cli *cli = arg;

	while (n > 0) {
		ssize_t k = write(STDOUT_FILENO, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		cli->cut = k < 0 && errno == EPIPE;
		if (k < 0)
			return fault_sys(f, fault_from_errno(errno), errno,
			    "standard output");
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
give(struct cli *cli, struct reading_which which, const struct buf *key)
{
	struct reading r defer(reading_close) = { 0 };
	struct stream_sink sink = { .data = on_data, .arg = cli };
	char path[PATH_SHOW_MAX];
	int rc = reading_open(cli, which, &r);

	if (rc != 0)
		return rc;
	rc = stream_run(r.space, r.commit, buf_bytes(key), &sink,
	    &cli->fault);
	if (rc == 0)
		return 0;
	path_show(buf_bytes(key), path);
	return fault_add(&cli->fault, rc, "%s", path);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "commit", required_argument, NULL, 'c' }, { 0 } };
	struct buf key defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct reading_which which = { 0 };
	int opt;

	while ((opt = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		if (reading_which(cli, "--commit", optarg, &which) != 0)
			return FAULT_USAGE;
	}
	if (cli->json)
		return cli_usage(cli, "content has no JSON");
	if (argc - optind != 1)
		return cli_usage(cli, "one path is wanted");
	if (path_key(argv[optind], &key, &cli->fault) != 0)
		return FAULT_USAGE;
	return give(cli, which, &key);
}

const struct command cmd_cat = {
	.name = "cat",
	.run = run,
	.args = "[--commit N] PATH",
	.help = "write a file's content to standard output",
	.options =
	    "  --commit N  as it was then: a number or a time (skerry log)\n",
};
