// SPDX-License-Identifier: Apache-2.0
#include "depot/config.h"

#include "depot/gate.h"
#include "net/sock.h"
#include "settings/settings.h"

#define THREADS_MAX 1024u

static const cyaml_schema_value_t key_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 64),
};

static const cyaml_schema_field_t fields[] = {
	SETTINGS_TEXT("name", name, CAPABILITY_DEPOT_MAX),
	SETTINGS_TEXT("listen", listen, 64),
	SETTINGS_TEXT("cert", cert, 4095),
	SETTINGS_TEXT("key", key, 4095),
	SETTINGS_TEXT("data", data, 4095),
	CYAML_FIELD_SEQUENCE("authority_keys", CYAML_FLAG_POINTER,
	    struct config, authority_keys, &key_schema, 1, GATE_KEYS_MAX),
	SETTINGS_OPTIONAL("metrics", metrics, 64),
	CROWD_SETTINGS,
	SETTINGS_NUMBER("drain_seconds", drain_seconds),
	SETTINGS_NUMBER("threads", threads),
	SETTINGS_NUMBER("disk_threads", disk_threads),
	SETTINGS_NUMBER("quota", quota),
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

static int
check(void *settings, struct fault *f)
{
	const struct config *c = settings;
	const struct settings_range ranges[] = {
		{ "drain_seconds", c->drain_seconds, 0, 86400 },
		{ "threads", c->threads, 1, THREADS_MAX },
		{ "disk_threads", c->disk_threads, 1, THREADS_MAX },
	};
	int rc = sock_check("listen", c->listen, false, f);

	if (rc == 0)
		rc = sock_check("metrics", c->metrics, true, f);
	if (rc == 0 && c->quota != NULL && *c->quota > INT64_MAX)
		rc = fault_set(f, FAULT_CONFIG, "quota: is too large");
	if (rc == 0)
		rc = crowd_check(&c->crowd, f);
	return rc != 0 ? rc : settings_ranges(ranges, ARRAY_LEN(ranges), f);
}

int
config_load(const char *path, struct config **out, struct fault *f)
{
	return settings_load(path, &schema, check, (void **)out, f);
}
