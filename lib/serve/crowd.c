// SPDX-License-Identifier: Apache-2.0
#include "serve/crowd.h"

#include "base/logline.h"

#define CONNECTIONS_MAX 1000000u
#define IDLE_MAX 3600u
#define RATE_MAX 1048576u
#define DEFAULT_IDLE_SECONDS 60
#define DEFAULT_LEAST_RATE 512
#define FILES_CONNECTION 2 /* itself, and what it sends or receives */

int
crowd_check(const struct crowd *c, struct fault *f)
{
	const struct settings_range ranges[] = {
		{ "max_connections", c->max_connections, 1, CONNECTIONS_MAX },
		{ "max_per_address", c->max_per_address, 1, CONNECTIONS_MAX },
		{ "idle_seconds", c->idle_seconds, 1, IDLE_MAX },
		{ "least_rate", c->least_rate, 0, RATE_MAX },
	};

	return settings_ranges(ranges, ARRAY_LEN(ranges), f);
}

static unsigned
value_or(const unsigned *v, unsigned otherwise)
{
	return v != NULL ? *v : otherwise;
}

/* No more than there are descriptors for: connections that wait are better off
 * than requests that fail. */
static unsigned
at_most(unsigned most, unsigned long files)
{
	unsigned long n = files / FILES_CONNECTION, room = n != 0 ? n : 1;
	struct logline l;

	if (most <= room)
		return most;
	l = logline_begin(LOGLINE_WARN, "descriptors");
	logline_u64(&l, "max_connections", room);
	logline_end(&l);
	return (unsigned)room;
}

/* No address takes more than a quarter, where the operator does not say. */
struct watch_rule
crowd_rule(const struct crowd *c, unsigned most, unsigned long files)
{
	most = at_most(value_or(c->max_connections, most), files);
	return (struct watch_rule){
		.most = most,
		.most_per_address = value_or(c->max_per_address,
		    most / 4 + (most % 4 != 0)),
		.idle_seconds = value_or(c->idle_seconds,
		    DEFAULT_IDLE_SECONDS),
		.least_rate = value_or(c->least_rate, DEFAULT_LEAST_RATE),
	};
}
