// SPDX-License-Identifier: Apache-2.0
/* Request targets, in the one form that spec/40-depot.md gives them. */
#ifndef SKERRY_DEPOT_PATH_H
#define SKERRY_DEPOT_PATH_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

enum path_kind {
	PATH_HEALTHZ, /* /healthz */
	PATH_LIST,    /* /v1/{p} with its query */
	PATH_OBJECT,  /* /v1/{p}/{o} */
	PATH_HEAD,    /* /v1/{p}/head */
};

struct path {
	enum path_kind kind;
	uint8_t prefix[ID_LEN]; /* all but PATH_HEALTHZ */
	uint8_t id[ID_LEN];     /* PATH_OBJECT; PATH_LIST: after */
	bool has_after;
	unsigned limit; /* PATH_LIST: 1 .. 1000 */
};

/* Reads a target as it came, percent signs included (none are valid).
 * FAULT_NOT_FOUND: no such path.  FAULT_MALFORMED: a part of it is wrong. */
int path_parse(struct bytes target, struct path *out) must_check;

#endif
