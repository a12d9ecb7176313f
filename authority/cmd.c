// SPDX-License-Identifier: Apache-2.0
#include "authority/cmd.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "authority/config.h"
#include "authority/db.h"

static const struct cmd_option *
option_find(const struct cmd_option *o, size_t n, const char *arg, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(o[i].name) == len &&
		    strncmp(o[i].name, arg, len) == 0)
			return &o[i];
	return NULL;
}

int
cmd_options(int argc, char **argv, const struct cmd_option *o, size_t n,
    const char **rest, struct fault *f)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *equals = strchr(arg, '=');
		const struct cmd_option *x = NULL;

		if (strncmp(arg, "--", 2) == 0)
			x = option_find(o, n, arg + 2, equals != NULL ?
			    (size_t)(equals - arg) - 2 : strlen(arg) - 2);
		if (x != NULL && equals != NULL) {
			*x->value = equals + 1;
		} else if (x != NULL && i + 1 < argc) {
			*x->value = argv[++i];
		} else if (x == NULL && arg[0] != '-' && rest != NULL &&
		    *rest == NULL) {
			*rest = arg;
		} else if (x != NULL) {
			return fault_set(f, FAULT_USAGE, "%s wants a value",
			    arg);
		} else {
			return fault_set(f, FAULT_USAGE,
			    "%s: not understood; see --help", arg);
		}
	}
	for (size_t i = 0; i < n; i++)
		if (o[i].required && *o[i].value == NULL)
			return fault_set(f, FAULT_USAGE, "--%s is wanted",
			    o[i].name);
	return 0;
}

bool
cmd_take_json(int *argc, char **argv)
{
	int n = 1;

	for (int i = 1; i < *argc; i++)
		if (strcmp(argv[i], "--json") != 0)
			argv[n++] = argv[i];
	if (n == *argc)
		return false;
	*argc = n;
	return true;
}

int
cmd_open_db(const char *config, struct db **out, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	int rc = config_load(config, &c, f);

	return rc != 0 ? rc : db_sqlite_open(c->database, out, f);
}

void
cmd_close_db(struct db **db)
{
	if (*db != NULL)
		(*db)->close(*db);
}

int
cmd_list(int argc, char **argv, const struct cmd_listing *what, json_t *all,
    struct fault *f)
{
	struct db *db defer(cmd_close_db) = NULL;
	const char *config = NULL;
	const struct cmd_option o[] = { { "config", &config, true } };
	bool json = cmd_take_json(&argc, argv);
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc == 0)
		rc = cmd_open_db(config, &db, f);
	if (rc == 0)
		rc = db->begin(db, f);
	if (rc != 0)
		return rc;
	rc = what->collect(db, all, f);
	db->abort(db);
	if (rc == 0 && (!(json ? what->json(all) : what->table(all)) ||
	    fflush(stdout) != 0))
		rc = fault_set(f, FAULT_IO, "cannot write to stdout");
	return rc;
}

void
cmd_time(int64_t at, char out[static CMD_TIME_SIZE])
{
	const time_t t = (time_t)at;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, CMD_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(out, "?", 2);
}
