// SPDX-License-Identifier: Apache-2.0
/*
 * A clock that somebody may have set wrongly.  What cannot be undone (deleting
 * what has expired, putting a set in force, publishing) goes by the time that
 * is sure: it never runs faster than seconds pass, and follows the clock when
 * that has run for PACE_DAY without a step.
 */
#ifndef SKERRY_AUTHORITY_PACE_H
#define SKERRY_AUTHORITY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_DAY 86400
#define PACE_SLACK 60 /* seconds ahead that are not worth a word */

/* What is kept over a restart; all in seconds. */
struct pace_kept {
	int64_t sure;   /* the time that is sure; not after wall */
	int64_t wall;   /* the clock, when it was last read */
	int64_t steady; /* for so long it has made no step */
	int64_t jumped; /* of its lead, what it made in steps while seen */
};

struct pace {
	struct pace_kept kept;
	int64_t mono;  /* seconds that only grow, when it was last read */
	int64_t saved; /* the same, when kept was last stored */
	bool told;     /* that the clock is ahead */
};

/* kept: what was stored before; NULL: nothing, and the clock is believed.  A
 * stop of more than minutes is a lead, too: from here it looks the same. */
void pace_start(struct pace *p, const struct pace_kept *kept, int64_t wall,
    int64_t mono);

/* The clock is read. */
void pace_read(struct pace *p, int64_t wall, int64_t mono);

/* By so many seconds the clock is ahead of what is sure. */
int64_t pace_ahead(const struct pace *p);

/* The time without what the clock jumped while it was seen: what was to come in
 * a stop has come. */
int64_t pace_seen(const struct pace *p);

#endif
