// SPDX-License-Identifier: Apache-2.0
/* skerry shred: takes paths out of the whole history, for good. */
#include <getopt.h>
#include <inttypes.h>

#include "base/noun.h"
#include "client/cli.h"
#include "client/path.h"
#include "client/paths.h"
#include "client/rotation.h"
#include "client/state.h"
#include "client/terminal.h"

static int
confirm(struct cli *cli, const struct paths *p, bool yes)
{
	char shown[PATH_SHOW_MAX];
	int rc = 0;

	for (size_t i = 0; !yes && i < p->n; i++) {
		path_show(p->key[i], shown);
		cli_note(cli, "  %s\n", shown);
	}
	if (!yes)
		rc = terminal_confirm("This removes them, and all below, from "
		    "every commit.  No one, not you either,\ncan get them "
		    "back from this space.  Go on? [y/N] ", &yes,
		    &cli->fault);
	if (rc == 0 && !yes)
		rc = fault_set(&cli->fault, FAULT_DENIED, "not shredded");
	return rc;
}

/* spec/55-custody.md, Shredding: what is proved, and what cannot be. */
static const char *const unproven[] = {
	"a holder could have kept a copy of what its receipt says it destroyed",
	"a device that was given the old key before could have kept it, and "
	"with a copy of the depot's objects reads what they held then",
	"files restored or exported before, and the files that were stored, "
	"are where they are: they are not touched",
	"a message of a commit (put --message) that tells of them without "
	"their names stays: skerry log shows all",
	"a file system may keep overwritten blocks: journal, snapshots, flash",
};

static void
tell(struct cli *cli, const struct rewrite *w)
{
	json_t *list = json_array();

	cli_set_int(cli, "removed", (int64_t)w->removed);
	cli_set_int(cli, "given_up", (int64_t)w->given_up);
	cli_set_int(cli, "messages", (int64_t)w->messages);
	cli_set_int(cli, "chunks_dropped", (int64_t)w->dropped);
	cli_set_int(cli, "chunks_kept", (int64_t)w->kept);
	cli_print(cli, "removed %" PRIu64 " %s from %" PRIu64 " %s; "
	    "%" PRIu64 " %s no key any more\n",
	    w->removed, noun_for(w->removed, "entry", "entries"),
	    w->commits, noun_for(w->commits, "commit", "commits"),
	    w->dropped, noun_for(w->dropped, "chunk has", "chunks have"));
	if (w->given_up != 0)
		cli_print(cli, "%" PRIu64 " other %s lost, and given up\n",
		    w->given_up, noun_for(w->given_up, "entry was",
		    "entries were"));
	if (w->kept != 0)
		cli_print(cli, "%" PRIu64 " %s\n", w->kept,
		    noun_for(w->kept,
		    "chunk is also in files that stay, and stays with them",
		    "chunks are also in files that stay, and stay with them"));
	if (w->messages != 0)
		cli_print(cli, "replaced %" PRIu64 " %s\n", w->messages,
		    noun_for(w->messages, "message that named one",
		    "messages that named them"));
	cli_print(cli, "verified: with the space's keys of now, no commit has "
	    "the paths and the index none\nof those chunks.  What cannot be "
	    "proved:\n");
	for (size_t i = 0; i < ARRAY_LEN(unproven); i++) {
		cli_print(cli, "  - %s\n", unproven[i]);
		(void)json_array_append_new(list, json_string(unproven[i]));
	}
	(void)json_object_set_new(cli->out, "unproven", list);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "repair", no_argument, NULL, 'r' },
		{ "yes", no_argument, NULL, 'y' }, { 0 } };
	struct paths p defer(paths_wipe) = { 0 };
	struct state *st defer(state_closep) = NULL;
	struct rewrite w = { .message = "shred" };
	bool yes = false;
	int opt, rc;

	while ((opt = cli_getopt(cli, argc, argv, "y", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		yes |= opt == 'y';
		w.repair |= opt == 'r';
	}
	if (cli->help)
		return 0;
	if (optind == argc)
		return cli_usage(cli, "what is to be shredded?");
	rc = paths_read(cli, argc, argv, &p);
	if (rc == 0)
		rc = confirm(cli, &p, yes);
	if (rc == 0)
		rc = cli_state(cli, &st);
	if (rc != 0)
		return rc;
	w.key = p.key;
	w.nkeys = p.n;
	rc = rotation_run(cli, st, "shred", &w);
	if (rc != 0)
		return rc;
	tell(cli, &w);
	return rotation_lost(cli, &w);
}

const struct command cmd_shred = {
	.name = "shred",
	.run = run,
	.args = "[--repair] [--yes] PATH…",
	.help = "take paths out of every commit, and destroy the old key",
	.options =
	    "  --repair    give up what is lost at the depot\n"
	    "  --yes, -y   do not ask\n",
};
