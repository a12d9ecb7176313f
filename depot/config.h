// SPDX-License-Identifier: Apache-2.0
/* skerry-depot.yaml(5). */
#ifndef SKERRY_DEPOT_CONFIG_H
#define SKERRY_DEPOT_CONFIG_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "serve/crowd.h"

struct config {
	char *name;    /* the depot's, as capabilities have it */
	char *listen;  /* address:port */
	char *cert;    /* paths of PEM files */
	char *key;
	char *data;    /* folder */
	char **authority_keys; /* Ed25519 public keys, base64 */
	unsigned authority_keys_count;
	char *metrics; /* loopback address:port, or NULL */
	struct crowd crowd;
	unsigned *drain_seconds; /* the rest: NULL where absent */
	unsigned *threads;
	unsigned *disk_threads;
	uint64_t *quota; /* bytes */
};

/* Unknown keys and values that cannot be are FAULT_CONFIG, with file, key and
 * line.  *out is to be freed. */
int config_load(const char *path, struct config **out,
    struct fault *f) must_check;
void config_free(struct config *c);

#endif
