// SPDX-License-Identifier: Apache-2.0
#include "witness/config.h"

#include "net/sock.h"
#include "tlog/note.h"
#include "settings/settings.h"

#define THREADS_MAX 256u

static const cyaml_schema_value_t log_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, NOTE_VKEY_MAX),
};

static const cyaml_schema_field_t fields[] = {
	SETTINGS_TEXT("listen", listen, 64),
	SETTINGS_TEXT("key", key, 4095),
	SETTINGS_TEXT("state", state, 4095),
	CYAML_FIELD_SEQUENCE("logs", CYAML_FLAG_POINTER, struct config, logs,
	    &log_schema, 1, CONFIG_LOGS_MAX),
	SETTINGS_OPTIONAL("certificate", certificate, 4095),
	SETTINGS_OPTIONAL("private_key", private_key, 4095),
	SETTINGS_OPTIONAL("metrics", metrics, 64),
	SETTINGS_NUMBER("threads", threads),
	CROWD_SETTINGS,
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
	const struct settings_range threads = { "threads", c->threads, 1,
		THREADS_MAX };
	int rc = sock_check("listen", c->listen, false, f);

	if (rc == 0)
		rc = sock_check("metrics", c->metrics, true, f);
	if (rc != 0)
		return rc;
	if ((c->certificate == NULL) != (c->private_key == NULL))
		return fault_set(f, FAULT_CONFIG,
		    "certificate and private_key go together");
	rc = crowd_check(&c->crowd, f);
	return rc != 0 ? rc : settings_ranges(&threads, 1, f);
}

int
config_load(const char *path, struct config **out, struct fault *f)
{
	return settings_load(path, &schema, check, (void **)out, f);
}
