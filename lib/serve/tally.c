// SPDX-License-Identifier: Apache-2.0
#include "serve/tally.h"

#include <time.h>

#define SECOND 1000000000.0

/* The last stands for all others. */
static const unsigned statuses[TALLY_STATUSES] = { 200, 201, 204, 206, 307,
	400, 401, 403, 404, 405, 409, 411, 412, 413, 416, 422, 428, 500, 503,
	507, 0 };

static const double bounds[TALLY_BUCKETS - 1] = { 0.0005, 0.001, 0.0025,
	0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10 };

static uint64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) +
	    (uint64_t)t.tv_nsec;
}

uint64_t
tally_begin(struct tally *t)
{
	atomic_fetch_add(&t->in_flight, 1);
	return now_ns();
}

void
tally_end(struct tally *t, size_t kind, unsigned status, uint64_t begun)
{
	uint64_t took = now_ns() - begun;
	size_t s = 0, b = 0;

	while (s < TALLY_STATUSES - 1 && statuses[s] != status)
		s++;
	while (b < TALLY_BUCKETS - 1 && (double)took > bounds[b] * SECOND)
		b++;
	atomic_fetch_add(&t->requests[kind][s], 1);
	atomic_fetch_add(&t->seconds[b], 1);
	atomic_fetch_add(&t->nanoseconds, took);
	atomic_fetch_sub(&t->in_flight, 1);
}

static void
expose_requests(struct tally *t, const struct tally_kinds *kinds,
    struct expose *e)
{
	expose_head(e, "requests_total", "counter",
	    "Requests by kind and status; status 0 was cut off.");
	for (size_t k = 0; k < kinds->n; k++)
		for (size_t s = 0; s < TALLY_STATUSES; s++) {
			unsigned long long n =
			    atomic_load(&t->requests[k][s]);

			if (n != 0)
				expose_sample(e, "requests_total{%s=\"%s\","
				    "status=\"%u\"} %llu", kinds->label,
				    kinds->name[k], statuses[s], n);
		}
}

static void
expose_seconds(struct tally *t, struct expose *e)
{
	unsigned long long n = 0;

	expose_head(e, "request_seconds", "histogram",
	    "From a request's header to its end.");
	for (size_t b = 0; b < TALLY_BUCKETS - 1; b++) {
		n += atomic_load(&t->seconds[b]);
		expose_sample(e, "request_seconds_bucket{le=\"%g\"} %llu",
		    bounds[b], n);
	}
	n += atomic_load(&t->seconds[TALLY_BUCKETS - 1]);
	expose_sample(e, "request_seconds_bucket{le=\"+Inf\"} %llu", n);
	expose_sample(e, "request_seconds_sum %.9f",
	    (double)atomic_load(&t->nanoseconds) / SECOND);
	expose_sample(e, "request_seconds_count %llu", n);
}

void
tally_expose(struct tally *t, const struct tally_kinds *kinds,
    struct expose *e)
{
	expose_requests(t, kinds, e);
	expose_seconds(t, e);
	expose_gauge(e, "requests_in_flight",
	    "Requests that are not answered yet.",
	    atomic_load(&t->in_flight));
	watch_expose(&t->watch, e);
}
