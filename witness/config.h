// SPDX-License-Identifier: Apache-2.0
/* skerry-witness.yaml(5). */
#ifndef SKERRY_WITNESS_CONFIG_H
#define SKERRY_WITNESS_CONFIG_H

#include "base/attr.h"
#include "base/fault.h"
#include "serve/crowd.h"

#define CONFIG_LOGS_MAX 1024

struct config {
	char *listen; /* address:port */
	char *key;    /* made by skerry-witness keygen */
	char *state;  /* folder */
	char **logs;  /* verifier keys */
	unsigned logs_count;
	char *certificate, *private_key; /* PEM files; both, or neither: HTTP */
	char *metrics;             /* address:port on loopback; NULL: none */
	unsigned *threads;         /* NULL where absent */
	struct crowd crowd;
};

/* Unknown keys and values that cannot be are FAULT_CONFIG, with file, key and
 * line.  *out is to be freed. */
int config_load(const char *path, struct config **out,
    struct fault *f) must_check;
void config_free(struct config *c);

#endif
