// SPDX-License-Identifier: Apache-2.0
/* What the commands that read have in common: a session, its space, and the
 * commit that was asked for. */
#ifndef SKERRY_CLIENT_READING_H
#define SKERRY_CLIENT_READING_H

#include "client/cli.h"
#include "client/engine/reader.h"

/* Which commit an option names; zeroed: the head's. */
struct reading_which {
	uint64_t number; /* from 1 on */
	bool by_time;    /* number 0: the latest that was made … */
	int64_t before;  /* … before this time */
};

struct reading {
	struct cli *cli; /* borrowed */
	struct state *state;
	struct session *session;
	struct space *space;
	struct reader *reader;       /* of commit */
	const struct commit *commit; /* the head's, or other */
	struct commit other;
};

/* A number after option, for people: --sample, -n; FAULT_USAGE. */
int reading_number(struct cli *cli, const char *option, const char *text,
    uint64_t max, uint64_t *out) must_check;

/* That after --commit or --from: a number from 1 on, or a time, UTC, as log
 * shows it, which may lack its end and means all of what it names:
 * 2027-01-31, 2027-01-31T08:15.  FAULT_USAGE. */
int reading_which(struct cli *cli, const char *option, const char *text,
    struct reading_which *out) must_check;

/* r is zeroed.  Where nothing was ever put, and the head is asked for, that is
 * said.  On failure too, close it. */
int reading_open(struct cli *cli, struct reading_which which,
    struct reading *r) must_check;

/* Another commit of an open space; caller wipes *out. */
int reading_commit(struct reading *r, struct reading_which which,
    struct commit *out) must_check;

/* Fit for defer(). */
void reading_close(struct reading *r);

#endif
