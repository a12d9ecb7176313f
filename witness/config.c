// SPDX-License-Identifier: Apache-2.0
#include "witness/config.h"

#include "net/sock.h"
#include "tlog/note.h"
#include "settings/settings.h"

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

void
config_free(struct config *c)
{
	settings_free(&schema, c);
}

static void
config_freep(struct config **c)
{
	if (*c != NULL)
		config_free(*c);
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
	rc = settings_range("threads", c->threads, 1, THREADS_MAX, f);
	return rc != 0 ? rc : settings_range("max_connections",
	    c->max_connections, 1, CONNECTIONS_MAX, f);
}

int
config_load(const char *path, struct config **out, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	int rc = settings_load(path, &schema, (void **)&c, f);

	if (rc != 0)
		return rc;
	rc = check(c, f);
	if (rc != 0)
		return fault_add(f, rc, "%s", path);
	*out = take(c);
	return 0;
}
