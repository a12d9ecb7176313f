// SPDX-License-Identifier: Apache-2.0
#include "client/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "net/text.h"

enum {
	OPT_HOME = 1000,
	OPT_JSON,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_HELP,
};

static int
bad_option(struct cli *cli, char **argv, const char *letters)
{
	const char *what = optopt == 0 || optopt >= 1000 ? argv[optind - 1] :
							   NULL;
	const char letter[] = { '-', (char)optopt, '\0' };

	/* optopt is set for a letter that needs a value, or is not known. */
	(void)letters;
	(void)cli_usage(cli, "option %s is not known, or its value is missing",
	    what != NULL ? what : letter);
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
			return bad_option(cli, argv, letters);
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
	    "%s (usage: skerry %s %s)", why, cli->command->name,
	    cli->command->args);
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

int
cli_state(struct cli *cli, struct state **out)
{
	char *dir;
	int rc = state_home(cli->home, &dir, &cli->fault);

	if (rc != 0)
		return rc;
	rc = state_open(dir, out, &cli->fault);
	free(dir);
	return rc;
}

int
cli_session(struct cli *cli, struct state *st, enum session_need need,
    struct session **out)
{
	return session_open(st, need, cli->stop, out, &cli->fault);
}

void
cli_session_done(struct cli *cli, struct session *s)
{
	session_finish(s, &cli->onshore, &cli->offshore);
}
