// SPDX-License-Identifier: Apache-2.0
#include "authority/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cyaml/cyaml.h>

#include "authority/config_token.h"
#include "net/policy.h"
#include "net/sock.h"
#include "settings/settings.h"

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

#define TEXT(key, member) SETTINGS_TEXT(key, member, 4096)
#define OPTIONAL(key, member) SETTINGS_OPTIONAL(key, member, 4096)

#define TOKEN(key, member)                                                  \
	CYAML_FIELD_STRING_PTR(key,                                         \
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_pkcs11,  \
	    member, 1, 4096)

static const cyaml_schema_value_t path_text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 4096),
};

static const cyaml_schema_field_t pkcs11[] = {
	CYAML_FIELD_STRING_PTR("module", CYAML_FLAG_POINTER,
	    struct config_pkcs11, module, 1, 4096),
	TOKEN("token", token),
	CYAML_FIELD_UINT_PTR("slot", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct config_pkcs11, slot),
	TOKEN("pin_file", pin_file),
	TOKEN("key", key),
	TOKEN("id", id),
	TOKEN("mechanism", mechanism),
	TOKEN("iv", iv),
	TOKEN("sockets", sockets),
	CYAML_FIELD_SEQUENCE("paths",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_pkcs11,
	    paths, &path_text, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t witness[] = {
	CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER,
	    struct config_witness, url, 1, 1024),
	CYAML_FIELD_STRING_PTR("name",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_witness,
	    name, 1, 64),
	CYAML_FIELD_STRING_PTR("ca",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_witness,
	    ca, 1, 4096),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t one_witness = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_witness,
	    witness),
};

static const cyaml_schema_field_t fields[] = {
	TEXT("name", name),
	TEXT("jurisdiction", jurisdiction),
	TEXT("url", url),
	TEXT("listen", listen),
	TEXT("cert", certificate),
	TEXT("key", private_key),
	TEXT("database", database),
	TEXT("keyfile", keyfile),
	TEXT("policy", policy),
	OPTIONAL("epochs", epochs),
	OPTIONAL("policy_key", policy_key),
	OPTIONAL("passphrase_file", passphrase_file),
	OPTIONAL("metrics", metrics),
	OPTIONAL("lease", lease),
	OPTIONAL("user", user),
	SETTINGS_NUMBER("threads", threads),
	CROWD_SETTINGS,
	OPTIONAL("keystore", keystore),
	CYAML_FIELD_MAPPING_PTR("pkcs11",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config, pkcs11,
	    pkcs11),
	OPTIONAL("log", log),
	OPTIONAL("admission", admission),
	CYAML_FIELD_SEQUENCE("witnesses",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
	    witnesses, &one_witness, 0, CONFIG_WITNESSES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t top = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, fields),
};

static void
close_fdp(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

int
config_read(const char *path, struct buf *out, struct fault *f)
{
	int fd defer(close_fdp) = open(path, O_RDONLY | O_CLOEXEC);
	size_t total = 0;
	uint8_t piece[4096];
	ssize_t n;

	if (fd < 0)
		return fault_sys(f, FAULT_CONFIG, errno, "open %s", path);
	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		int rc;

		total += (size_t)n;
		rc = total > CONFIG_FILE_MAX ? FAULT_LIMIT :
		                               buf_append(out, piece,
		                                   (size_t)n);
		explicit_bzero(piece, sizeof(piece));
		if (rc != 0)
			return fault_set(f, FAULT_CONFIG, "read %s: %s", path,
			    fault_text(rc));
	}
	if (n < 0)
		return fault_sys(f, FAULT_CONFIG, errno, "read %s", path);
	return 0;
}

int
config_secret(const char *path, const char *credential, const char *key,
    struct buf *out, struct fault *f)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char file[4096];
	int rc;

	if (path != NULL)
		(void)snprintf(file, sizeof(file), "%s", path);
	else if (dir != NULL)
		(void)snprintf(file, sizeof(file), "%s/%s", dir, credential);
	else
		return fault_set(f, FAULT_CONFIG, "%s is not set and there is "
		    "no systemd credential", key);
	rc = config_read(file, out, f);
	if (rc != 0)
		return fault_add(f, rc, "%s", key);
	if (out->n > 0 && out->p[out->n - 1] == '\n')
		out->n--;
	if (out->n == 0)
		return fault_set(f, FAULT_CONFIG, "%s: %s is empty", key,
		    file);
	return 0;
}

int
config_user(const struct config *c, uid_t *uid, gid_t *gid, struct fault *f)
{
	const struct passwd *pw = getpwnam(c->user);

	if (pw == NULL)
		return fault_set(f, FAULT_CONFIG, "user: %s is not known",
		    c->user);
	if (pw->pw_uid == 0)
		return fault_set(f, FAULT_CONFIG, "user: %s is root, and has "
		    "no rights to give up", c->user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

int
config_passphrase(const struct config *c, struct buf *out, struct fault *f)
{
	return config_secret(c->passphrase_file, "passphrase",
	    "passphrase_file", out, f);
}

int
config_lease(const char *text, uint32_t *out)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t v = 0;

	if (!isdigit((unsigned char)*text))
		return FAULT_CONFIG;
	for (; isdigit((unsigned char)*text); text++) {
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > CONFIG_LEASE_MAX)
			return FAULT_CONFIG;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (text[0] != units[i].unit || text[1] != '\0')
			continue;
		v *= units[i].seconds;
		if (v < 60 || v > CONFIG_LEASE_MAX)
			return FAULT_CONFIG;
		*out = (uint32_t)v;
		return 0;
	}
	return FAULT_CONFIG;
}

bool
config_by_invitation(const struct config *c)
{
	return c->admission != NULL && strcmp(c->admission, "invitation") == 0;
}

void
config_host(const struct config *c, char out[static CONFIG_HOST_MAX])
{
	size_t n;

	(void)snprintf(out, CONFIG_HOST_MAX, "%s",
	    c->url + strlen("https://"));
	n = strlen(out);
	if (n > 4 && strcmp(out + n - 4, ":443") == 0)
		out[n - 4] = '\0';
	for (char *s = out; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
}

void
config_origin(const struct config *c, char out[static CONFIG_ORIGIN_MAX])
{
	char host[CONFIG_HOST_MAX];

	config_host(c, host);
	(void)snprintf(out, CONFIG_ORIGIN_MAX, "%s/log", host);
}

static int
check_witnesses(const struct config *c, struct fault *f)
{
	for (unsigned i = 0; i < c->witnesses_count; i++) {
		const char *url = c->witnesses[i].url;

		if (strncmp(url, "https://", 8) != 0 || url[8] == '\0' ||
		    strpbrk(url, " \t\r\n\"?#") != NULL ||
		    url[strlen(url) - 1] == '/')
			return fault_set(f, FAULT_CONFIG, "witnesses: url: "
			    "https://host[:port][/path] is wanted");
	}
	return 0;
}

/* A folder beside the database, where none is named. */
static int
default_log(struct config *c, struct fault *f)
{
	const char *slash = strrchr(c->database, '/');
	int n = slash != NULL ? (int)(slash - c->database) + 1 : 0;

	if (c->log == NULL &&
	    asprintf(&c->log, "%.*slog", n, c->database) < 0)
		c->log = NULL;
	return c->log != NULL ? 0 : fault_set(f, FAULT_MEMORY,
	    "out of memory");
}

static int
default_ca(struct config *c, struct fault *f)
{
	for (unsigned i = 0; i < c->witnesses_count; i++) {
		struct config_witness *w = &c->witnesses[i];

		if (w->ca == NULL)
			w->ca = strdup(SYSTEM_CA);
		if (w->ca == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	return 0;
}

/* What is said of one keystore must not be thought to hold for the other. */
static int
check_keystore(const struct config *c, struct fault *f)
{
	bool token = c->keystore != NULL && strcmp(c->keystore, "pkcs11") == 0;
	uint8_t id[CONFIG_TOKEN_ID_MAX];
	struct keystore_token t;

	if (!token && c->keystore != NULL && strcmp(c->keystore, "file") != 0)
		return fault_set(f, FAULT_CONFIG,
		    "keystore: file or pkcs11 is wanted");
	if (token != (c->pkcs11 != NULL))
		return fault_set(f, FAULT_CONFIG, token ?
		    "keystore: pkcs11 wants the mapping pkcs11" :
		    "pkcs11: it goes with \"keystore: pkcs11\" only");
	if (token && c->passphrase_file != NULL)
		return fault_set(f, FAULT_CONFIG, "passphrase_file: a token "
		    "has a PIN, in pkcs11.pin_file");
	return token ? config_token(c->pkcs11, id, &t, f) : 0;
}

static int
check(const struct config *c, struct fault *f)
{
	const struct settings_range threads = { "threads", c->threads, 1,
		CONFIG_THREADS_MAX };
	uint32_t lease;
	int rc;

	if (!policy_name_ok(c->name))
		return fault_set(f, FAULT_CONFIG, "name: up to 64 of a-z 0-9 "
		    ". - _ are wanted, as in the policy");
	if (strlen(c->jurisdiction) != 2 ||
	    strspn(c->jurisdiction, "abcdefghijklmnopqrstuvwxyz") != 2)
		return fault_set(f, FAULT_CONFIG,
		    "jurisdiction: two lower-case letters are wanted");
	if (strncmp(c->url, "https://", 8) != 0 || c->url[8] == '\0' ||
	    strpbrk(c->url + 8, "/ \t\r\n\"\\@") != NULL ||
	    strlen(c->url) >= CONFIG_HOST_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "url: https://host[:port] is wanted");
	if (config_lease(c->lease, &lease) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "lease: 60s to 30d is wanted, as in 90s, 30m, 12h, 7d");
	if (c->admission != NULL && !config_by_invitation(c) &&
	    strcmp(c->admission, "open") != 0)
		return fault_set(f, FAULT_CONFIG,
		    "admission: open or invitation is wanted");
	rc = settings_ranges(&threads, 1, f);
	if (rc == 0)
		rc = crowd_check(&c->crowd, f);
	if (rc == 0)
		rc = sock_check("listen", c->listen, false, f);
	if (rc == 0)
		rc = sock_check("metrics", c->metrics, true, f);
	if (rc == 0)
		rc = check_witnesses(c, f);
	return rc != 0 ? rc : check_keystore(c, f);
}

static char *
beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	int dir = slash == NULL ? 0 : (int)(slash - path) + 1;
	char *out;

	return asprintf(&out, "%.*s%s", dir, path, name) < 0 ? NULL : out;
}

static int
complete(void *settings, struct fault *f)
{
	struct config *c = settings;
	int rc;

	if (c->lease == NULL)
		c->lease = strdup("12h");
	if (c->epochs == NULL)
		c->epochs = beside(c->keyfile, "epochs");
	if (c->lease == NULL || c->epochs == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = check(c, f);
	if (rc == 0)
		rc = default_log(c, f);
	return rc != 0 ? rc : default_ca(c, f);
}

int
config_load(const char *path, struct config **out, struct fault *f)
{
	return settings_load(path, &top, complete, (void **)out, f);
}

void
config_free(struct config *c)
{
	settings_free(&top, c);
}

void
config_freep(struct config **c)
{
	config_free(*c);
}
