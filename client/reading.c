// SPDX-License-Identifier: Apache-2.0
#include "client/reading.h"

#include <errno.h>
#include <stdlib.h>

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

int
reading_commit(struct cli *cli, const char *text, uint64_t *out)
{
	uint64_t n;

	if (reading_number(cli, "--commit", text, INT64_MAX, &n) != 0 ||
	    n == 0)
		return cli_usage(cli, "--commit: %s is not the number of a "
		    "commit", text);
	*out = n;
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
reading_open(struct cli *cli, uint64_t number, struct reading *r)
{
	struct fault *f = &cli->fault;
	int rc;

	r->cli = cli;
	rc = cli_state(cli, &r->state);
	if (rc == 0)
		rc = cli_session(cli, r->state, SESSION_READ, &r->session);
	if (rc == 0)
		rc = open_space(r, number, f);
	if (rc == 0)
		rc = fetch_reader(r->space, &r->space->commit, &r->reader, f);
	if (rc != 0)
		return rc;
	r->commit = &r->space->commit;
	if (number == 0)
		return 0;
	rc = history_commit(r->reader, number, &r->other, f);
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
