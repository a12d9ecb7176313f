// SPDX-License-Identifier: Apache-2.0
#include "client/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/engine/fetch.h"
#include "client/engine/history.h"

int
reading_number(struct cli *cli, const char *option, const char *text,
    uint64_t max, uint64_t *out)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    n > max)
		return cli_usage(cli, "%s: %s is not a number up to %llu",
		    option, text, (unsigned long long)max);
	*out = n;
	return 0;
}

/* What a time names: the first second behind it. */
static bool
time_end(const char *text, int64_t *out)
{
	static const char *const form[] = { "%Y-%m", "%Y-%m-%d",
		"%Y-%m-%dT%H", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S" };

	for (size_t i = 0; i < ARRAY_LEN(form); i++) {
		struct tm tm = { .tm_mday = 1 };
		int *const last[] = { &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
			&tm.tm_min, &tm.tm_sec };
		const char *end = strptime(text, form[i], &tm);

		if (end == NULL || (end[0] != '\0' && strcmp(end, "Z") != 0))
			continue;
		++*last[i];
		*out = (int64_t)timegm(&tm);
		return true;
	}
	return false;
}

int
reading_which(struct cli *cli, const char *option, const char *text,
    struct reading_which *out)
{
	struct reading_which w = { 0 };

	if (text[strspn(text, "0123456789")] != '\0') {
		w.by_time = time_end(text, &w.before);
		if (!w.by_time)
			return cli_usage(cli, "%s: %s is neither the number "
			    "of a commit nor a time, as 2027-01-31 or "
			    "2027-01-31T08:15:00Z", option, text);
	} else if (reading_number(cli, option, text, INT64_MAX, &w.number) !=
		0 || w.number == 0) {
		return cli_usage(cli, "%s: %s is not the number of a commit",
		    option, text);
	}
	*out = w;
	return 0;
}

/* With a lost head's commit, commits that were seen before can be asked for. */
static int
open_space(struct reading *r, uint64_t number, struct fault *f)
{
	int rc = space_open(r->session, &r->space, f);
	uint64_t seen;
	uint32_t epoch;

	if (!fetch_is_lost(rc))
		return rc;
	session_last_seen(r->session, &seen, &epoch);
	if (number == 0 || number > seen || !session_go_back(r->session))
		return rc;
	*f = (struct fault){ 0 };
	return space_open(r->session, &r->space, f);
}

int
reading_commit(struct reading *r, struct reading_which which,
    struct commit *out)
{
	struct fault *f = &r->cli->fault;

	return which.number != 0 ?
	    history_commit(r->reader, which.number, out, f) :
	    history_before(r->reader, which.before, out, f);
}

int
reading_open(struct cli *cli, struct reading_which which, struct reading *r)
{
	const bool latest = which.number == 0 && !which.by_time;
	struct fault *f = &cli->fault;
	int rc;

	r->cli = cli;
	rc = cli_state(cli, &r->state);
	if (rc == 0)
		rc = cli_session(cli, r->state, SESSION_READ, &r->session);
	if (rc == 0)
		rc = open_space(r, which.number, f);
	if (rc == 0)
		rc = fetch_reader(r->space, &r->space->commit, &r->reader, f);
	if (rc != 0)
		return rc;
	r->commit = &r->space->commit;
	if (latest) {
		if (!r->space->has_head)
			cli_note(cli, "skerry: nothing was put into the "
			    "space yet\n");
		return 0;
	}
	rc = reading_commit(r, which, &r->other);
	if (rc != 0)
		return rc;
	r->commit = &r->other;
	reader_free(r->reader);
	r->reader = NULL;
	return fetch_reader(r->space, r->commit, &r->reader, f);
}

void
reading_close(struct reading *r)
{
	reader_free(r->reader);
	commit_wipe(&r->other);
	space_close(r->space);
	if (r->session != NULL)
		cli_session_done(r->cli, r->session);
	state_close(r->state);
}
