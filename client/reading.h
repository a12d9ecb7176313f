// SPDX-License-Identifier: Apache-2.0
/* What the commands that read have in common: a session, its space, and the
 * commit that was asked for. */
#ifndef SKERRY_CLIENT_READING_H
#define SKERRY_CLIENT_READING_H

#include "client/cli.h"
#include "client/engine/reader.h"

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

/* That after --commit, from 1 on; FAULT_USAGE. */
int reading_commit(struct cli *cli, const char *text,
    uint64_t *out) must_check;

/* r is zeroed.  number 0: the head.  On failure too, close it. */
int reading_open(struct cli *cli, uint64_t number,
    struct reading *r) must_check;

/* Fit for defer(). */
void reading_close(struct reading *r);

#endif
