// SPDX-License-Identifier: Apache-2.0
#include "authority/gauge.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

/* The last is every other path. */
static const char *const paths[] = { "/v1/accounts", "/v1/session",
	"/v1/head", "/v1/enrolments", "/v1/enrolments/lookup", "/v1/devices",
	"/v1/account", "/v1/recovery", "/v1/custody", "/v1/custody/sets",
	"/v1/keyslots", "/v1/holders", "/v1/epochs", "/v1/epochs/destroy",
	"/v1/entries", REQUEST_PUBLISHED, "/log/", "other" };

_Static_assert(ARRAY_LEN(paths) <= TALLY_KINDS_MAX, "kinds of requests");

/* One that ends in a slash is all that is below it. */
static bool
is_path(const char *want, const char *path)
{
	size_t n = strlen(want);

	return want[n - 1] == '/' ? strncmp(want, path, n) == 0 :
	                            strcmp(want, path) == 0;
}

size_t
gauge_kind(const char *path)
{
	size_t i = 0;

	while (i < ARRAY_LEN(paths) - 1 && !is_path(paths[i], path))
		i++;
	return i;
}

void
gauge_log(struct gauge *g, const struct request_log *log)
{
	g->log_size = log->size;
	g->log_appends = log->appends;
	g->log_shown = log->shown;
	g->clock_ahead = log->ahead;
}

void
gauge_expose(void *arg, struct expose *e)
{
	static const struct tally_kinds kinds = { "path", paths,
		ARRAY_LEN(paths) };
	struct gauge *g = arg;
	long long shown = g->log_shown;

	tally_expose(&g->tally, &kinds, e);
	expose_gauge(e, "clock_ahead_seconds", "By how much the clock is ahead "
	    "of what has passed for sure.", (long long)g->clock_ahead);
	expose_gauge(e, "log_entries", "Entries of the log.",
	    (long long)g->log_size);
	expose_counter(e, "log_appends_total", "Batches that were appended.",
	    g->log_appends);
	if (shown != 0)
		expose_gauge(e, "log_checkpoint_age_seconds",
		    "Since a checkpoint was shown last.",
		    (long long)time(NULL) - shown);
}
