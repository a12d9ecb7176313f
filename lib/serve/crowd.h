// SPDX-License-Identifier: Apache-2.0
/* What a server's configuration says of its connections: the same keys, ranges
 * and meaning for each of them. */
#ifndef SKERRY_SERVE_CROWD_H
#define SKERRY_SERVE_CROWD_H

#include "base/attr.h"
#include "base/fault.h"
#include "serve/watch.h"
#include "settings/settings.h"

/* NULL where absent. */
struct crowd {
	unsigned *max_connections;
	unsigned *max_per_address;
	unsigned *idle_seconds;
	unsigned *least_rate; /* bytes a second */
};

/* The fields of a program's struct config, whose member "crowd" it is. */
#define CROWD_SETTINGS                                             \
	SETTINGS_NUMBER("max_connections", crowd.max_connections), \
	SETTINGS_NUMBER("max_per_address", crowd.max_per_address), \
	SETTINGS_NUMBER("idle_seconds", crowd.idle_seconds),       \
	SETTINGS_NUMBER("least_rate", crowd.least_rate)

/* FAULT_CONFIG names the key. */
int crowd_check(const struct crowd *c, struct fault *f) must_check;

/* The rule of it, with most connections where it does not say how many: fewer,
 * and a line in the log, where files does not allow for them.  files: that may
 * be open beside those that are not of a connection. */
struct watch_rule crowd_rule(const struct crowd *c, unsigned most,
    unsigned long files);

#endif
