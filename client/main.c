// SPDX-License-Identifier: Apache-2.0
/* skerry(1): finds the command, runs it, reports.  The only place that prints
 * errors and ends the process. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/noun.h"
#include "client/cli.h"
#include "crypt/secret.h"

extern const struct command cmd_agent;
extern const struct command cmd_approve;
extern const struct command cmd_audit;
extern const struct command cmd_cat;
extern const struct command cmd_check;
extern const struct command cmd_custody;
extern const struct command cmd_devices;
extern const struct command cmd_diff;
extern const struct command cmd_enrol;
extern const struct command cmd_export;
extern const struct command cmd_get;
extern const struct command cmd_init;
extern const struct command cmd_lock;
extern const struct command cmd_log;
extern const struct command cmd_ls;
extern const struct command cmd_policy;
extern const struct command cmd_put;
extern const struct command cmd_recovery;
extern const struct command cmd_revoke;
extern const struct command cmd_rm;
extern const struct command cmd_rotate;
extern const struct command cmd_shred;
extern const struct command cmd_status;

static const struct command *const commands[] = {
	&cmd_init,
	&cmd_enrol,
	&cmd_approve,
	&cmd_devices,
	&cmd_revoke,
	&cmd_recovery,
	&cmd_put,
	&cmd_get,
	&cmd_ls,
	&cmd_cat,
	&cmd_log,
	&cmd_diff,
	&cmd_rm,
	&cmd_rotate,
	&cmd_shred,
	&cmd_check,
	&cmd_export,
	&cmd_custody,
	&cmd_audit,
	&cmd_policy,
	&cmd_status,
	&cmd_lock,
	&cmd_agent,
};

static atomic_bool stop;

static void
on_signal(int sig)
{
	(void)sig;
	atomic_store(&stop, true);
}

/* The first signal asks the command to stop at a safe point.  A second one
 * ends it at once: a crash loses nothing either. */
static void
set_signals(void)
{
	const struct sigaction ask = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction was;

	(void)sigaction(SIGINT, &ask, NULL);
	(void)sigaction(SIGTERM, &ask, NULL);
	/* nohup(1) has it ignored. */
	if (sigaction(SIGHUP, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
		(void)sigaction(SIGHUP, &ask, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
}

/* Where one of the first three is closed, a state file or a connection would
 * get its number, and what is printed.  Of this, every use fails. */
static void
hold_standard_files(void)
{
	int fd;

	do
		fd = open("/", O_PATH | O_DIRECTORY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

static void
print_help(void)
{
	(void)printf("usage: skerry [OPTION…] COMMAND [ARGUMENT…]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!commands[i]->hidden)
			(void)printf("  %-9s %s\n", commands[i]->name,
			    commands[i]->help);
	(void)printf("\nOptions, before or after the command:\n"
		     "  --home DIR  folder of the device's state\n"
		     "  --json      one line of JSON on standard output\n"
		     "  --quiet     no progress, no notes\n"
		     "  --verbose   say what was moved, and where\n"
		     "  --help      this text, or the command's\n"
		     "  --version   version\n\n"
		     "See skerry(1).\n");
}

static void
print_command_help(const struct command *c)
{
	(void)printf("usage: skerry %s%s%s\n\n%c%s.\n", c->name,
	    c->args[0] != '\0' ? " " : "", c->args,
	    toupper((unsigned char)c->help[0]), c->help + 1);
	if (c->options != NULL)
		(void)printf("\n%s", c->options);
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static json_t *
wire_json(struct http_wire *w)
{
	return json_pack("{s:I,s:I,s:I}", "requests",
	    (json_int_t)atomic_load(&w->requests), "sent",
	    (json_int_t)atomic_load(&w->sent), "received",
	    (json_int_t)atomic_load(&w->received));
}

static void
print_json(struct cli *cli, int rc)
{
	char *text;

	if (rc != 0) {
		const char *why = cli->fault.code == rc &&
			cli->fault.text[0] != '\0' ? cli->fault.text :
						     fault_text(rc);

		(void)json_object_set_new(cli->out, "error",
		    json_pack("{s:s,s:s+}", "code", fault_name(rc), "text",
			why, ""));
	}
	(void)json_object_set_new(cli->out, "wire",
	    json_pack("{s:o,s:o}", "onshore", wire_json(&cli->onshore),
		"offshore", wire_json(&cli->offshore)));
	text = json_dumps(cli->out,
	    JSON_COMPACT | JSON_REAL_PRECISION(9));
	(void)printf("%s\n", text == NULL ? "{}" : text + cli->begun);
	free(text);
}

static void
amount(uint64_t n, char out[static 32])
{
	static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n / 1024;
	size_t i = 0;

	if (n < 1024) {
		(void)snprintf(out, 32, "%" PRIu64 " B", n);
		return;
	}
	while (v >= 1024 && i + 1 < ARRAY_LEN(unit)) {
		v /= 1024;
		i++;
	}
	(void)snprintf(out, 32, "%.1f %s", v, unit[i]);
}

static void
note_wire(const struct cli *cli, const char *where, struct http_wire *w)
{
	uint64_t requests = atomic_load(&w->requests);
	char sent[32], received[32];

	amount(atomic_load(&w->sent), sent);
	amount(atomic_load(&w->received), received);
	cli_note(cli, "%s: %" PRIu64 " %s, %s sent, %s received", where,
	    requests, noun_for(requests, "request", "requests"), sent,
	    received);
}

/* Wrong usage ends the reading of options, and --json may stand behind it. */
static bool
wants_json(char *const *argv)
{
	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
		if (strcmp(*argv, "--json") == 0)
			return true;
	return false;
}

static void
report(struct cli *cli, int rc)
{
	if (rc == FAULT_USAGE && wants_json(cli->argv))
		cli->json = true;
	if (cli->json) {
		print_json(cli, rc);
		return;
	}
	if (rc != 0 && !cli->cut)
		(void)fprintf(stderr, "skerry: %s\n",
		    cli->fault.code == rc && cli->fault.text[0] != '\0' ?
		    cli->fault.text : fault_text(rc));
	if (!cli->command->hidden && (cli->verbose || isatty(STDERR_FILENO))) {
		note_wire(cli, "onshore", &cli->onshore);
		cli_note(cli, "; ");
		note_wire(cli, "offshore", &cli->offshore);
		cli_note(cli, "\n");
	}
}

/* A command whose output could not be written has not succeeded.  Where that
 * was long before the end, another write tells why. */
static int
finish_output(struct cli *cli, int rc)
{
	int err;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	if (rc != 0)
		return rc;
	if (errno == 0)
		(void)!write(STDOUT_FILENO, "\n", 1);
	err = errno != 0 ? errno : EIO;
	rc = fault_sys(&cli->fault, fault_from_errno(err), err,
	    "standard output");
	if (err != EPIPE) /* head(1) has seen enough */
		(void)fprintf(stderr, "skerry: %s\n", cli->fault.text);
	return rc;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	int rc;

	cli->out = json_object();
	if (cli->out == NULL)
		return FAULT_MEMORY;
	optind = 0; /* getopt starts anew, for the command's own array */
	rc = cli->command->run(cli, argc, argv);
	if (cli->help) {
		print_command_help(cli->command);
		rc = 0;
	} else {
		report(cli, rc);
	}
	json_decref(cli->out);
	return finish_output(cli, rc);
}

/* The fault is set, by cli_usage(). */
static int
usage_error(struct cli *cli)
{
	cli->out = json_object();
	report(cli, FAULT_USAGE);
	json_decref(cli->out);
	return FAULT_USAGE;
}

static int
dispatch(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	const struct command *command;
	int c = cli_getopt(cli, argc, argv, "+", options);

	if (c == 'V') {
		(void)printf("skerry %s\n", SKERRY_VERSION);
		return finish_output(cli, 0);
	}
	if (cli->help) {
		print_help();
		return finish_output(cli, 0);
	}
	if (c != -1)
		return usage_error(cli);
	if (optind >= argc) {
		(void)cli_usage(cli, "no command was given");
		return usage_error(cli);
	}
	command = find(argv[optind]);
	if (command == NULL) {
		(void)cli_usage(cli, "no such command: %s", argv[optind]);
		return usage_error(cli);
	}
	cli->command = command;
	return run(cli, argc - optind, argv + optind);
}

int
main(int argc, char **argv)
{
	static const struct command self = { .name = "[OPTION…] COMMAND",
		.args = "[ARGUMENT…]; see skerry --help" };
	struct cli cli = { .command = &self, .argv = argv, .stop = &stop };

	(void)setlocale(LC_CTYPE, "");
	opterr = 0;
	hold_standard_files();
	fd_raise(); /* a walk holds one for each level */
	set_signals();
	if (secret_init() != 0) {
		(void)fprintf(stderr,
		    "skerry: the cryptographic library does not start\n");
		return fault_exit(FAULT_INTERNAL);
	}
	return fault_exit(dispatch(&cli, argc, argv));
}
