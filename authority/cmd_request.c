// SPDX-License-Identifier: Apache-2.0
/*
 * request enter, state, list: the register of what governments and others
 * demand.  spec/60-log.md, Requests.
 *
 * The database is all that is needed: the desk key, which blinds the entries,
 * is in it, and the log is written by the service alone.  So neither the keys
 * role nor its passphrase is asked, and the service may run or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "authority/cmd.h"
#include "authority/db.h"
#include "authority/ledger_json.h"
#include "authority/outbox.h"
#include "crypt/secret.h"
#include "net/text.h"
#include "tlog/demand.h"

#define DAY_FORM "%Y-%m-%d"
#define DAY_SIZE sizeof("9999-12-31")

struct entering {
	const char *config, *jurisdiction, *text, *gag;
	struct demand d;
	struct buf body;
	struct db *db;
};

static void
wipe(struct entering *e)
{
	buf_wipe(&e->body);
	if (e->db != NULL)
		e->db->close(e->db);
}

static void
close_fd(int *fd)
{
	if (*fd > STDIN_FILENO)
		(void)close(*fd);
}

/* One byte more than there may be is enough to see that it is too long. */
static int
read_text(const char *path, struct buf *out, struct fault *f)
{
	int fd defer(close_fd) = strcmp(path, "-") == 0 ? STDIN_FILENO :
	    open(path, O_RDONLY | O_CLOEXEC);
	uint8_t piece[LEAF_BODY_MAX + 1];
	ssize_t n = 1;
	int rc = 0;

	if (fd < 0)
		return fault_sys(f, fault_from_errno(errno), errno, "open %s",
		    path);
	while (rc == 0 && n > 0) {
		n = read(fd, piece, sizeof(piece) - out->n);
		if (n < 0)
			return fault_sys(f, fault_from_errno(errno), errno,
			    "read %s", path);
		rc = buf_append(out, piece, (size_t)n);
	}
	if (rc == 0)
		rc = demand_text_check(buf_bytes(out));
	if (rc == FAULT_LIMIT)
		return fault_set(f, rc, "%s: the text has over %d bytes", path,
		    LEAF_BODY_MAX);
	return rc == 0 ? 0 : fault_set(f, rc, "%s: the text is to be UTF-8, "
	    "not empty, without control characters but newline and tab",
	    path);
}

/* The beginning of a day, UTC, as the text has it and in no other form. */
static int
read_gag(const char *text, int64_t now, uint64_t *out, struct fault *f)
{
	char again[DAY_SIZE + 1] = "";
	struct tm tm = { 0 };
	const char *end = strptime(text, DAY_FORM, &tm);
	time_t t = timegm(&tm);

	if (end == NULL || *end != '\0' || gmtime_r(&t, &tm) == NULL ||
	    strftime(again, sizeof(again), DAY_FORM, &tm) == 0 ||
	    strcmp(again, text) != 0 || t <= now ||
	    (uint64_t)t > DEMAND_UNTIL_MAX)
		return fault_set(f, FAULT_USAGE, "--gag-until %s: a day to "
		    "come is wanted, as 2030-01-31", text);
	*out = (uint64_t)t;
	return 0;
}

static void
day_of(uint64_t t, char out[static DAY_SIZE])
{
	const time_t at = (time_t)t;
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL ||
	    strftime(out, DAY_SIZE, DAY_FORM, &tm) == 0)
		memcpy(out, "?", 2);
}

struct before {
	struct demand last;
	uint64_t until; /* the latest gag */
	bool any;
};

static int
on_before(void *arg, const struct db_leaf *row)
{
	struct before *b = arg;
	struct leaf leaf;

	if (leaf_decode(row->entry, &leaf) != 0 ||
	    demand_read(leaf.open, &b->last) != 0)
		return FAULT_INTERNAL;
	if (b->last.until > b->until)
		b->until = b->last.until;
	b->any = true;
	return 0;
}

/* [log] Where it goes on from; whose it is stays. */
static int
check_state(struct entering *e, int64_t now, struct fault *f)
{
	struct before b = { 0 };
	char day[DAY_SIZE];
	int rc = e->db->request_of(e->db, e->d.id, on_before, &b, f);

	if (rc != 0)
		return rc;
	if (!b.any)
		return fault_set(f, FAULT_NOT_FOUND, "no request has this id");
	if (!demand_follows(b.last.state, e->d.state))
		return fault_set(f, FAULT_CONFLICT, "the request is %s; %s "
		    "does not follow that", demand_state_name(b.last.state),
		    demand_state_name(e->d.state));
	memcpy(e->d.jurisdiction, b.last.jurisdiction,
	    sizeof(e->d.jurisdiction));
	/* What is published cannot be taken back: not by forgetting this. */
	if (e->gag == NULL && b.until > (uint64_t)now) {
		day_of(b.until, day);
		return fault_set(f, FAULT_USAGE, "a text of this request is "
		    "under a gag until %s: --gag-until says whether this one "
		    "is (a day, or none)", day);
	}
	return 0;
}

/* The row is all that there is of it: the service appends it to the log. */
static int
add(struct entering *e, int64_t now, struct outbox_item *out, struct fault *f)
{
	bool is_new = e->jurisdiction != NULL;
	int rc = e->db->begin(e->db, f);

	if (rc == 0 && !is_new)
		rc = check_state(e, now, f);
	if (rc == 0)
		rc = outbox_demand(e->db, &e->d, buf_bytes(&e->body), now,
		    out, f);
	if (rc == 0)
		return e->db->commit(e->db, f);
	e->db->abort(e->db);
	return rc;
}

static int
enter(struct entering *e, struct fault *f)
{
	int64_t now = (int64_t)time(NULL);
	char id[TEXT_HEX_SIZE(ID_LEN)];
	struct outbox_item i = { 0 };
	uint64_t index;
	int rc = 0;

	e->body = buf_init(LEAF_BODY_MAX + 1);
	if (e->gag != NULL && strcmp(e->gag, "none") != 0)
		rc = read_gag(e->gag, now, &e->d.until, f);
	if (rc == 0)
		rc = read_text(e->text, &e->body, f);
	if (rc == 0)
		rc = cmd_open_db(e->config, &e->db, f);
	if (rc == 0)
		rc = add(e, now, &i, f);
	index = i.index;
	outbox_wipe(&i);
	if (rc != 0)
		return rc;
	text_hex(e->d.id, ID_LEN, id, sizeof(id));
	if (printf("{\n  \"request\": \"%s\",\n  \"index\": %" PRIu64 "\n}\n",
	        id, index) < 0 || fflush(stdout) != 0)
		/* Entered again it would be another, in the log for ever. */
		return fault_set(f, FAULT_IO, "cannot write to stdout, but "
		    "request %s is %s now, by entry %" PRIu64
		    ": do not enter that again", id,
		    demand_state_name(e->d.state), index);
	return 0;
}

int
cmd_request_enter(int argc, char **argv, struct fault *f)
{
	struct entering e defer(wipe) = { .d.state = DEMAND_ENTERED };
	const struct cmd_option o[] = { { "config", &e.config, true },
		{ "jurisdiction", &e.jurisdiction, true },
		{ "text", &e.text, true }, { "gag-until", &e.gag, false } };
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc == 0 && !demand_jurisdiction_ok(e.jurisdiction))
		rc = fault_set(f, FAULT_USAGE, "--jurisdiction %s: ISO 3166-1 "
		    "alpha-2 in lower case is wanted", e.jurisdiction);
	if (rc != 0)
		return rc;
	memcpy(e.d.jurisdiction, e.jurisdiction, sizeof(e.d.jurisdiction));
	secret_random(e.d.id, ID_LEN);
	return enter(&e, f);
}

int
cmd_request_state(int argc, char **argv, struct fault *f)
{
	struct entering e defer(wipe) = { 0 };
	const struct cmd_option o[] = { { "config", &e.config, true },
		{ "text", &e.text, true }, { "gag-until", &e.gag, false } };
	int rc;

	if (argc < 3 || text_hex_parse(argv[1], strlen(argv[1]), e.d.id,
	        ID_LEN) != 0)
		return fault_set(f, FAULT_USAGE, "a request's id, 32 hex "
		    "digits, and a state are wanted");
	e.d.state = demand_state_find(argv[2]);
	if (e.d.state <= DEMAND_ENTERED)
		return fault_set(f, FAULT_USAGE, "%s: the state is approved, "
		    "refused, withdrawn or served", argv[2]);
	rc = cmd_options(argc - 2, argv + 2, o, ARRAY_LEN(o), NULL, f);
	return rc != 0 ? rc : enter(&e, f);
}

/* A state as JSON, under its request; requests in the order of their
 * beginning. */
static int
on_listed(void *arg, const struct db_leaf *row)
{
	json_t *all = arg, *one, *state;
	char id[TEXT_HEX_SIZE(ID_LEN)];
	struct leaf leaf;
	struct demand d;

	if (leaf_decode(row->entry, &leaf) != 0 ||
	    demand_read(leaf.open, &d) != 0)
		return FAULT_INTERNAL;
	text_hex(d.id, ID_LEN, id, sizeof(id));
	one = json_object_get(all, id);
	if (one == NULL) {
		one = json_pack("{s:s,s:s,s:[]}", "request", id,
		    "jurisdiction", d.jurisdiction, "states");
		if (json_object_set_new(all, id, one) != 0)
			return FAULT_MEMORY;
	}
	state = json_pack("{s:s,s:I,s:I,s:o}", "state",
	    demand_state_name(d.state), "time", (json_int_t)leaf.time,
	    "index", (json_int_t)row->index, "gag_until", d.until == 0 ?
	    json_null() : json_integer((json_int_t)d.until));
	return json_array_append_new(json_object_get(one, "states"), state) ==
	    0 ? 0 : FAULT_MEMORY;
}

static const char *
member(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static json_int_t
number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

static bool
print_state(const json_t *one, const json_t *state)
{
	char when[CMD_TIME_SIZE], day[DAY_SIZE] = "-";

	cmd_time(number(state, "time"), when);
	if (json_is_integer(json_object_get(state, "gag_until")))
		day_of((uint64_t)number(state, "gag_until"), day);
	return printf("%s  %s  %-9s  %-20s  %10" JSON_INTEGER_FORMAT "  %s\n",
	    member(one, "request"), member(one, "jurisdiction"),
	    member(state, "state"), when, number(state, "index"), day) >= 0;
}

static bool
print_table(json_t *all)
{
	const char *id;
	json_t *one, *state;
	size_t i;
	bool ok = printf("%-32s  %s  %-9s  %-20s  %10s  %s\n", "request", "in",
	    "state", "time", "index", "gag until") >= 0;

	json_object_foreach(all, id, one)
		json_array_foreach(json_object_get(one, "states"), i, state)
			ok &= print_state(one, state);
	return ok;
}

static bool
print_json(json_t *all)
{
	json_t *list defer(ledger_json_freep) = json_array(), *one;
	json_t *j defer(ledger_json_freep) = json_pack("{s:O}", "requests",
	    list);
	const char *id;

	json_object_foreach(all, id, one)
		if (json_array_append(list, one) != 0)
			return false;
	return j != NULL && json_dumpf(j, stdout, JSON_INDENT(2)) == 0 &&
	    printf("\n") >= 0;
}

static int
collect(struct db *db, json_t *all, struct fault *f)
{
	return db->request_each(db, 0, INT64_MAX, on_listed, all, f);
}

int
cmd_request_list(int argc, char **argv, struct fault *f)
{
	static const struct cmd_listing what = { .collect = collect,
		.json = print_json, .table = print_table };
	json_t *all defer(ledger_json_freep) = json_object();

	return cmd_list(argc, argv, &what, all, f);
}
