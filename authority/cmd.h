// SPDX-License-Identifier: Apache-2.0
/* The subcommands of skerry-authority(1).  Each reads its own options. */
#ifndef SKERRY_AUTHORITY_CMD_H
#define SKERRY_AUTHORITY_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/fault.h"

typedef int cmd_run(int argc, char **argv, struct fault *f);

cmd_run cmd_init, cmd_migrate, cmd_policy_sign, cmd_policy_key,
    cmd_policy_show, cmd_public, cmd_check_config, cmd_run_service,
    cmd_custody_announce, cmd_request_enter, cmd_request_state,
    cmd_request_list, cmd_invite_new, cmd_invite_list, cmd_invite_withdraw;

struct cmd_option {
	const char *name;  /* without the dashes */
	const char **value; /* set to the argument */
	bool required;
};

struct config;
struct db;
struct keystore_public;
struct note_key;

/* The public keys, as the keyfile has them in the open. */
int cmd_config_public(const struct config *c, struct keystore_public *out,
    struct fault *f) must_check;

/* The verifier key of the log, which the keystore is opened for. */
int cmd_config_log_key(const struct config *c, struct note_key *out,
    struct fault *f) must_check;

/* Reads "--name value" and "--name=value"; what is left over goes to *rest,
 * where that is not NULL, and is wrong usage where it is.  FAULT_USAGE. */
int cmd_options(int argc, char **argv, const struct cmd_option *o, size_t n,
    const char **rest, struct fault *f) must_check;

/* Takes "--json", the one option that has no value, out of the arguments, and
 * says whether it was there. */
bool cmd_take_json(int *argc, char **argv);

/* Opens the database of a configuration, beside the service or without it.
 * *out is to be closed. */
int cmd_open_db(const char *config, struct db **out, struct fault *f)
	must_check;

/* For defer(). */
void cmd_close_db(struct db **db);

/* "… list --config FILE [--json]": collects into all, a JSON value of the
 * caller's, in one transaction, and prints it, as JSON or as a table. */
struct cmd_listing {
	int (*collect)(struct db *db, json_t *all, struct fault *f);
	bool (*json)(json_t *all); /* false: could not be written */
	bool (*table)(json_t *all);
};

int cmd_list(int argc, char **argv, const struct cmd_listing *what,
    json_t *all, struct fault *f) must_check;

/* A time in seconds as UTC, "?" where it has no such form. */
#define CMD_TIME_SIZE sizeof("9999-12-31T23:59:59Z")
void cmd_time(int64_t at, char out[static CMD_TIME_SIZE]);

#endif
