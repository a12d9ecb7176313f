// SPDX-License-Identifier: Apache-2.0
/* In which order a key is changed, and what is done where a step fails.  The
 * steps are none: they say what they were told to say. */
#include "test/lib/cm.h"

#include <time.h>

#include "client/custodian.h"
#include "client/epoch.h"
#include "client/given.h"
#include "client/rotation.h"

/* A step's outcomes, one after the other; 0 once they are used up. */
struct step {
	int rc[8];
	size_t at;
};

static struct rig {
	struct cli cli;
	struct state st;
	struct session ses;
	struct custodian custodian;
	struct rewrite w;
	struct step end, begin, rewrite, refresh, given;
	bool abandoned;
	atomic_bool stop;
	bool stop_it;    /* in the midst of rewriting */
	char log[512];   /* steps; "end!": those after the head's too */
	uint32_t ended;  /* last_epoch at the last end */
	size_t receipts; /* that were shown */
	char printed[512], noted[512];
	uint64_t lost; /* that rewriting finds */
} *rig;

static int
step(struct step *s, const char *name, struct fault *f)
{
	size_t n = strlen(rig->log);
	int rc = s->at < ARRAY_LEN(s->rc) ? s->rc[s->at++] : 0;

	(void)snprintf(rig->log + n, sizeof(rig->log) - n, "%s%s",
	    n == 0 ? "" : " ", name);
	return rc == 0 ? 0 : fault_set(f, rc, "%s failed", name);
}

bool
epoch_abandoned(const struct session *ses)
{
	(void)ses;
	return rig->abandoned;
}

int
epoch_end(struct session *ses, bool abandoned, struct epoch_ends *out,
    struct fault *f)
{
	rig->ended = ses->last_epoch;
	if (out != NULL)
		out->n++;
	return step(&rig->end, abandoned ? "end!" : "end", f);
}

int
epoch_begin(struct session *ses, uint32_t *epoch, struct fault *f)
{
	*epoch = ses->last_epoch + 1;
	return step(&rig->begin, "begin", f);
}

int
rewrite_run(struct rewrite *w, struct fault *f)
{
	const struct timespec t = { .tv_nsec = 5000000 };

	assert_ptr_equal(w->ses, &rig->ses);
	assert_int_equal(w->epoch, rig->ses.last_epoch + 1);
	w->commits += 10;
	w->lost = rig->lost;
	w->why = rig->lost != 0 ? FAULT_MISSING : 0;
	if (rig->stop_it) {
		(void)nanosleep(&t, NULL);
		atomic_store(&rig->stop, true);
	}
	return step(&rig->rewrite, "rewrite", f);
}

int
given_settle(struct session *ses, struct epoch_ends *ends, size_t *left,
    struct fault *f)
{
	(void)ses;
	(void)ends;
	*left = 0;
	return step(&rig->given, "given", f);
}

int
session_refresh(struct session *s, struct fault *f)
{
	(void)s;
	return step(&rig->refresh, "refresh", f);
}

int
cli_session(struct cli *cli, struct state *st, enum session_need need,
    struct session **out)
{
	(void)cli;
	(void)st;
	assert_int_equal(need, SESSION_WRITE);
	*out = &rig->ses;
	return 0;
}

void
cli_session_done(struct cli *cli, struct session *s)
{
	(void)cli;
	assert_ptr_equal(s, &rig->ses);
}

void
cli_receipt(const struct cli *cli, const char *holder, const struct receipt *r,
    json_t *list)
{
	(void)cli;
	(void)holder;
	(void)r;
	(void)list;
	rig->receipts++;
}

void
cli_set_int(struct cli *cli, const char *name, int64_t value)
{
	(void)json_object_set_new(cli->out, name, json_integer(value));
}

void
cli_print(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	(void)cli;
	va_start(ap, fmt);
	(void)vsnprintf(rig->printed, sizeof(rig->printed), fmt, ap);
	va_end(ap);
}

void
cli_note(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	(void)cli;
	va_start(ap, fmt);
	(void)vsnprintf(rig->noted, sizeof(rig->noted), fmt, ap);
	va_end(ap);
}

void
cli_warn(void *arg, struct bytes key, const char *text)
{
	(void)arg;
	(void)key;
	(void)text;
}

void
cli_warned(struct cli *cli)
{
	(void)cli;
}

static int
setup(void **state)
{
	rig = calloc(1, sizeof(*rig));
	if (rig == NULL)
		return -1;
	rig->cli = (struct cli){ .quiet = true, .out = json_object() };
	rig->custodian.set.mode = CUSTODY_STANDARD;
	rig->ses = (struct session){ .has_head = true, .last_epoch = 3,
		.custodian = &rig->custodian, .stop = &rig->stop };
	*state = rig;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	json_decref(r->cli.out);
	free(r);
	return 0;
}

static int
run(struct rig *r)
{
	r->w = (struct rewrite){ .message = "rotate" };
	return rotation_run(&r->cli, &r->st, "rotate", &r->w);
}

static int64_t
shown(const struct rig *r, const char *name)
{
	return json_integer_value(json_object_get(r->cli.out, name));
}

static void
goes_step_by_step(void **state)
{
	struct rig *r = *state;

	assert_int_equal(run(r), 0);
	assert_string_equal(r->log,
	    "end! refresh begin rewrite end refresh given");
	assert_int_equal(shown(r, "epoch"), 4);
	assert_int_equal(r->receipts, 2);
}

/* Devices that came meanwhile get the new key with the end of the old. */
static void
looks_again_before_it_ends_sealed_epochs(void **state)
{
	struct rig *r = *state;

	r->custodian.set.mode = CUSTODY_SEALED;
	assert_int_equal(run(r), 0);
	assert_string_equal(r->log,
	    "end! refresh begin rewrite refresh end refresh given");
}

static void
refuses_an_empty_space(void **state)
{
	struct rig *r = *state;

	r->ses.has_head = false;
	assert_int_equal(run(r), FAULT_NOT_FOUND);
	assert_string_equal(r->log, "");
}

/* Nothing is written under a key that this run did not make. */
static void
begins_nothing_beside_what_it_could_not_end(void **state)
{
	struct rig *r = *state;

	r->end.rc[0] = FAULT_PARTIAL;
	assert_int_equal(run(r), FAULT_PARTIAL);
	assert_string_equal(r->log, "end!");
	/* What was shown is what was proved so far. */
	assert_int_equal(r->receipts, 1);
}

/* The key is changed; somebody has shares of the one before. */
static void
says_who_could_not_be_told(void **state)
{
	struct rig *r = *state;

	r->given.rc[0] = FAULT_PARTIAL;
	assert_int_equal(run(r), FAULT_PARTIAL);
	assert_int_equal(shown(r, "epoch"), 4);
}

static void
ends_what_it_began_for_nothing(void **state)
{
	static const int why[] = { FAULT_INTERRUPTED, FAULT_NOT_FOUND,
		FAULT_MISSING };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(why); i++) {
		r->log[0] = '\0';
		r->ses.last_epoch = 3;
		r->rewrite = (struct step){ .rc[0] = why[i] };
		/* That it cannot is not what the user is told. */
		r->end = (struct step){ .rc[1] = FAULT_AUTHORITY };
		assert_int_equal(run(r), why[i]);
		assert_string_equal(r->log, "end! refresh begin rewrite end!");
		assert_int_equal(r->ended, 4);
		assert_string_equal(r->cli.fault.text, "rewrite failed");
	}
}

/* As a crash does; the next run ends it. */
static void
leaves_what_it_began_where_the_depot_fails(void **state)
{
	struct rig *r = *state;

	r->rewrite.rc[0] = FAULT_DEPOT;
	assert_int_equal(run(r), FAULT_DEPOT);
	assert_string_equal(r->log, "end! refresh begin rewrite");
}

static void
begins_anew_where_another_device_was_first(void **state)
{
	struct rig *r = *state;

	r->rewrite.rc[0] = FAULT_CONFLICT;
	r->begin.rc[1] = FAULT_DENIED;
	assert_int_equal(run(r), 0);
	assert_string_equal(r->log, "end! refresh begin rewrite "
	    "refresh end! refresh begin "
	    "refresh end! refresh begin rewrite end refresh given");
	assert_int_equal(r->cli.fault.code, 0);
	/* Of the last try, not of all. */
	assert_int_equal(r->w.commits, 10);
}

static void
gives_up_after_five(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < 5; i++)
		r->begin.rc[i] = FAULT_CONFLICT;
	assert_int_equal(run(r), FAULT_CONFLICT);
	assert_int_equal(r->begin.at, 5);
	assert_non_null(strstr(r->cli.fault.text,
	    "other devices keep rotating"));
}

static void
stops_while_it_lets_another_finish(void **state)
{
	struct rig *r = *state;

	r->rewrite.rc[0] = FAULT_CONFLICT;
	r->stop_it = true;
	assert_int_equal(run(r), FAULT_INTERRUPTED);
	assert_string_equal(r->log, "end! refresh begin rewrite");
}

/* The key is changed all the same. */
static void
says_what_is_lost(void **state)
{
	struct rig *r = *state;

	r->st.head.known = true;
	assert_int_equal(run(r), 0);
	assert_int_equal(rotation_lost(&r->cli, &r->w), 0);
	r->lost = 2;
	r->log[0] = '\0';
	r->ses.last_epoch = 3;
	assert_int_equal(run(r), 0);
	assert_string_equal(r->log,
	    "end! refresh begin rewrite end refresh given");
	assert_int_equal(shown(r, "lost"), 2);
	assert_int_equal(rotation_lost(&r->cli, &r->w), FAULT_MISSING);
	assert_non_null(strstr(r->cli.fault.text, "2 parts of the space"));
	r->cli.fault = (struct fault){ 0 };
	r->ses.last_epoch = 3;
	assert_int_equal(rotation_follow(&r->cli, &r->st, "revoked"), 0);
	assert_int_equal(r->cli.fault.code, 0);
	assert_non_null(strstr(r->noted, "2 parts of the space"));
}

static void
says_what_holds_where_the_key_does_not_follow(void **state)
{
	struct rig *r = *state;

	r->st.head.known = true;
	r->end.rc[1] = FAULT_PARTIAL;
	assert_int_equal(rotation_follow(&r->cli, &r->st, "revoked"),
	    FAULT_PARTIAL);
	assert_string_equal(r->cli.fault.text, "revoked, but the space's key "
	    "is not changed everywhere yet (end failed): run skerry rotate");
}

static void
leaves_the_key_of_an_empty_space(void **state)
{
	struct rig *r = *state;

	r->ses.has_head = false;
	assert_int_equal(rotation_follow(&r->cli, &r->st, "revoked"), 0);
	assert_string_equal(r->log, "");
	assert_non_null(strstr(r->printed, "the space is empty"));
	/* A device that has not seen the head yet asks. */
	r->ses.has_head = true;
	assert_int_equal(rotation_follow(&r->cli, &r->st, "revoked"), 0);
	assert_string_equal(r->log,
	    "end! refresh begin rewrite end refresh given");
}

static void
clears_only_what_was_abandoned(void **state)
{
	struct rig *r = *state;
	struct fault f = { 0 };

	assert_int_equal(rotation_clear(&r->ses, &f), 0);
	assert_string_equal(r->log, "");
	r->abandoned = true;
	assert_int_equal(rotation_clear(&r->ses, &f), 0);
	assert_string_equal(r->log, "end! refresh");
	r->end.rc[1] = FAULT_CONFLICT;
	assert_int_equal(rotation_clear(&r->ses, &f), FAULT_CONFLICT);
	assert_string_equal(r->log, "end! refresh end!");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		TEST(goes_step_by_step),
		TEST(looks_again_before_it_ends_sealed_epochs),
		TEST(refuses_an_empty_space),
		TEST(says_who_could_not_be_told),
		TEST(begins_nothing_beside_what_it_could_not_end),
		TEST(ends_what_it_began_for_nothing),
		TEST(leaves_what_it_began_where_the_depot_fails),
		TEST(begins_anew_where_another_device_was_first),
		TEST(gives_up_after_five),
		TEST(stops_while_it_lets_another_finish),
		TEST(says_what_is_lost),
		TEST(says_what_holds_where_the_key_does_not_follow),
		TEST(leaves_the_key_of_an_empty_space),
		TEST(clears_only_what_was_abandoned),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
