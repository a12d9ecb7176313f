// SPDX-License-Identifier: Apache-2.0
/*
 * skerry export: the way out.  All files of a commit as plain files, and the
 * space key and device chain, with which skerry-recover reads all of the
 * history from the depot's objects without any authority.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/noun.h"
#include "client/engine/restore.h"
#include "client/file.h"
#include "client/path.h"
#include "client/progress.h"
#include "client/reading.h"
#include "client/state.h"
#include "client/terminal.h"
#include "crypt/secret.h"
#include "net/text.h"

#define KEY_LINE (TEXT_HEX_SIZE(KEY_LEN) + 1)
#define CHAIN_FILE_MAX (1024 * 1024)

struct exportcmd {
	struct cli *cli;
	const char *to;
	struct reading_which commit;
	bool yes;
	int dir, files;
};

static void
exportcmd_wipe(struct exportcmd *c)
{
	if (c->dir >= 0)
		(void)close(c->dir);
	if (c->files >= 0)
		(void)close(c->files);
}

static int
confirm(struct exportcmd *c)
{
	bool yes = c->yes;
	int rc = 0;

	if (!yes)
		rc = terminal_confirm("This writes all files in the clear, and "
		    "the key that opens everything the\ndepot keeps of the "
		    "space, now and in its past.  Go on? [y/N] ", &yes,
		    &c->cli->fault);
	if (rc == 0 && !yes)
		rc = fault_set(&c->cli->fault, FAULT_DENIED, "not exported");
	return rc;
}

static int
make_folders(struct exportcmd *c)
{
	struct fault *f = &c->cli->fault;
	int rc = path_target(c->to, 0700, &c->dir, f);

	if (rc != 0)
		return rc;
	if (mkdirat(c->dir, "files", 0700) != 0 && errno != EEXIST)
		return fault_sys(f, fault_from_errno(errno), errno,
		    "%s/files", c->to);
	c->files = openat(c->dir, "files",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (c->files >= 0)
		return 0;
	if (errno == ENOTDIR || errno == ELOOP)
		return fault_set(f, FAULT_EXISTS, "%s/files: is there already, "
		    "and is no folder", c->to);
	return fault_sys(f, fault_from_errno(errno), errno, "%s/files", c->to);
}

/* What is there already is of an export that was broken off, or stays. */
static int
write_once(struct exportcmd *c, const char *name, struct bytes b)
{
	struct fault *f = &c->cli->fault;
	struct buf was defer(buf_wipe) = buf_init(CHAIN_FILE_MAX);
	struct stat st;
	int rc;

	/* Opening a FIFO would wait for who writes to it. */
	if (fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_EXISTS, "%s/%s: is there already, "
		    "and is no file", c->to, name);
	rc = file_read(c->dir, name, &was, f);
	if (rc == FAULT_NOT_FOUND) {
		*f = (struct fault){ 0 };
		rc = file_write(c->dir, name, b, f);
	} else if (rc == FAULT_LIMIT ||
	    (rc == 0 && bytes_cmp(buf_bytes(&was), b) != 0)) {
		rc = fault_set(f, FAULT_EXISTS, "%s: is there already, and is "
		    "another", name);
	}
	return rc == 0 ? 0 : fault_add(f, rc, "%s", c->to);
}

/* As skerry-recover(1) wants them. */
static int
write_keys(struct exportcmd *c, const struct reading *r)
{
	struct buf chain defer(buf_wipe) = buf_init(CHAIN_FILE_MAX);
	char *line defer(secret_freep) = secret_new(KEY_LINE);
	const struct space_key *key = session_key(r->session,
	    r->space->head.epoch);
	int rc;

	if (line == NULL)
		return fault_set(&c->cli->fault, FAULT_MEMORY,
		    "out of memory");
	if (key == NULL)
		return fault_set(&c->cli->fault, FAULT_NOT_FOUND,
		    "the head's key was not released");
	text_hex(key->b, KEY_LEN, line, KEY_LINE);
	line[KEY_LINE - 2] = '\n';
	rc = write_once(c, "space.key", bytes_of(line, KEY_LINE - 1));
	if (rc == 0)
		rc = state_chain_bytes(r->state, &chain, &c->cli->fault);
	return rc != 0 ? rc : write_once(c, "chain", buf_bytes(&chain));
}

static int
export(struct exportcmd *c)
{
	struct reading r defer(reading_close) = { 0 };
	struct restore_result res = { 0 };
	struct cli *cli = c->cli;
	struct restore_options o = { .warn = cli_warn, .arg = cli };
	int rc = reading_open(cli, c->commit, &r);

	if (rc == 0 && !r.space->has_head)
		rc = fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "nothing was stored yet");
	if (rc == 0)
		rc = make_folders(c);
	if (rc == 0)
		rc = write_keys(c, &r);
	if (rc != 0)
		return rc;
	o.commit = r.commit;
	o.dir = c->files;
	o.progress = progress_new("export", "entry", "entries",
	    cli->quiet || cli->json);
	rc = restore_run(r.space, &o, &res, &cli->fault);
	progress_free(o.progress);
	if (rc != 0 && rc != FAULT_PARTIAL)
		return rc;
	cli_set_int(cli, "commit", (int64_t)r.commit->number);
	cli_set_int(cli, "entries", (int64_t)res.entries);
	cli_set_int(cli, "bytes", (int64_t)res.bytes);
	cli_set_int(cli, "left_out", (int64_t)res.failed);
	cli_warned(cli);
	cli_print(cli, "commit %" PRIu64 ": %" PRIu64 " %s, %.1f MiB, in "
	    "%s/files\n%s/space.key and %s/chain: with a copy of the depot's "
	    "objects, skerry-recover reads\nall of the history.  Keep the key "
	    "safe.\n", r.commit->number, res.entries,
	    noun_for(res.entries, "entry", "entries"),
	    (double)res.bytes / 1048576, c->to, c->to, c->to);
	return rc;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "to", required_argument, NULL, 't' },
		{ "commit", required_argument, NULL, 'c' },
		{ "yes", no_argument, NULL, 'y' }, { 0 } };
	struct exportcmd c defer(exportcmd_wipe) = { .cli = cli, .dir = -1,
		.files = -1 };
	int opt, rc;

	while ((opt = cli_getopt(cli, argc, argv, "y", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		if (opt == 't')
			c.to = optarg;
		c.yes |= opt == 'y';
		if (opt == 'c' && reading_which(cli, "--commit", optarg,
		    &c.commit) != 0)
			return FAULT_USAGE;
	}
	if (c.to == NULL || optind != argc)
		return cli_usage(cli, "--to is needed, and no operand");
	rc = confirm(&c);
	return rc != 0 ? rc : export(&c);
}

const struct command cmd_export = {
	.name = "export",
	.run = run,
	.args = "--to DIR [--commit N] [--yes]",
	.help = "take everything out: plain files, and the space key",
	.options =
	    "  --to DIR    gets files/, space.key and chain; made if it is "
	    "missing\n"
	    "  --commit N  the files as they were then: a number or a time\n"
	    "  --yes, -y   do not ask\n",
};
