// SPDX-License-Identifier: Apache-2.0
/* skerry-authority: which command, and what it says when it fails. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "authority/cmd.h"
#include "authority/role.h"
#include "crypt/secret.h"
#include "settings/usage.h"

#define PROGRAM "skerry-authority"

struct command {
	const char *name, *second; /* second word, or NULL */
	cmd_run *run;
	const char *help;
};

static const struct command commands[] = {
	{ "init", NULL, cmd_init,
	    "init --dir D --name N --jurisdiction CC --url https://HOST:PORT\n"
	    "    --passphrase-file F, or --module M --token LABEL|--slot N\n"
	    "    --pin-file F [--key LABEL] [--id HEX] [--mechanism M]\n"
	    "    [--iv own|token] [--paths P:P] [--lease 12h]\n"
	    "  Makes keyfile, database folder and configuration in D; prints\n"
	    "  the public keys.\n" },
	{ "migrate", NULL, cmd_migrate,
	    "migrate --config FILE --module M --token LABEL|--slot N\n"
	    "    --pin-file F [--key LABEL] [--id HEX] [--iv own|token]\n"
	    "    [--paths P:P]\n"
	    "  Takes the keyfile's root key into a PKCS#11 token.\n" },
	{ "run", NULL, cmd_run_service,
	    "run --config FILE\n  Runs the service until SIGTERM.\n" },
	{ "check-config", NULL, cmd_check_config,
	    "check-config --config FILE\n"
	    "  Checks the configuration and what it names.\n" },
	{ "public", NULL, cmd_public,
	    "public --config FILE\n  Prints the public keys as JSON.\n" },
	{ "policy", "key", cmd_policy_key,
	    "policy key --out KEYFILE\n  Makes a policy key.\n" },
	{ "policy", "sign", cmd_policy_sign,
	    "policy sign --key KEYFILE --in policy.json --out policy.txt\n"
	    "  Checks a policy's rules and signs it.\n" },
	{ "policy", "show", cmd_policy_show,
	    "policy show FILE\n  Checks a signed policy and prints it.\n" },
	{ "custody", "announce", cmd_custody_announce,
	    "custody announce --config FILE --key KEYFILE --mode MODE\n"
	    "    --holders NAME,... [--threshold K] (--space ID | all)\n"
	    "  Announces a change of custody to the devices of a space, or of\n"
	    "  all; it takes effect after the policy's delay.\n" },
	{ "request", "enter", cmd_request_enter,
	    "request enter --config FILE --jurisdiction CC --text FILE|-\n"
	    "    [--gag-until YYYY-MM-DD]\n"
	    "  Enters what a government or another demands in the public log;\n"
	    "  prints its id.  Its text is published at once, or that day.\n" },
	{ "request", "state", cmd_request_state,
	    "request state ID approved|refused|withdrawn|served\n"
	    "    --config FILE --text FILE|- [--gag-until YYYY-MM-DD|none]\n"
	    "  Enters what became of it.  No key is released by that.\n" },
	{ "request", "list", cmd_request_list,
	    "request list --config FILE [--json]\n"
	    "  Prints all requests and their states.\n" },
	{ "invite", "new", cmd_invite_new,
	    "invite new --config FILE [--uses N] [--days N] [--json]\n"
	    "  Prints a code for N accounts (1) within N days (30), where the\n"
	    "  configuration has \"admission: invitation\".\n" },
	{ "invite", "list", cmd_invite_list,
	    "invite list --config FILE [--json]\n"
	    "  Prints invitations that are good: id, uses left, end.\n" },
	{ "invite", "withdraw", cmd_invite_withdraw,
	    "invite withdraw ID --config FILE\n"
	    "  Ends an invitation.  Accounts that it made stay.\n" },
};

static bool
asks_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* All commands, or those of one name. */
static int
help(const char *name, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (name == NULL || strcmp(commands[i].name, name) == 0)
			(void)printf("skerry-authority %s", commands[i].help);
	return usage_print("", f) == 0 ? 0 : usage_complain(PROGRAM, f);
}

/* "enter, state or list": the second words of that first one, if it has any. */
static bool
seconds_of(const char *name, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(commands) && n < size; i++) {
		bool more = i + 1 < ARRAY_LEN(commands) &&
		    strcmp(commands[i + 1].name, name) == 0;

		if (strcmp(commands[i].name, name) != 0 ||
		    commands[i].second == NULL)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    n == 0 ? "" : more ? ", " : " or ", commands[i].second);
	}
	return n > 0;
}

static int
usage(int argc, char **argv, struct fault *f)
{
	char wanted[128];

	if (argc > 1 && seconds_of(argv[1], wanted, sizeof(wanted)))
		(void)fault_set(f, FAULT_USAGE, "%s%s%s: %s is wanted; see %s "
		    "--help", argv[1], argc > 2 ? " " : "", argc > 2 ?
		    argv[2] : "", wanted, argv[1]);
	else if (argc < 2)
		(void)fault_set(f, FAULT_USAGE,
		    "no command was given; see --help");
	else
		(void)fault_set(f, FAULT_USAGE,
		    "%s%s%s: no such command; see --help", argv[1],
		    argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	return usage_complain(PROGRAM, f);
}

int
main(int argc, char **argv)
{
	struct fault f = { 0 };
	int rc;

	if (argc == 5 && strcmp(argv[1], "role") == 0)
		return role_run(argv[2], argv[3], argv[4]);
	if (argc < 2)
		return usage(argc, argv, &f);
	if (asks_help(argv[1]))
		return help(NULL, &f);
	if (strcmp(argv[1], "--version") == 0)
		return usage_print("skerry-authority " SKERRY_VERSION "\n",
		    &f) == 0 ? 0 : usage_complain(PROGRAM, &f);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];
		int skip = c->second != NULL ? 2 : 1;

		if (strcmp(argv[1], c->name) != 0)
			continue;
		if (argc > 2 && asks_help(argv[argc - 1]))
			return help(c->name, &f);
		if (c->second != NULL &&
		    (argc < 3 || strcmp(argv[2], c->second) != 0))
			continue;
		rc = secret_init();
		if (rc != 0)
			(void)fault_set(&f, rc, "secret memory");
		else
			rc = c->run(argc - skip, argv + skip, &f);
		if (rc != 0 && f.code != rc)
			(void)fault_set(&f, rc, "%s", fault_text(rc));
		return rc != 0 ? usage_complain(PROGRAM, &f) : 0;
	}
	return usage(argc, argv, &f);
}
