// SPDX-License-Identifier: Apache-2.0
#include "client/cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/custodian.h"
#include "client/epoch.h"
#include "client/given.h"
#include "client/notice.h"
#include "client/path.h"
#include "client/show.h"
#include "client/state.h"
#include "net/text.h"

enum {
	OPT_HOME = 1000,
	OPT_JSON,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_HELP,
};

/* getopt leaves in optopt 0 for a long option that is not known, the val of
 * one that is used wrongly, or a letter. */
static int
bad_option(struct cli *cli, char **argv, const char *letters,
    const struct option *o)
{
	const char *what = argv[optind - 1], *why = "is not known";
	const char letter[] = { '-', (char)optopt, '\0' };
	const size_t n = strcspn(what, "=");

	while (o->name != NULL && o->val != optopt)
		o++;
	if (optopt != 0 && o->name != NULL && n > 2 && what[1] == '-' &&
	    strncmp(what + 2, o->name, n - 2) == 0) {
		why = o->has_arg == no_argument ? "takes no value" :
						  "wants a value";
	} else if (optopt != 0) {
		what = letter;
		if (strchr(letters, optopt) != NULL)
			why = "wants a value";
	}
	(void)cli_usage(cli, "option %.*s %s", (int)strcspn(what, "="), what,
	    why);
	return CLI_BAD_OPTION;
}

int
cli_getopt(struct cli *cli, int argc, char **argv, const char *letters,
    const struct option *options)
{
	for (;;) {
		int c = getopt_long(argc, argv, letters, options, NULL);

		switch (c) {
		case OPT_HOME:
			/* An unset variable is not the default folder. */
			if (optarg[0] == '\0') {
				(void)cli_usage(cli, "--home wants a folder");
				return CLI_BAD_OPTION;
			}
			cli->home = optarg;
			break;
		case OPT_JSON:
			cli->json = true;
			break;
		case OPT_QUIET:
			cli->quiet = true;
			break;
		case OPT_VERBOSE:
			cli->verbose = true;
			break;
		case OPT_HELP:
			cli->help = true;
			return CLI_BAD_OPTION;
		case '?':
		case ':':
			return bad_option(cli, argv, letters, options);
		case -1:
			notice_set(!cli->json && !cli->quiet &&
			    (cli->verbose || isatty(STDERR_FILENO)));
			return c;
		default:
			return c;
		}
	}
}

int
cli_usage(struct cli *cli, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return fault_set(&cli->fault, FAULT_USAGE,
	    "%s (usage: skerry %s%s%s)", why, cli->command->name,
	    cli->command->args[0] != '\0' ? " " : "", cli->command->args);
}

void
cli_print(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->json)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
}

void
cli_note(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->json || cli->quiet)
		return;
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
}

void
cli_warn(void *arg, struct bytes key, const char *text)
{
	struct cli *cli = arg;
	char path[PATH_SHOW_MAX];

	path_show(key, path);
	if (cli->json) {
		if (cli->warnings == NULL)
			cli->warnings = json_array();
		(void)json_array_append_new(cli->warnings, json_pack(
		    "{s:s,s:s+}", "path", path, "text", text, ""));
	}
	if (cli->warned++ < CLI_WARNINGS || cli->verbose) {
		notice_clear_line();
		cli_note(cli, "skerry: %s: %s: %s\n", cli->command->name, path,
		    text);
	}
}

void
cli_warned(struct cli *cli)
{
	json_t *all = cli->warnings;

	cli->warnings = NULL;
	(void)json_object_set_new(cli->out, "warnings",
	    all != NULL ? all : json_array());
	if (cli->warned > CLI_WARNINGS && !cli->verbose)
		cli_note(cli, "skerry: %s: and %" PRIu64 " more; --verbose "
		    "names them all\n", cli->command->name,
		    cli->warned - CLI_WARNINGS);
}

void
cli_set_text(struct cli *cli, const char *name, const char *value)
{
	(void)json_object_set_new(cli->out, name, json_string(value));
}

void
cli_set_int(struct cli *cli, const char *name, int64_t value)
{
	(void)json_object_set_new(cli->out, name, json_integer(value));
}

void
cli_set_bool(struct cli *cli, const char *name, bool value)
{
	(void)json_object_set_new(cli->out, name, json_boolean(value));
}

void
cli_set_id(struct cli *cli, const char *name, const uint8_t id[static ID_LEN])
{
	char hex[TEXT_HEX_SIZE(ID_LEN)];

	text_hex(id, ID_LEN, hex, sizeof(hex));
	cli_set_text(cli, name, hex);
}

/* [custody] An announced change is shown on every command. */
void
cli_receipt(const struct cli *cli, const char *holder, const struct receipt *r,
    json_t *list)
{
	char hash[TEXT_HEX_SIZE(HASH_LEN)];

	text_hex(r->blobs, HASH_LEN, hash, sizeof(hash));
	cli_print(cli, "receipt: %s destroyed %sepoch %u (keyslots %.16s…)\n",
	    holder, r->what == RECEIPT_CUSTODY ? "what it held of " : "",
	    r->epoch, hash);
	(void)json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:I}",
	    "epoch", (json_int_t)r->epoch, "holder", holder, "keyslots", hash,
	    "time", (json_int_t)r->time));
}

void
cli_custody(struct cli *cli, const struct state *st, bool moved)
{
	struct custodian c;
	struct fault scrap = { 0 };
	char when[SHOW_TIME_SIZE];

	if (custodian_load(st, &c, &scrap) != 0 || !c.known)
		return;
	if (moved) {
		cli_set_int(cli, "custody_moved", c.set.serial);
		cli_note(cli, "skerry: the custody is now %s, %u of %u "
		    "(set %u)\n", custody_mode_text(c.set.mode), c.set.k,
		    c.set.n, c.set.serial);
	}
	/* [custody] The operator cannot change the key; who was left by its set
	 * has what he had. */
	if (!cli->told_key && c.set.kind == CUSTODY_OPERATOR &&
	    st->head.known && st->head.epoch <= c.set.epoch) {
		cli->told_key = true;
		cli_set_bool(cli, "custody_keeps_key", true);
		cli_note(cli, "skerry: the operator has changed the custody, "
		    "and the key is that of before: whoever held it or a "
		    "share may have kept that; skerry rotate changes it\n");
	}
	if (!c.announced || cli->told)
		return;
	cli->told = true;
	show_time(c.next.effective, 0, false, when);
	cli_set_text(cli, "custody_announced", when);
	if (!cli->json)
		(void)fprintf(stderr, "skerry: THE OPERATOR HAS ANNOUNCED "
		    "ANOTHER CUSTODY (%s, in %s%s), from %s on.\n"
		    "skerry: skerry custody show says more; skerry custody "
		    "refuse seals the space.\n",
		    custody_mode_text(c.next.mode),
		    c.next.holder[0].jurisdiction,
		    c.next.n > 1 ? " and others" : "", when);
}

int
cli_state(struct cli *cli, struct state **out)
{
	char *dir;
	int rc = state_home(cli->home, &dir, &cli->fault);

	if (rc != 0)
		return rc;
	rc = state_open(dir, out, &cli->fault);
	free(dir);
	if (rc == 0)
		cli_custody(cli, *out, false);
	return rc;
}

int
cli_session(struct cli *cli, struct state *st, enum session_need need,
    struct session **out)
{
	struct fault scrap = { 0 };
	size_t left;
	int rc = session_open(st, need, cli->stop, out, &cli->fault);

	if (rc != 0)
		return rc;
	cli_custody(cli, st, (*out)->custodian->moved);
	if ((*out)->home_away) {
		cli_set_bool(cli, "home_away", true);
		cli_note(cli, "skerry: authority %s is away: reading goes on "
		    "with the other holders, writing waits\n",
		    st->binding.authority);
	}
	/* What a rotation or a move could not finish, the next writer does. */
	if (need == SESSION_WRITE && epoch_stale(*out))
		(void)!epoch_end(*out, false, NULL, &scrap);
	if (need == SESSION_WRITE)
		(void)!given_settle(*out, NULL, &left, &scrap);
	return 0;
}

/* Once, whatever the number of sessions. */
static void
say_no_cache(struct cli *cli, const struct fault *why)
{
	if (why->code == 0 || json_object_get(cli->out, "no_cache") != NULL)
		return;
	cli_set_text(cli, "no_cache", why->text);
	cli_note(cli, "skerry: %s: without a cache, for that folder cannot be "
	    "used: %s\n", cli->command->name, why->text);
}

void
cli_session_done(struct cli *cli, struct session *s)
{
	if (s != NULL)
		say_no_cache(cli, &s->no_cache);
	session_finish(s, &cli->onshore, &cli->offshore);
}
