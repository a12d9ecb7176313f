// SPDX-License-Identifier: Apache-2.0
#include "depot/metrics.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/fault.h"

#define SECOND 1000000000.0

/* The last stands for all others. */
static const unsigned statuses[METRICS_STATUSES] = { 200, 201, 204, 206, 307,
	400, 401, 403, 404, 405, 409, 411, 412, 413, 416, 428, 500, 503, 507,
	0 };

static const char *const verbs[METRICS_VERBS] = { "get", "head", "put",
	"delete", "list", "health", "other" };

static const double buckets[METRICS_BUCKETS - 1] = { 0.001, 0.0025, 0.005,
	0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10 };

void
metrics_request(struct metrics *m, enum metrics_verb verb, unsigned status,
    uint64_t nanoseconds)
{
	size_t s = 0, b = 0;

	while (s < METRICS_STATUSES - 1 && statuses[s] != status)
		s++;
	atomic_fetch_add(&m->requests[verb][s], 1);
	while (b < METRICS_BUCKETS - 1 &&
	    (double)nanoseconds > buckets[b] * SECOND)
		b++;
	atomic_fetch_add(&m->seconds[b], 1);
	atomic_fetch_add(&m->nanoseconds_sum, nanoseconds);
}

/* Appends text; latches the first failure in rc. */
static void printf_like(3, 4)
add(struct buf *out, int *rc, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	if (*rc != 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	*rc = n < 0 || (size_t)n >= sizeof(line) ? FAULT_LIMIT :
	    buf_append(out, line, (size_t)n);
}

static void
head(struct buf *out, int *rc, const char *name, const char *type,
    const char *help)
{
	add(out, rc, "# HELP skerry_depot_%s %s\n", name, help);
	add(out, rc, "# TYPE skerry_depot_%s %s\n", name, type);
}

static void
counter(struct buf *out, int *rc, const char *name, const char *help,
    unsigned long long v)
{
	head(out, rc, name, "counter", help);
	add(out, rc, "skerry_depot_%s %llu\n", name, v);
}

static void
requests(struct metrics *m, struct buf *out, int *rc)
{
	head(out, rc, "requests_total", "counter",
	    "Requests by verb and status; status 0 was cut off.");
	for (size_t v = 0; v < METRICS_VERBS; v++)
		for (size_t s = 0; s < METRICS_STATUSES; s++) {
			unsigned long long n =
			    atomic_load(&m->requests[v][s]);

			if (n != 0)
				add(out, rc,
				    "skerry_depot_requests_total{verb=\"%s\","
				    "status=\"%u\"} %llu\n",
				    verbs[v], statuses[s], n);
		}
}

static void
histogram(struct metrics *m, struct buf *out, int *rc)
{
	unsigned long long n = 0;

	head(out, rc, "request_seconds", "histogram",
	    "From a request's header to its end.");
	for (size_t b = 0; b < METRICS_BUCKETS - 1; b++) {
		n += atomic_load(&m->seconds[b]);
		add(out, rc, "skerry_depot_request_seconds_bucket{le=\"%g\"}"
		    " %llu\n", buckets[b], n);
	}
	n += atomic_load(&m->seconds[METRICS_BUCKETS - 1]);
	add(out, rc, "skerry_depot_request_seconds_bucket{le=\"+Inf\"} %llu\n",
	    n);
	add(out, rc, "skerry_depot_request_seconds_sum %.9f\n",
	    (double)atomic_load(&m->nanoseconds_sum) / SECOND);
	add(out, rc, "skerry_depot_request_seconds_count %llu\n", n);
}

static void
gauge(struct buf *out, int *rc, const char *name, const char *help,
    long long v)
{
	head(out, rc, name, "gauge", help);
	add(out, rc, "skerry_depot_%s %lld\n", name, v);
}

int
metrics_format(struct metrics *m, struct buf *out)
{
	int rc = 0;

	requests(m, out, &rc);
	histogram(m, out, &rc);
	counter(out, &rc, "received_bytes_total", "Bytes of request bodies.",
	    atomic_load(&m->bytes_in));
	counter(out, &rc, "sent_bytes_total", "Bytes of answered bodies.",
	    atomic_load(&m->bytes_out));
	counter(out, &rc, "objects_created_total", "Objects made durable.",
	    atomic_load(&m->objects_created));
	counter(out, &rc, "deletes_total", "Deletions made durable.",
	    atomic_load(&m->objects_deleted));
	gauge(out, &rc, "requests_in_flight",
	    "Requests that are not answered yet.", atomic_load(&m->in_flight));
	return rc != 0 ? rc : watch_format(&m->watch, "depot", out);
}
