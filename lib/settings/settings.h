// SPDX-License-Identifier: Apache-2.0
/* A server's configuration: a YAML file by a schema of libcyaml. */
#ifndef SKERRY_SETTINGS_SETTINGS_H
#define SKERRY_SETTINGS_SETTINGS_H

#include <cyaml/cyaml.h>

#include "base/attr.h"
#include "base/fault.h"

/* What the schema, of a mapping by pointer, makes of the file; settings_free.
 * FAULT_CONFIG: the text is "path: where: what is wrong". */
int settings_load(const char *path, const cyaml_schema_value_t *schema,
    void **out, struct fault *f) must_check;

void settings_free(const cyaml_schema_value_t *schema, void *data);

/* Whether *v is within lo and hi; NULL, an option that is not there, is.
 * FAULT_CONFIG names the key. */
int settings_range(const char *key, const unsigned *v, unsigned lo, unsigned hi,
    struct fault *f) must_check;

#endif
