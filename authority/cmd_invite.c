// SPDX-License-Identifier: Apache-2.0
/*
 * invite new, list, withdraw: who may make an account, where the configuration
 * has "admission: invitation".  spec/50-authority.md, Admission.
 *
 * Only the database is touched, so the service may run or not.  It gets the
 * hash of a code: what can be listed later makes no account.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/db.h"
#include "authority/ledger_json.h"
#include "crypt/invitation.h"
#include "crypt/secret.h"
#include "net/jsontext.h"
#include "net/text.h"

#define USES_MAX 1000000
#define DAYS_MAX 3650
#define DAYS 30
#define DAY_SECONDS 86400

/* Digits alone, 1 to max; *out stays where there is no text. */
static int
read_number(const char *option, const char *text, int64_t max, int64_t *out,
    struct fault *f)
{
	char *end;
	long long v;

	if (text == NULL)
		return 0;
	v = strtoll(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || v < 1 ||
	    v > max)
		return fault_set(f, FAULT_USAGE, "%s %s: a number from 1 to %"
		    PRId64 " is wanted", option, text, max);
	*out = v;
	return 0;
}

static int
add(struct db *db, const struct db_invitation *i,
    const struct invitation *code, struct fault *f)
{
	uint8_t hash[DB_HASH_LEN];
	int rc = db->begin(db, f);

	invitation_hash(code, hash);
	if (rc == 0)
		rc = db->invitation_add(db, i, hash, f);
	if (rc == 0)
		return db->commit(db, f);
	db->abort(db);
	return rc;
}

/* The code alone is the output, what else there is to know is beside it. */
static int
print_new(const struct db_invitation *i, const char *code, bool json,
    struct fault *f)
{
	char id[TEXT_HEX_SIZE(ID_LEN)], until[CMD_TIME_SIZE];
	bool ok;

	text_hex(i->id, ID_LEN, id, sizeof(id));
	cmd_time(i->expires, until);
	if (json) {
		ok = printf("{\n  \"invitation\": \"%s\",\n  \"code\": \"%s\","
		    "\n  \"uses\": %" PRId64 ",\n  \"expires\": %" PRId64
		    "\n}\n", id, code, i->uses, i->expires) >= 0;
	} else {
		ok = printf("%s\n", code) >= 0;
		(void)fprintf(stderr, "invitation %s: for %" PRId64
		    " account%s until %s\n", id, i->uses,
		    i->uses == 1 ? "" : "s", until);
	}
	return ok && fflush(stdout) == 0 ? 0 : fault_set(f, FAULT_IO,
	    "cannot write to stdout, but invitation %s is good now: withdraw "
	    "it", id);
}

int
cmd_invite_new(int argc, char **argv, struct fault *f)
{
	const char *path = NULL, *uses = NULL, *days = NULL;
	const struct cmd_option o[] = { { "config", &path, true },
		{ "uses", &uses, false }, { "days", &days, false } };
	bool json = cmd_take_json(&argc, argv);
	struct config *c defer(config_freep) = NULL;
	struct db *db defer(cmd_close_db) = NULL;
	struct db_invitation i = { .uses = 1 };
	char text[INVITATION_TEXT_LEN + 1];
	struct invitation code;
	int64_t n = DAYS;
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc == 0)
		rc = read_number("--uses", uses, USES_MAX, &i.uses, f);
	if (rc == 0)
		rc = read_number("--days", days, DAYS_MAX, &n, f);
	if (rc == 0)
		rc = config_load(path, &c, f);
	if (rc == 0)
		rc = db_sqlite_open(c->database, &db, f);
	if (rc != 0)
		return rc;
	i.expires = (int64_t)time(NULL) + n * DAY_SECONDS;
	secret_random(i.id, ID_LEN);
	invitation_new(&code);
	rc = add(db, &i, &code, f);
	invitation_text(&code, text);
	if (rc == 0)
		rc = print_new(&i, text, json, f);
	if (rc == 0 && !config_by_invitation(c))
		(void)fprintf(stderr, "skerry-authority: admission is open: an "
		    "account is made without an invitation, too\n");
	secret_wipe(&code, sizeof(code));
	secret_wipe(text, sizeof(text));
	return rc;
}

static int
on_listed(void *arg, const struct db_invitation *i)
{
	json_t *one = json_pack("{s:o,s:I,s:I}", "invitation",
	    jsontext_id(i->id), "uses", (json_int_t)i->uses, "expires",
	    (json_int_t)i->expires);

	return json_array_append_new(arg, one) == 0 ? 0 : FAULT_MEMORY;
}

static bool
print_table(json_t *all)
{
	char until[CMD_TIME_SIZE];
	json_t *one;
	size_t n;
	bool ok = printf("%-32s  %7s  %s\n", "invitation", "uses", "until") >=
	    0;

	json_array_foreach(all, n, one) {
		cmd_time(json_integer_value(json_object_get(one, "expires")),
		    until);
		ok &= printf("%s  %7" JSON_INTEGER_FORMAT "  %s\n",
		    json_string_value(json_object_get(one, "invitation")),
		    json_integer_value(json_object_get(one, "uses")),
		    until) >= 0;
	}
	return ok;
}

static bool
print_json(json_t *all)
{
	json_t *j defer(ledger_json_freep) = json_pack("{s:O}", "invitations",
	    all);

	return j != NULL && json_dumpf(j, stdout, JSON_INDENT(2)) == 0 &&
	    printf("\n") >= 0;
}

static int
collect(struct db *db, json_t *all, struct fault *f)
{
	return db->invitation_each(db, (int64_t)time(NULL), on_listed, all, f);
}

int
cmd_invite_list(int argc, char **argv, struct fault *f)
{
	static const struct cmd_listing what = { .collect = collect,
		.json = print_json, .table = print_table };
	json_t *all defer(ledger_json_freep) = json_array();

	return cmd_list(argc, argv, &what, all, f);
}

int
cmd_invite_withdraw(int argc, char **argv, struct fault *f)
{
	struct db *db defer(cmd_close_db) = NULL;
	const char *config = NULL;
	const struct cmd_option o[] = { { "config", &config, true } };
	uint8_t id[ID_LEN];
	int rc;

	if (argc < 2 || text_hex_parse(argv[1], strlen(argv[1]), id,
	        ID_LEN) != 0)
		return fault_set(f, FAULT_USAGE, "an invitation's id, 32 hex "
		    "digits, is wanted");
	rc = cmd_options(argc - 1, argv + 1, o, ARRAY_LEN(o), NULL, f);
	if (rc == 0)
		rc = cmd_open_db(config, &db, f);
	if (rc == 0)
		rc = db->begin(db, f);
	if (rc != 0)
		return rc;
	rc = db->invitation_drop(db, id, f);
	if (rc == 0)
		return db->commit(db, f);
	db->abort(db);
	return rc;
}
