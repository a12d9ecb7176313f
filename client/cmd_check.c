// SPDX-License-Identifier: Apache-2.0
/* skerry check: is everything at the depot that the space needs, unaltered? */
#include <inttypes.h>

#include "base/noun.h"
#include "client/engine/check.h"
#include "client/path.h"
#include "client/progress.h"
#include "client/reading.h"
#include "client/show.h"
#include "net/text.h"

#define SAMPLE 5 /* percent of the objects, if nothing else is said */

struct checkcmd {
	struct cli *cli;
	json_t *findings; /* of cli->out */
};

static void
add_json(struct checkcmd *c, const struct check_finding *x)
{
	static const char *const what[] = { "object", "path", "paths",
		"other" };
	char hex[TEXT_HEX_SIZE(ID_LEN)], path[PATH_SHOW_MAX];
	json_t *one = json_pack("{s:s,s:s,s:I,s:s+}", "what", what[x->what],
	    "code", fault_name(x->code), "commit", (json_int_t)x->commit,
	    "text", x->text, "");

	if (x->object != NULL) {
		text_hex(x->object, ID_LEN, hex, sizeof(hex));
		(void)json_object_set_new(one, "object", json_string(hex));
	}
	if (x->key.n != 0) {
		path_show(x->key, path);
		(void)json_object_set_new(one, "path", json_string(path));
	}
	if (x->what == CHECK_PATHS)
		(void)json_object_set_new(one, "entries",
		    json_integer((json_int_t)x->entries));
	(void)json_array_append_new(c->findings, one);
}

static void
on_found(void *arg, const struct check_finding *x)
{
	struct checkcmd *c = arg;
	char path[PATH_SHOW_MAX];

	if (c->cli->json) {
		add_json(c, x);
		return;
	}
	path_show(x->key, path);
	if (x->what == CHECK_PATH)
		cli_print(c->cli, "commit %" PRIu64 ": %s: %s\n", x->commit,
		    path, x->text);
	else if (x->what == CHECK_PATHS)
		cli_print(c->cli, "commit %" PRIu64 ": %" PRIu64
		    " entries from %s on: %s\n", x->commit, x->entries, path,
		    x->text);
	else
		cli_print(c->cli, "commit %" PRIu64 ": %s\n", x->commit,
		    x->text);
}

static void
outcome(struct cli *cli, const struct check_result *r, int rc)
{
	cli_set_bool(cli, "good", rc == 0);
	cli_set_int(cli, "commits", (int64_t)r->commits);
	cli_set_int(cli, "segments", (int64_t)r->segments);
	cli_set_int(cli, "blocks", (int64_t)r->blocks);
	cli_set_int(cli, "chunks_known", (int64_t)r->chunks_known);
	cli_set_int(cli, "nodes", (int64_t)r->nodes);
	cli_set_int(cli, "entries", (int64_t)r->entries);
	cli_set_int(cli, "objects", (int64_t)r->objects);
	cli_set_int(cli, "objects_read", (int64_t)r->objects_read);
	cli_set_int(cli, "chunks", (int64_t)r->chunks);
	cli_set_int(cli, "bytes", (int64_t)r->bytes);
	cli_set_int(cli, "bad_objects", (int64_t)r->bad_objects);
	cli_set_int(cli, "bad_chunks", (int64_t)r->bad_chunks);
	cli_set_int(cli, "bad_paths", (int64_t)r->bad_paths);
	cli_print(cli, "%" PRIu64 " %s, %" PRIu64 " index %s, %" PRIu64
	    " %s, %" PRIu64 " %s; %" PRIu64 " of %" PRIu64 " %s read: %"
	    PRIu64 " %s, %.1f MiB; %s\n",
	    r->commits, noun_for(r->commits, "commit", "commits"),
	    r->blocks, noun_for(r->blocks, "block", "blocks"),
	    r->nodes, noun_for(r->nodes, "node", "nodes"),
	    r->entries, noun_for(r->entries, "entry", "entries"),
	    r->objects_read, r->objects,
	    noun_for(r->objects, "object", "objects"),
	    r->chunks, noun_for(r->chunks, "chunk", "chunks"),
	    (double)r->bytes / 1048576, r->findings != 0 ?
	    "NOT good" : rc == 0 ? "all good" : "not finished");
	if (r->bad_chunks != 0 && r->bad_paths != 0)
		cli_note(cli, "skerry: check: a put from here of what the "
		    "paths had sends it again\n");
}

static int
check(struct cli *cli, unsigned percent, bool history)
{
	struct reading r defer(reading_close) = { 0 };
	struct checkcmd c = { .cli = cli, .findings = json_array() };
	struct check_options o = { .percent = percent, .history = history,
		.found = on_found, .arg = &c };
	struct check_result res;
	int rc;

	if (c.findings == NULL ||
	    json_object_set_new(cli->out, "findings", c.findings) != 0)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = reading_open(cli, (struct reading_which){ 0 }, &r);
	if (rc != 0)
		return rc;
	o.progress = progress_new("check", "chunk", "chunks",
	    cli->quiet || cli->json);
	rc = check_run(r.space, &o, &res, &cli->fault);
	progress_free(o.progress);
	outcome(cli, &res, rc);
	return rc;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "sample", required_argument, NULL, 's' },
		{ "full", no_argument, NULL, 'f' },
		{ "history", no_argument, NULL, 'h' }, { 0 } };
	uint64_t percent = SAMPLE;
	bool history = false, full = false, sample = false;
	int opt;

	while ((opt = cli_getopt(cli, argc, argv, "", options)) != -1) {
		if (opt == CLI_BAD_OPTION)
			return FAULT_USAGE;
		full |= opt == 'f';
		history |= opt == 'h';
		sample |= opt == 's';
		if (opt == 's' && reading_number(cli, "--sample", optarg, 100,
		    &percent) != 0)
			return FAULT_USAGE;
	}
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	if (full && sample)
		return cli_usage(cli, "either --sample or --full");
	return check(cli, full ? 100 : (unsigned)percent, history);
}

const struct command cmd_check = {
	.name = "check",
	.run = run,
	.args = "[--sample PERCENT | --full] [--history]",
	.help = "verify what is at the depot, and name what is damaged",
	.options =
	    "  --sample PERCENT  of the objects with content are read, at "
	    "random;\n"
	    "                    5 if not given.  Index and tree are always\n"
	    "                    read in full\n"
	    "  --full            all of them\n"
	    "  --history         earlier commits too\n",
};
