// SPDX-License-Identifier: Apache-2.0
/* A server's configuration: a YAML file by a schema of libcyaml. */
#ifndef SKERRY_SETTINGS_SETTINGS_H
#define SKERRY_SETTINGS_SETTINGS_H

#include <cyaml/cyaml.h>

#include "base/attr.h"
#include "base/fault.h"

/* Fields of a program's struct config: a text of 1 to max bytes; one that may
 * be absent, as NULL; a number that may be, likewise. */
#define SETTINGS_TEXT(key, member, max)                                   \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct config,    \
	    member, 1, max)
#define SETTINGS_OPTIONAL(key, member, max)                               \
	CYAML_FIELD_STRING_PTR(key,                                       \
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,      \
	    member, 1, max)
#define SETTINGS_NUMBER(key, member)                                      \
	CYAML_FIELD_UINT_PTR(key,                                         \
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config, member)

/* What the schema, of a mapping by pointer, makes of the file; settings_free.
 * check looks at it, may add what is not there, and names the key in its
 * faults.  FAULT_CONFIG: the text is "path: where: what is wrong". */
int settings_load(const char *path, const cyaml_schema_value_t *schema,
    int (*check)(void *settings, struct fault *f), void **out,
    struct fault *f) must_check;

/* NULL is fine. */
void settings_free(const cyaml_schema_value_t *schema, void *data);

struct settings_range {
	const char *key;
	const unsigned *v; /* NULL: is not there, which is fine */
	unsigned lo, hi;
};

/* Whether all are within their ranges.  FAULT_CONFIG names the key. */
int settings_ranges(const struct settings_range *r, size_t n,
    struct fault *f) must_check;

#endif
