// SPDX-License-Identifier: Apache-2.0
#include "witness/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cyaml/cyaml.h>

#include "net/sock.h"
#include "tlog/note.h"

#define THREADS_MAX 256u
#define CONNECTIONS_MAX 100000u

static const cyaml_schema_value_t log_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, NOTE_VKEY_MAX),
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER, struct config,
	    listen, 1, 64),
	CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, struct config, key,
	    1, 4095),
	CYAML_FIELD_STRING_PTR("state", CYAML_FLAG_POINTER, struct config,
	    state, 1, 4095),
	CYAML_FIELD_SEQUENCE("logs", CYAML_FLAG_POINTER, struct config, logs,
	    &log_schema, 1, CONFIG_LOGS_MAX),
	CYAML_FIELD_STRING_PTR("certificate", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, certificate, 1, 4095),
	CYAML_FIELD_STRING_PTR("private_key", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, private_key, 1, 4095),
	CYAML_FIELD_UINT_PTR("threads", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, threads),
	CYAML_FIELD_UINT_PTR("max_connections", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, max_connections),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, fields),
};

/* The library's first complaint, and where it was, innermost first. */
struct complaint {
	char what[256];
	char where[512];
};

static void
note(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct complaint *c = ctx;
	const char *line, *load;
	char text[256];
	size_t n;

	(void)level;
	(void)vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	load = strstr(text, "Load: ");
	if (load != NULL && c->what[0] == '\0')
		(void)snprintf(c->what, sizeof(c->what), "%s",
		    load + strlen("Load: "));
	if (load != NULL)
		return;
	line = text + strspn(text, " ");
	n = strlen(c->where);
	(void)snprintf(c->where + n, sizeof(c->where) - n, " %s:", line);
}

static cyaml_config_t
library(struct complaint *c)
{
	return (cyaml_config_t){ .log_fn = note, .log_ctx = c,
		.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR };
}

void
config_free(struct config *c)
{
	struct complaint complaint = { .what = "" };
	cyaml_config_t lib = library(&complaint);

	(void)cyaml_free(&lib, &schema, c, 0);
}

static void
config_freep(struct config **c)
{
	if (*c != NULL)
		config_free(*c);
}

static int
check_range(const char *key, const unsigned *v, unsigned hi, struct fault *f)
{
	if (v == NULL || (*v >= 1 && *v <= hi))
		return 0;
	return fault_set(f, FAULT_CONFIG, "%s: must be from 1 to %u", key, hi);
}

static int
check(const struct config *c, struct fault *f)
{
	int rc = sock_check(c->listen, false, f);

	if (rc != 0)
		return fault_add(f, rc, "listen");
	if ((c->certificate == NULL) != (c->private_key == NULL))
		return fault_set(f, FAULT_CONFIG,
		    "certificate and private_key go together");
	rc = check_range("threads", c->threads, THREADS_MAX, f);
	return rc != 0 ? rc : check_range("max_connections",
	    c->max_connections, CONNECTIONS_MAX, f);
}

int
config_load(const char *path, struct config **out, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	struct complaint complaint = { .what = "" };
	cyaml_config_t lib = library(&complaint);
	cyaml_err_t err = cyaml_load_file(path, &lib, &schema,
	    (cyaml_data_t **)&c, NULL);
	int rc;

	if (err != CYAML_OK)
		return fault_set(f, FAULT_CONFIG, "%s:%s %s", path,
		    complaint.where, complaint.what[0] != '\0' ?
		    complaint.what : cyaml_strerror(err));
	rc = check(c, f);
	if (rc != 0)
		return fault_add(f, rc, "%s", path);
	*out = take(c);
	return 0;
}
