// SPDX-License-Identifier: Apache-2.0
#include "settings/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_MAX 64

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

static void
texts_free(const cyaml_schema_field_t *f)
{
	for (size_t i = 0; f != NULL && f[i].key != NULL; i++)
		if (f[i].value.type == CYAML_MAPPING)
			texts_free(f[i].value.mapping.fields);
	free((void *)(uintptr_t)f);
}

/* The fields with texts in the place of numbers.  The library takes a number by
 * its beginning, and in the bases of C: 1T is 1 to it, and 010 is 8.  NULL: no
 * memory. */
static cyaml_schema_field_t *
texts_of(const cyaml_schema_field_t *f)
{
	cyaml_schema_field_t *out;
	bool whole = true;
	size_t n = 0;

	while (f[n].key != NULL)
		n++;
	out = calloc(n + 1, sizeof(*out));
	for (size_t i = 0; out != NULL && i < n; i++) {
		cyaml_schema_value_t *v = &out[i].value;

		out[i] = f[i];
		assert(v->flags & CYAML_FLAG_POINTER);
		if (v->type == CYAML_UINT)
			*v = (cyaml_schema_value_t){ CYAML_VALUE_STRING(
			    v->flags, char, 1, NUMBER_TEXT_MAX) };
		if (v->type == CYAML_MAPPING)
			whole &= (v->mapping.fields =
			    texts_of(f[i].value.mapping.fields)) != NULL;
	}
	if (whole)
		return out;
	texts_free(out);
	return NULL;
}

/* A number of so many bytes in the place of its text. */
static int
number(const char *key, size_t size, char **at, struct fault *f)
{
	const char *text = *at;
	const size_t n = strlen(text);
	uint64_t v;
	unsigned u;
	void *p;

	errno = 0;
	v = strtoull(text, NULL, 10);
	if (strspn(text, "0123456789") != n || (text[0] == '0' && n > 1))
		return fault_set(f, FAULT_CONFIG, "%s: %s is no number in "
		    "decimal digits", key, text);
	u = (unsigned)v;
	if (errno != 0 || (size == sizeof(u) && u != v))
		return fault_set(f, FAULT_CONFIG, "%s: %s is too large", key,
		    text);
	p = cyaml_mem(NULL, NULL, size);
	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	assert(size == sizeof(u) || size == sizeof(v));
	memcpy(p, size == sizeof(u) ? (void *)&u : (void *)&v, size);
	(void)cyaml_mem(NULL, *at, 0);
	*at = p;
	return 0;
}

/* What was loaded with texts_of(fields) is as fields have it then; also where
 * that fails it can be freed by either. */
static int
numbers(const cyaml_schema_field_t *fields, char *data, struct fault *f)
{
	int rc = 0;

	for (; rc == 0 && fields->key != NULL; fields++) {
		char **at = (void *)(data + fields->data_offset);

		if (*at == NULL)
			continue;
		if (fields->value.type == CYAML_UINT)
			rc = number(fields->key, fields->value.data_size, at,
			    f);
		else if (fields->value.type == CYAML_MAPPING)
			rc = numbers(fields->value.mapping.fields, *at, f);
	}
	return rc;
}

static int
load(const char *path, const cyaml_schema_value_t *schema, void **out,
    struct fault *f)
{
	struct complaint complaint = { .what = "" };
	cyaml_config_t lib = library(&complaint);
	cyaml_schema_value_t texts = *schema;
	cyaml_err_t err;

	texts.mapping.fields = texts_of(schema->mapping.fields);
	if (texts.mapping.fields == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	err = cyaml_load_file(path, &lib, &texts, out, NULL);
	texts_free(texts.mapping.fields);
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
	rc = numbers(schema->mapping.fields, settings, f);
	if (rc == 0)
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
