// SPDX-License-Identifier: Apache-2.0
#include "settings/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The library's first complaint, and where it was, innermost first. */
struct complaint {
	char what[256];
	char where[512];
};

static void
add_where(struct complaint *c, const char *line)
{
	size_t n = strlen(c->where);

	line += strspn(line, " ");
	(void)snprintf(c->where + n, sizeof(c->where) - n, " %s:", line);
}

static void
note(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct complaint *c = ctx;
	char line[256];
	char *load;

	(void)level;
	(void)vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	load = strstr(line, "Load: ");
	if (load == NULL)
		add_where(c, line);
	else if (c->what[0] == '\0')
		(void)snprintf(c->what, sizeof(c->what), "%s",
		    load + strlen("Load: "));
}

static cyaml_config_t
library(struct complaint *c)
{
	return (cyaml_config_t){ .log_fn = note, .log_ctx = c,
		.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR };
}

static int
load(const char *path, const cyaml_schema_value_t *schema, void **out,
    struct fault *f)
{
	struct complaint complaint = { .what = "" };
	cyaml_config_t lib = library(&complaint);
	cyaml_err_t err = cyaml_load_file(path, &lib, schema, out, NULL);

	/* A file without a document is no error to the library. */
	if (err == CYAML_OK)
		return *out != NULL ? 0 :
		    fault_set(f, FAULT_CONFIG, "%s: says nothing", path);
	return fault_set(f, FAULT_CONFIG, "%s:%s %s", path, complaint.where,
	    complaint.what[0] != '\0' ? complaint.what :
	    cyaml_strerror(err));
}

int
settings_load(const char *path, const cyaml_schema_value_t *schema,
    int (*check)(void *settings, struct fault *f), void **out,
    struct fault *f)
{
	void *settings = NULL;
	int rc = load(path, schema, &settings, f);

	if (rc != 0)
		return rc;
	rc = check(settings, f);
	if (rc != 0) {
		settings_free(schema, settings);
		return fault_add(f, rc, "%s", path);
	}
	*out = settings;
	return 0;
}

void
settings_free(const cyaml_schema_value_t *schema, void *data)
{
	struct complaint complaint = { .what = "" };
	cyaml_config_t lib = library(&complaint);

	if (data != NULL)
		(void)cyaml_free(&lib, schema, data, 0);
}

int
settings_ranges(const struct settings_range *r, size_t n, struct fault *f)
{
	for (; n != 0; r++, n--)
		if (r->v != NULL && (*r->v < r->lo || *r->v > r->hi))
			return fault_set(f, FAULT_CONFIG,
			    "%s: must be from %u to %u", r->key, r->lo, r->hi);
	return 0;
}
