// SPDX-License-Identifier: Apache-2.0
/*
 * What main() gives a command.  A command prints its results by cli_print(), or
 * puts them into out where --json was given; it returns 0, or a FAULT_* with a
 * line in fault.  A new command is one file with `const struct command
 * cmd_name`, and one line in the table of main.c.
 */
#ifndef SKERRY_CLIENT_CLI_H
#define SKERRY_CLIENT_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/session.h"
#include "client/state.h"
#include "net/http.h"
#include "object/receipt.h"

struct command;

struct cli {
	const struct command *command;
	char *const *argv; /* of the program */
	const char *home; /* --home, or NULL; never empty */
	bool json, quiet, verbose;
	bool help; /* --help was given to the command */
	const atomic_bool *stop; /* set by SIGINT and SIGTERM */
	struct fault fault;
	struct http_wire onshore, offshore; /* what the command moved */
	bool cut; /* nobody reads standard output any more: not a word of it */
	bool told; /* the announced change of custody was shown */
	bool told_key; /* that the operator's custody has the key of before */
	json_t *out; /* object: members of the --json answer */
	json_t *warnings; /* array of cli_warn(), or NULL */
	uint64_t warned;  /* how often that was called */
	bool begun;  /* the command itself printed the answer's start: "{" and
	              * members, each with a comma behind it */
};

struct command {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv); /* argv[0]: name */
	const char *args;    /* "[--to PATH] FILE…" */
	const char *help;    /* one line */
	const char *options; /* a line each, or NULL */
	bool hidden;
};

/* Options of every command.  An array of a command's own options begins with
 * this; its own values are below 1000. */
#define CLI_OPTIONS                                                \
	{ "home", required_argument, NULL, 1000 },                 \
	{ "json", no_argument, NULL, 1001 },                       \
	{ "quiet", no_argument, NULL, 1002 },                      \
	{ "verbose", no_argument, NULL, 1003 },                    \
	{ "help", no_argument, NULL, 1004 }

#define CLI_BAD_OPTION '?'

/*
 * getopt_long() that takes care of CLI_OPTIONS.  The value of the next option
 * of the command's own; -1 at the end, optind is then that of the first
 * operand; CLI_BAD_OPTION: return FAULT_USAGE at once, the fault is set.
 */
int cli_getopt(struct cli *cli, int argc, char **argv, const char *letters,
    const struct option *options);

/* Sets the fault: how the command is to be used. */
int cli_usage(struct cli *cli, const char *fmt, ...) printf_like(2, 3);

/* To standard output, unless --json. */
void cli_print(const struct cli *cli, const char *fmt, ...) printf_like(2, 3);

/* To standard error, unless --json or --quiet. */
void cli_note(const struct cli *cli, const char *fmt, ...) printf_like(2, 3);

/* A path of which something was left out: a line on standard error, unless
 * --json or --quiet, and of more than CLI_WARNINGS the first alone, unless
 * --verbose.  arg is the struct cli; a progress bar may be on the screen. */
#define CLI_WARNINGS 20
void cli_warn(void *arg, struct bytes key, const char *text);

/* At the end: how many were not shown; all of them into the --json answer. */
void cli_warned(struct cli *cli);

/* Members of out; name is a literal. */
void cli_set_text(struct cli *cli, const char *name, const char *value);
void cli_set_int(struct cli *cli, const char *name, int64_t value);
void cli_set_bool(struct cli *cli, const char *name, bool value);
void cli_set_id(struct cli *cli, const char *name,
    const uint8_t id[static ID_LEN]);

/* To standard error, --quiet or not; a member of the --json answer instead. */
void cli_custody(struct cli *cli, const struct state *st, bool moved);

/* The state of --home, whatever its stage. */
int cli_state(struct cli *cli, struct state **out) must_check;

/* A receipt that holds: a line, and an object for list. */
void cli_receipt(const struct cli *cli, const char *holder,
    const struct receipt *r, json_t *list);

/* A session and its end, which adds what moved to the command's counts. */
int cli_session(struct cli *cli, struct state *st, enum session_need need,
    struct session **out) must_check;
void cli_session_done(struct cli *cli, struct session *s);

#endif
