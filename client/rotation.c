// SPDX-License-Identifier: Apache-2.0
#include "client/rotation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/noun.h"
#include "client/custodian.h"
#include "client/engine/fetch.h"
#include "client/epoch.h"
#include "client/given.h"
#include "client/state.h"
#include "crypt/secret.h"
#include "net/text.h"

#define TRIES 5

static void
show_ends(struct cli *cli, const struct epoch_ends *ends)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ends->n; i++) {
		const struct epoch_ended *e = &ends->end[i];

		cli_receipt(cli, e->holder, &e->receipt, list);
	}
	(void)json_object_set_new(cli->out, "receipts", list);
}

static void
show(struct cli *cli, const struct rewrite *w)
{
	cli_set_int(cli, "commit", (int64_t)w->number);
	cli_set_int(cli, "epoch", w->epoch);
	cli_set_int(cli, "commits", (int64_t)w->commits);
	cli_set_int(cli, "nodes", (int64_t)w->nodes);
	cli_set_int(cli, "objects", (int64_t)w->objects);
	cli_set_int(cli, "sent", (int64_t)w->sent);
	cli_set_int(cli, "conflicts", (int64_t)w->conflicts);
	cli_set_int(cli, "lost", (int64_t)w->lost);
	cli_warned(cli);
	cli_print(cli, "commit %" PRIu64 ": epoch %u; %" PRIu64 " %s and %"
	    PRIu64 " tree %s sealed anew, %.1f MiB, no chunk moved\n",
	    w->number, w->epoch,
	    w->commits, noun_for(w->commits, "commit", "commits"),
	    w->nodes, noun_for(w->nodes, "node", "nodes"),
	    (double)w->sent / 1048576);
}

int
rotation_clear(struct session *ses, struct fault *f)
{
	int rc;

	if (!epoch_abandoned(ses))
		return 0;
	rc = epoch_end(ses, true, NULL, f);
	return rc == 0 ? session_refresh(ses, f) : rc;
}

static int
rotate(struct cli *cli, struct session *ses, const char *verb,
    struct rewrite *w, struct epoch_ends *ends)
{
	size_t left;
	int rc;

	if (!ses->has_head)
		return fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "nothing was stored yet");
	/* What was begun and not finished, by whomever: its key was not this
	 * run's, so nothing may be written under it. */
	rc = epoch_end(ses, true, ends, &cli->fault);
	if (rc == 0)
		rc = session_refresh(ses, &cli->fault);
	if (rc == 0)
		rc = epoch_begin(ses, &w->epoch, &cli->fault);
	if (rc != 0)
		return rc;
	w->ses = ses;
	w->warn = cli_warn;
	w->warn_arg = cli;
	w->progress = progress_new(verb, "commit", "commits",
	    cli->quiet || cli->json);
	rc = rewrite_run(w, &cli->fault);
	progress_free(w->progress);
	if (rc == FAULT_NOT_FOUND || rc == FAULT_INTERRUPTED ||
	    fetch_is_lost(rc)) {
		struct fault scrap = { 0 };

		ses->last_epoch = w->epoch;
		(void)!epoch_end(ses, true, NULL, &scrap);
	}
	if (rc != 0)
		return rc;
	show(cli, w);
	/* Devices that came meanwhile are to have the new key first. */
	if (ses->custodian->set.mode == CUSTODY_SEALED)
		rc = session_refresh(ses, &cli->fault);
	if (rc == 0)
		rc = epoch_end(ses, false, ends, &cli->fault);
	/* The agent, too, forgets the old keys. */
	if (rc == 0)
		rc = session_refresh(ses, &cli->fault);
	return rc == 0 ? given_settle(ses, ends, &left, &cli->fault) : rc;
}

/* false: interrupted. */
static bool
pause_for(const struct session *ses, int64_t ms)
{
	const int64_t until = clock_ms() + ms;
	const struct timespec bit = { .tv_nsec = 50000000 };

	while (clock_ms() < until) {
		if (ses->stop != NULL && atomic_load(ses->stop))
			return false;
		(void)nanosleep(&bit, NULL);
	}
	return true;
}

/*
 * Of two devices that rotate at once, the later one ends what the earlier had
 * begun, which finds that out when it is to move the head: then it lets the
 * other finish, which takes about as long as it took itself, and begins anew.
 */
static int
try_all(struct cli *cli, struct session *ses, const char *verb,
    struct rewrite *w, struct epoch_ends *ends)
{
	int rc = 0;

	for (int i = 0; i < TRIES; i++) {
		struct rewrite one = *w;
		int64_t begun = clock_ms();
		uint8_t part;
		int lost;

		rc = rotate(cli, ses, verb, &one, ends);
		if (rc != FAULT_CONFLICT && rc != FAULT_DENIED) {
			*w = one;
			return rc;
		}
		lost = rc;
		if (i + 1 == TRIES)
			break;
		secret_random(&part, sizeof(part));
		if (!pause_for(ses, (clock_ms() - begun) * (255 + part) /
		    255))
			return fault_set(&cli->fault, FAULT_INTERRUPTED,
			    "interrupted");
		cli->fault = (struct fault){ 0 };
		rc = session_refresh(ses, &cli->fault);
		if (rc != 0)
			return rc;
		cli_note(cli, "skerry: another device has changed the "
		    "space's keys or who has them meanwhile%s: once more\n",
		    lost == FAULT_DENIED ? ", and ended this try" : "");
	}
	return fault_add(&cli->fault, rc, "other devices keep rotating");
}

int
rotation_run(struct cli *cli, struct state *st, const char *verb,
    struct rewrite *w)
{
	struct epoch_ends *ends = calloc(1, sizeof(*ends));
	struct session *ses = NULL;
	int rc;

	if (ends == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (rc == 0)
		rc = try_all(cli, ses, verb, w, ends);
	show_ends(cli, ends);
	free(ends);
	if (ses != NULL)
		cli_session_done(cli, ses);
	return rc;
}

int
rotation_lost(struct cli *cli, const struct rewrite *w)
{
	if (w->lost == 0)
		return 0;
	return fault_set(&cli->fault, w->why, "the key is changed, but %"
	    PRIu64 " %s of the space could not be sealed anew%s: lost at the "
	    "depot, and no copy is here", w->lost,
	    noun_for(w->lost, "part", "parts"),
	    w->repair ? ", and given up" : "");
}

int
rotation_follow(struct cli *cli, struct state *st, const char *done)
{
	struct rewrite w = { .message = "rotate" };
	char why[sizeof(cli->fault.text)];
	int rc;

	if (!st->head.known) {
		struct session *ses = NULL;
		bool empty;

		rc = cli_session(cli, st, SESSION_WRITE, &ses);
		empty = rc == 0 && !ses->has_head;
		if (ses != NULL)
			cli_session_done(cli, ses);
		if (empty) {
			cli_print(cli, "the space is empty and keeps its key: "
			    "run skerry rotate once something is stored\n");
			return 0;
		}
	}
	rc = rotation_run(cli, st, "rotate", &w);
	if (rc == 0 && rotation_lost(cli, &w) != 0) {
		cli_note(cli, "skerry: %s\n", cli->fault.text);
		cli->fault = (struct fault){ 0 };
	}
	if (rc == 0)
		return 0;
	(void)snprintf(why, sizeof(why), "%s", cli->fault.text);
	cli->fault = (struct fault){ 0 };
	return fault_set(&cli->fault, FAULT_PARTIAL, "%s, but the space's key "
	    "is not changed everywhere yet (%.200s): run skerry rotate", done,
	    why);
}
