// SPDX-License-Identifier: Apache-2.0
#include "authority/gauge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const paths[GAUGE_PATHS] = { "/v1/accounts", "/v1/session",
	"/v1/head", "/v1/enrolments", "/v1/enrolments/lookup", "/v1/devices",
	"/v1/account", "/v1/recovery", "/v1/custody", "/v1/keyslots",
	"/v1/holders", "/v1/entries", "/v1/requests", "/log/", "other" };

/* The last counts every other status. */
static const unsigned statuses[GAUGE_STATUSES] = { 200, 400, 401, 403, 404,
	409, 503, 500 };

static const uint64_t bounds_us[GAUGE_BUCKETS] = { 500, 1000, 2500, 5000,
	10000, 25000, 100000, 500000, 2500000, UINT64_MAX };

/* One that ends in a slash is all that is below it. */
static bool
is_path(const char *want, const char *path)
{
	size_t n = strlen(want);

	return want[n - 1] == '/' ? strncmp(want, path, n) == 0 :
	                            strcmp(want, path) == 0;
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
gauge_request(struct gauge *g, const char *path, unsigned status,
    uint64_t nanoseconds)
{
	size_t p = 0, s = 0, b = 0;

	while (p < GAUGE_PATHS - 1 && !is_path(paths[p], path))
		p++;
	while (s < GAUGE_STATUSES - 1 && statuses[s] != status)
		s++;
	while (nanoseconds / 1000 > bounds_us[b])
		b++;
	atomic_fetch_add(&g->requests[p][s], 1);
	atomic_fetch_add(&g->seconds[b], 1);
	atomic_fetch_add(&g->nanoseconds_sum, nanoseconds);
}

static int printf_like(2, 3)
line(struct buf *out, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return buf_append(out, text, (size_t)n);
}

static int
format_requests(struct gauge *g, struct buf *out)
{
	int rc = line(out, "# TYPE skerry_authority_requests_total counter\n");

	for (size_t p = 0; p < GAUGE_PATHS; p++) {
		for (size_t s = 0; rc == 0 && s < GAUGE_STATUSES; s++) {
			unsigned long long n = g->requests[p][s];

			if (n != 0)
				rc = line(out, "skerry_authority_requests_total"
				    "{path=\"%s\",status=\"%u\"} %llu\n",
				    paths[p], statuses[s], n);
		}
	}
	return rc;
}

static int
format_seconds(struct gauge *g, struct buf *out)
{
	unsigned long long sum = 0;
	int rc = line(out,
	    "# TYPE skerry_authority_request_seconds histogram\n");

	for (size_t b = 0; rc == 0 && b < GAUGE_BUCKETS; b++) {
		char le[32] = "+Inf";

		sum += g->seconds[b];
		if (b < GAUGE_BUCKETS - 1)
			(void)snprintf(le, sizeof(le), "%g",
			    (double)bounds_us[b] / 1e6);
		rc = line(out, "skerry_authority_request_seconds_bucket"
		    "{le=\"%s\"} %llu\n", le, sum);
	}
	if (rc == 0)
		rc = line(out, "skerry_authority_request_seconds_sum %.9f\n",
		    (double)g->nanoseconds_sum / 1e9);
	if (rc == 0)
		rc = line(out, "skerry_authority_request_seconds_count %llu\n",
		    sum);
	return rc;
}

static int
format_clock(struct gauge *g, struct buf *out)
{
	return line(out, "# TYPE skerry_authority_clock_ahead_seconds gauge\n"
	    "skerry_authority_clock_ahead_seconds %llu\n", g->clock_ahead);
}

static int
format_log(struct gauge *g, struct buf *out)
{
	long long shown = g->log_shown;
	int rc = line(out, "# TYPE skerry_authority_log_entries gauge\n"
	    "skerry_authority_log_entries %llu\n"
	    "# TYPE skerry_authority_log_appends_total counter\n"
	    "skerry_authority_log_appends_total %llu\n", g->log_size,
	    g->log_appends);

	if (rc != 0 || shown == 0)
		return rc;
	return line(out,
	    "# TYPE skerry_authority_log_checkpoint_age_seconds gauge\n"
	    "skerry_authority_log_checkpoint_age_seconds %lld\n",
	    (long long)time(NULL) - shown);
}

int
gauge_format(struct gauge *g, struct buf *out)
{
	int rc = format_requests(g, out);

	if (rc == 0)
		rc = format_seconds(g, out);
	if (rc == 0)
		rc = line(out, "# TYPE skerry_authority_in_flight gauge\n"
		    "skerry_authority_in_flight %lld\n",
		    (long long)g->in_flight);
	if (rc == 0)
		rc = watch_format(&g->watch, "authority", out);
	if (rc == 0)
		rc = format_clock(g, out);
	if (rc == 0)
		rc = format_log(g, out);
	return rc;
}
