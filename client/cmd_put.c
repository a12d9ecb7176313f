// SPDX-License-Identifier: Apache-2.0
/* skerry put: stores files and folders as a new commit. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/noun.h"
#include "base/utf8.h"
#include "client/cli.h"
#include "client/difference.h"
#include "client/engine/exclude.h"
#include "client/engine/preview.h"
#include "client/engine/put.h"
#include "client/path.h"
#include "client/progress.h"
#include "object/key.h"

struct putcmd {
	struct cli *cli;
	const char *to, *message;
	enum effort_wish effort;
	struct exclude *exclude; /* owned */
	struct walk_rules rules;
	bool repair, dry_run;
	struct put_source *source; /* keys and paths owned */
	size_t sources;
};

static void
putcmd_wipe(struct putcmd *c)
{
	for (size_t i = 0; i < c->sources; i++) {
		free((void *)(uintptr_t)c->source[i].path);
		free((void *)(uintptr_t)c->source[i].key.p);
	}
	free(c->source);
	exclude_free(c->exclude);
}

/* base, and below it the last name of the source. */
static int
source_key(struct putcmd *c, const char *real, struct buf *key)
{
	struct fault *f = &c->cli->fault;
	const char *name = strrchr(real, '/');
	int rc = path_key(c->to == NULL ? "" : c->to, key, f);

	if (rc != 0)
		return rc;
	name = name == NULL ? real : name + 1;
	if (name[0] == '\0')
		return 0; /* "/" has no name: its content goes to base */
	if (key->n != 0)
		rc = buf_append(key, "", 1);
	if (rc == 0)
		rc = buf_append(key, name, strlen(name));
	return rc == 0 ? 0 : fault_set(f, rc, "%s: %s", real, fault_text(rc));
}

/* The source's full path; its last name is not followed if it is a link. */
static int
full_path(struct putcmd *c, const char *arg, char **out)
{
	struct fault *f = &c->cli->fault;
	size_t n = strlen(arg);
	char dir[PATH_MAX], *copy, *slash;
	const char *name;
	int rc;

	if (n == 0)
		return cli_usage(c->cli, "a name is empty");
	while (n > 1 && arg[n - 1] == '/')
		n--;
	copy = strndup(arg, n);
	if (copy == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	slash = strrchr(copy, '/');
	name = slash == NULL ? copy : slash + 1;
	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0) {
		*out = realpath(copy, NULL);
		free(copy);
		return *out != NULL ? 0 : path_fault(arg, f);
	}
	if (slash != NULL)
		*slash = '\0';
	rc = realpath(slash == NULL ? "." : slash == copy ? "/" : copy, dir) ==
	    NULL ? path_fault(arg, f) : 0;
	if (rc == 0 && asprintf(out, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir,
	    name) < 0)
		rc = fault_set(f, FAULT_MEMORY, "out of memory");
	free(copy);
	return rc;
}

static int
add_source(struct putcmd *c, const char *arg)
{
	struct buf key = buf_init(KEY_BYTES_MAX);
	struct put_source *s = &c->source[c->sources];
	char *path = NULL;
	struct stat st;
	int rc = full_path(c, arg, &path);

	if (rc == 0)
		rc = source_key(c, path, &key);
	if (rc != 0) {
		free(path);
		buf_wipe(&key);
		return rc;
	}
	s->path = path;
	s->key = buf_bytes(&key);
	c->sources++;
	/* ~/Documents that leads to another disk: all of it would be missed. */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		cli_warn(c->cli, s->key, "is stored as the symbolic link that "
		    "it is, and not what it leads to");
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct put_source *x = a, *y = b;

	return bytes_cmp(x->key, y->key);
}

static int
check_sources(struct putcmd *c)
{
	qsort(c->source, c->sources, sizeof(*c->source), by_key);
	for (size_t i = 1; i < c->sources; i++)
		if (key_within(c->source[i].key, c->source[i - 1].key))
			return cli_usage(c->cli,
			    "%s and %s would go to the same place",
			    c->source[i - 1].path, c->source[i].path);
	return 0;
}

/* The device's keys do not leave it. */
static int
check_own(struct putcmd *c, const struct state *st)
{
	char own[PATH_MAX];
	size_t n;

	if (realpath(st->dir, own) == NULL)
		return path_fault(st->dir, &c->cli->fault);
	n = strlen(own);
	for (size_t i = 0; i < c->sources; i++)
		if (strncmp(c->source[i].path, own, n) == 0 &&
		    strchr("/", c->source[i].path[n]) != NULL)
			return cli_usage(c->cli, "%s is of this device's own "
			    "state, which stays on it", c->source[i].path);
	return 0;
}

static void
set_members(struct cli *cli, const struct put *p, double seconds)
{
	cli_set_int(cli, "commit", (int64_t)p->number);
	cli_set_bool(cli, "changed", p->changed);
	cli_set_int(cli, "files", (int64_t)p->files);
	cli_set_int(cli, "bytes", (int64_t)p->bytes);
	cli_set_int(cli, "files_read", (int64_t)p->fresh_files);
	cli_set_int(cli, "removed", (int64_t)p->removed);
	cli_set_int(cli, "excluded", (int64_t)p->excluded);
	cli_set_int(cli, "left_out", (int64_t)p->left_out);
	cli_set_int(cli, "unsteady", (int64_t)p->unsteady);
	cli_set_int(cli, "objects", (int64_t)p->objects);
	cli_set_int(cli, "stored", (int64_t)p->sent);
	cli_set_int(cli, "conflicts", (int64_t)p->conflicts);
	cli_set_int(cli, "renamed", (int64_t)p->renamed);
	(void)json_object_set_new(cli->out, "seconds", json_real(seconds));
}

static int
partial(struct cli *cli, const struct put *p)
{
	char left_out[64] = "", unsteady[64] = "";

	if (p->left_out + p->unsteady == 0)
		return 0;
	if (p->left_out != 0)
		(void)snprintf(left_out, sizeof(left_out), "%" PRIu64
		    " could not be read", p->left_out);
	if (p->unsteady != 0)
		(void)snprintf(unsteady, sizeof(unsteady), "%s%" PRIu64
		    " changed while being read", p->left_out != 0 ? ", " : "",
		    p->unsteady);
	return fault_set(&cli->fault, FAULT_PARTIAL, "%s%s; the rest is "
	    "stored", left_out, unsteady);
}

static int
outcome(struct putcmd *c, const struct put *p, double seconds)
{
	struct cli *cli = c->cli;
	char removed[48] = "", excluded[48] = "";

	if (p->removed != 0)
		(void)snprintf(removed, sizeof(removed), ", %" PRIu64
		    " removed", p->removed);
	if (p->excluded != 0)
		(void)snprintf(excluded, sizeof(excluded), ", %" PRIu64
		    " excluded", p->excluded);
	set_members(cli, p, seconds);
	cli_warned(cli);
	if (!p->changed)
		cli_print(cli, "nothing changed since commit %" PRIu64 "\n",
		    p->number);
	else
		cli_print(cli, "commit %" PRIu64 ": %" PRIu64 " %s, %.1f MiB (%"
		    PRIu64 " read)%s%s; stored %" PRIu64 " %s, %.1f MiB in "
		    "%.2f s\n", p->number, p->files,
		    noun_for(p->files, "file", "files"),
		    (double)p->bytes / 1048576, p->fresh_files, removed,
		    excluded, p->objects,
		    noun_for(p->objects, "object", "objects"),
		    (double)p->sent / 1048576, seconds);
	if (p->renamed != 0)
		cli_note(cli, "skerry: %" PRIu64 " %s by another device "
		    "too; yours beside it, as *.conflict-*, until a put of a "
		    "folder that has not got it\n", p->renamed,
		    noun_for(p->renamed, "path was changed",
			"paths were changed"));
	return partial(cli, p);
}

static int
on_difference(void *arg, struct bytes key, enum compare_kind kind,
    const struct tree_entry *was, const struct tree_entry *is)
{
	return difference_show(arg, key, kind, was, is);
}

/* What put would do.  p has all that it needs. */
static int
dry_run(struct putcmd *c, struct put *p)
{
	struct difference d = { .cli = c->cli,
		.escape = isatty(STDOUT_FILENO) };
	const struct preview_sink sink = { on_difference, &d };
	struct cli *cli = c->cli;
	char counts[DIFFERENCE_TEXT_SIZE];
	uint64_t fresh = 0;
	int rc = preview_run(p, &sink, &fresh, &cli->fault);

	difference_end(&d, counts);
	if (ferror(stdout))
		return 0; /* main() looks for that */
	if (rc != 0)
		return rc;
	cli_set_bool(cli, "dry_run", true);
	cli_set_int(cli, "commit", (int64_t)p->number);
	cli_set_int(cli, "files", (int64_t)p->files);
	cli_set_int(cli, "bytes", (int64_t)p->bytes);
	cli_set_int(cli, "files_read", (int64_t)p->fresh_files);
	cli_set_int(cli, "bytes_read", (int64_t)fresh);
	cli_set_int(cli, "excluded", (int64_t)p->excluded);
	cli_set_int(cli, "left_out", (int64_t)p->left_out);
	cli_warned(cli);
	cli_print(cli, "dry run: %s; %" PRIu64 " of %" PRIu64 " %s would be "
	    "read, %.1f of %.1f MiB; %" PRIu64 " excluded\n", counts,
	    p->fresh_files, p->files, noun_for(p->files, "file", "files"),
	    (double)fresh / 1048576, (double)p->bytes / 1048576, p->excluded);
	return p->left_out == 0 ? 0 : fault_set(&cli->fault, FAULT_PARTIAL,
	    "%" PRIu64 " cannot be read: the rest would be stored",
	    p->left_out);
}

static int
store(struct putcmd *c)
{
	struct state *st defer(state_closep) = NULL;
	struct session *ses = NULL;
	struct put p = { .source = c->source, .sources = c->sources,
		.rules = c->rules, .warn = cli_warn, .warn_arg = c->cli };
	char shown[PATH_SHOW_MAX], message[PATH_SHOW_MAX + 64];
	int64_t from = clock_ms();
	int rc = cli_state(c->cli, &st);

	if (rc == 0)
		rc = check_own(c, st);
	if (rc == 0)
		rc = cli_session(c->cli, st, c->dry_run ? SESSION_READ :
		    SESSION_WRITE, &ses);
	if (rc != 0)
		return rc;
	p.ses = ses;
	if (c->dry_run) {
		rc = dry_run(c, &p);
		cli_session_done(c->cli, ses);
		return rc;
	}
	path_show(c->source[0].key, shown);
	(void)snprintf(message, sizeof(message), c->sources > 1 ?
	    "put %s and %zu more" : "put %s", shown, c->sources - 1);
	p.effort = c->effort;
	p.repair = c->repair;
	p.message = c->message != NULL ? c->message : message;
	p.progress = progress_new("put", "file", "files",
	    c->cli->quiet || c->cli->json);
	rc = put_run(&p, &c->cli->fault);
	progress_free(p.progress);
	cli_session_done(c->cli, ses);
	return rc == 0 ? outcome(c, &p,
	    (double)(clock_ms() - from) / 1000) : rc;
}

static int
parse_effort(struct putcmd *c, const char *word)
{
	static const char *const words[] = { [EFFORT_AUTO] = "auto",
		[EFFORT_FAST] = "fast", [EFFORT_MAX] = "max" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0) {
			c->effort = (enum effort_wish)i;
			return 0;
		}
	return cli_usage(c->cli,
	    "--compression is auto, fast or max, not %s", word);
}

static int
add_pattern(struct putcmd *c, const char *pattern)
{
	struct fault why = { 0 };
	int rc = exclude_add(c->exclude, pattern, &why);

	return rc == 0 ? 0 :
	    cli_usage(c->cli, "--exclude %.200s: %s", pattern, why.text);
}

static int
read_patterns(struct putcmd *c, const char *name)
{
	FILE *in = fopen(name, "re");
	int rc;

	if (in == NULL)
		return path_fault(name, &c->cli->fault);
	rc = exclude_read(c->exclude, in, name, &c->cli->fault);
	(void)fclose(in);
	return rc;
}

/* Somebody's words, which are kept as they are or not at all. */
static int
parse_message(struct putcmd *c, const char *text)
{
	if (strlen(text) > MESSAGE_MAX)
		return cli_usage(c->cli, "a message has at most %u bytes",
		    MESSAGE_MAX);
	if (!utf8_valid(text, strlen(text)))
		return cli_usage(c->cli, "a message is UTF-8");
	c->message = text;
	return 0;
}

static int
parse_option(struct putcmd *c, int opt)
{
	switch (opt) {
	case 'c':
		return parse_effort(c, optarg);
	case 'e':
		return add_pattern(c, optarg);
	case 'f':
		return read_patterns(c, optarg);
	case 'g':
		c->rules.caches = true;
		return 0;
	case 'm':
		return parse_message(c, optarg);
	case 'n':
		c->dry_run = true;
		return 0;
	case 'r':
		c->repair = true;
		return 0;
	case 't':
		c->to = optarg;
		return 0;
	case 'x':
		c->rules.one_file_system = true;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS,
		{ "compression", required_argument, NULL, 'c' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "exclude", required_argument, NULL, 'e' },
		{ "exclude-caches", no_argument, NULL, 'g' },
		{ "exclude-from", required_argument, NULL, 'f' },
		{ "message", required_argument, NULL, 'm' },
		{ "one-file-system", no_argument, NULL, 'x' },
		{ "repair", no_argument, NULL, 'r' },
		{ "to", required_argument, NULL, 't' }, { 0 } };
	struct putcmd c defer(putcmd_wipe) = { .cli = cli,
		.exclude = exclude_new() };
	int opt, rc = 0;

	if (c.exclude == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	while ((opt = cli_getopt(cli, argc, argv, "m:nx", options)) != -1) {
		rc = parse_option(&c, opt);
		if (rc != 0)
			return rc;
	}
	exclude_prepare(c.exclude);
	c.rules.exclude = c.exclude;
	if (c.dry_run && c.repair)
		return cli_usage(cli, "either --dry-run or --repair");
	if (optind == argc)
		return cli_usage(cli, "what is to be stored?");
	c.source = calloc((size_t)(argc - optind), sizeof(*c.source));
	if (c.source == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	for (int i = optind; i < argc && rc == 0; i++)
		rc = add_source(&c, argv[i]);
	if (rc == 0)
		rc = check_sources(&c);
	return rc == 0 ? store(&c) : rc;
}

const struct command cmd_put = {
	.name = "put",
	.run = run,
	.args = "[OPTION…] FILE|FOLDER…",
	.help = "store files and folders as a new commit",
	.options =
	    "  --compression HOW   auto (the default): as hard as costs no "
	    "time; fast; max\n"
	    "  -n, --dry-run       list what would be added, removed, modified;"
	    " store nothing\n"
	    "  --exclude PATTERN   leave out what matches: a name at any depth;"
	    " with a slash\n"
	    "                      in it, the path below FILE|FOLDER; with one "
	    "at its end,\n"
	    "                      folders only; may be repeated\n"
	    "  --exclude-from FILE\n"
	    "                      a pattern a line\n"
	    "  --exclude-caches    of a folder with a CACHEDIR.TAG, the tag "
	    "alone\n"
	    "  -m, --message TEXT  what skerry log shows of the commit; by "
	    "default what was put\n"
	    "  -x, --one-file-system\n"
	    "                      store folders of other file systems empty\n"
	    "  --repair            what is lost of the space and not of FILE|"
	    "FOLDER comes from\n"
	    "                      an earlier commit, or is given up\n"
	    "  --to PATH           folder of the space to put them into; made "
	    "if it is missing\n",
};
