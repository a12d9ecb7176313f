// SPDX-License-Identifier: Apache-2.0
#include "depot/config.h"

#include <stdbool.h>

#include "depot/gate.h"
#include "net/sock.h"
#include "settings/settings.h"

#define CONNECTIONS_MAX 1000000u
#define THREADS_MAX 1024u
#define RATE_MAX 1048576u

static const cyaml_schema_value_t key_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 64),
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config, name,
	    1, CAPABILITY_DEPOT_MAX),
	CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER, struct config,
	    listen, 1, 64),
	CYAML_FIELD_STRING_PTR("cert", CYAML_FLAG_POINTER, struct config, cert,
	    1, 4095),
	CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, struct config, key,
	    1, 4095),
	CYAML_FIELD_STRING_PTR("data", CYAML_FLAG_POINTER, struct config, data,
	    1, 4095),
	CYAML_FIELD_SEQUENCE("authority_keys", CYAML_FLAG_POINTER,
	    struct config, authority_keys, &key_schema, 1, GATE_KEYS_MAX),
	CYAML_FIELD_STRING_PTR("metrics", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, metrics, 1, 64),
	CYAML_FIELD_UINT_PTR("max_connections", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, max_connections),
	CYAML_FIELD_UINT_PTR("max_per_address", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, max_per_address),
	CYAML_FIELD_UINT_PTR("drain_seconds", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, drain_seconds),
	CYAML_FIELD_UINT_PTR("idle_seconds", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, idle_seconds),
	CYAML_FIELD_UINT_PTR("least_rate", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, least_rate),
	CYAML_FIELD_UINT_PTR("threads", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, threads),
	CYAML_FIELD_UINT_PTR("disk_threads", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, disk_threads),
	CYAML_FIELD_UINT_PTR("quota", CYAML_FLAG_POINTER |
	    CYAML_FLAG_OPTIONAL, struct config, quota),
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
check_socket(const char *key, const char *where, bool loopback,
    struct fault *f)
{
	int rc = where == NULL ? 0 : sock_check(where, loopback, f);

	return rc == 0 ? 0 : fault_add(f, rc, "%s", key);
}

static int
check(const struct config *c, struct fault *f)
{
	int rc = check_socket("listen", c->listen, false, f);

	if (rc == 0)
		rc = check_socket("metrics", c->metrics, true, f);
	/* The library takes -1 for the greatest number. */
	if (rc == 0 && c->quota != NULL && *c->quota > INT64_MAX)
		rc = fault_set(f, FAULT_CONFIG, "quota: is too large");
	if (rc == 0)
		rc = settings_range("max_connections", c->max_connections, 1,
		    CONNECTIONS_MAX, f);
	if (rc == 0)
		rc = settings_range("max_per_address", c->max_per_address, 1,
		    CONNECTIONS_MAX, f);
	if (rc == 0)
		rc = settings_range("least_rate", c->least_rate, 0, RATE_MAX,
		    f);
	if (rc == 0)
		rc = settings_range("drain_seconds", c->drain_seconds, 0, 86400,
		    f);
	if (rc == 0)
		rc = settings_range("idle_seconds", c->idle_seconds, 1, 3600,
		    f);
	if (rc == 0)
		rc = settings_range("threads", c->threads, 1, THREADS_MAX, f);
	if (rc == 0)
		rc = settings_range("disk_threads", c->disk_threads, 1,
		    THREADS_MAX, f);
	return rc;
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
