// SPDX-License-Identifier: Apache-2.0
/* init: a keyfile, a folder for the database, a configuration to edit. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/config_token.h"
#include "authority/keystore_pkcs11.h"
#include "authority/outfile.h"
#include "authority/publics.h"

struct init {
	const char *dir, *name, *jurisdiction, *url, *passphrase, *lease;
	struct config_token_options token;
	struct config_pkcs11 pkcs11; /* of these, where token.module is set */
	uint64_t slot;
};

static int
make_dir(const char *path, struct fault *f)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return fault_sys(f, FAULT_CONFIG, errno, "make %s", path);
}

/* Between quotes YAML reads it as it is. */
static bool
quotable(const char *s)
{
	while (*s != '\0' && *s != '"' && *s != '\\' &&
	    !iscntrl((unsigned char)*s))
		s++;
	return *s == '\0';
}

static int
check_quotable(const struct cmd_option *o, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i++)
		if (*o[i].value != NULL && !quotable(*o[i].value))
			return fault_set(f, FAULT_USAGE, "--%s: quotes, "
			    "backslashes and control characters cannot be "
			    "written to the configuration", o[i].name);
	return 0;
}

/* The lines that say where the keys are. */
static int
keystore_lines(const struct init *a, struct buf *out, struct fault *f)
{
	char pass[4096], text[4200];
	int n;

	if (a->token.module != NULL)
		return config_token_yaml(&a->pkcs11, a->token.paths, out, f);
	if (realpath(a->passphrase, pass) == NULL)
		return fault_sys(f, FAULT_CONFIG, errno, "%s", a->passphrase);
	n = snprintf(text, sizeof(text), "passphrase_file: \"%s\"\n", pass);
	return buf_append(out, text, (size_t)n);
}

/* Reads back what was written, so that a skeleton that does not load is never
 * left to the operator. */
static int
write_config(const struct init *a, const char *dir, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	struct buf keystore defer(buf_wipe) = buf_init(32768);
	char path[4200], text[65536];
	const char *port = strrchr(a->url, ':');
	int n, rc = keystore_lines(a, &keystore, f);

	if (rc != 0)
		return rc;
	n = snprintf(text, sizeof(text),
	    "# skerry-authority.yaml(5)\n"
	    "name: \"%s\"\njurisdiction: \"%s\"\nurl: \"%s\"\n"
	    "listen: \"0.0.0.0:%s\"\n"
	    "cert: \"%s/tls.pem\"\nkey: \"%s/tls.key\"\n"
	    "database: \"%s/db/authority.sqlite\"\n"
	    "keyfile: \"%s/keyfile\"\n%.*s"
	    "policy: \"%s/policy.txt\"\nlease: \"%s\"\n"
	    "metrics: \"127.0.0.1:0\"\n",
	    a->name, a->jurisdiction, a->url,
	    port != NULL && port > a->url + 7 ? port + 1 : "443", dir, dir,
	    dir, dir, (int)keystore.n, (const char *)keystore.p, dir,
	    a->lease);
	if (n < 0 || (size_t)n >= sizeof(text))
		return fault_set(f, FAULT_USAGE, "an argument is too long");
	(void)snprintf(path, sizeof(path), "%s/authority.yaml", dir);
	rc = outfile_write(path, 0600, bytes_of(text, (size_t)n), f);
	if (rc != 0)
		return rc;
	rc = config_load(path, &c, f);
	if (rc != 0)
		(void)unlink(path);
	return rc;
}

static int
write_keyfile_token(const struct init *a, const char *path,
    struct keystore_public *pub, struct fault *f)
{
	struct buf pin defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	uint8_t file[KEYSTORE_PKCS11_LEN], id[CONFIG_TOKEN_ID_MAX];
	struct keystore_token t;
	int rc = config_token(&a->pkcs11, id, &t, f);

	if (rc == 0)
		rc = config_token_pin(&a->pkcs11, &pin, f);
	if (rc == 0)
		rc = keystore_pkcs11_make(&t, buf_bytes(&pin), file, pub, f);
	return rc != 0 ? rc :
	    outfile_write(path, 0600, bytes_of(file, sizeof(file)), f);
}

static int
write_keyfile(const struct init *a, const char *dir,
    struct keystore_public *pub, struct fault *f)
{
	struct buf pass defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	const struct config c = { .passphrase_file = (char *)a->passphrase };
	uint8_t file[KEYSTORE_FILE_LEN];
	char path[4200];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/keyfile", dir);
	if (a->token.module != NULL)
		return write_keyfile_token(a, path, pub, f);
	rc = config_passphrase(&c, &pass, f);
	if (rc != 0)
		return rc;
	rc = keystore_file_make(buf_bytes(&pass), &keystore_file_usual, file,
	    pub);
	if (rc != 0)
		return fault_set(f, rc, "keyfile: %s", fault_text(rc));
	return outfile_write(path, 0600, bytes_of(file, sizeof(file)), f);
}

static int
check_keystore(struct init *a, struct fault *f)
{
	if ((a->token.module != NULL) == (a->passphrase != NULL))
		return fault_set(f, FAULT_USAGE, "either --passphrase-file or "
		    "--module is wanted");
	if (a->token.module == NULL && (a->token.token != NULL ||
	    a->token.slot != NULL || a->token.pin_file != NULL ||
	    a->token.key != NULL || a->token.id != NULL ||
	    a->token.iv != NULL || a->token.mechanism != NULL ||
	    a->token.paths != NULL))
		return fault_set(f, FAULT_USAGE, "options of a token go with "
		    "--module only");
	if (a->token.module == NULL)
		return 0;
	return config_token_parse(&a->token, &a->slot, &a->pkcs11, f);
}

int
cmd_init(int argc, char **argv, struct fault *f)
{
	struct init a = { .lease = "12h" };
	const struct cmd_option o[] = { { "dir", &a.dir, true },
		{ "name", &a.name, true },
		{ "jurisdiction", &a.jurisdiction, true },
		{ "url", &a.url, true },
		{ "passphrase-file", &a.passphrase, false },
		{ "module", &a.token.module, false },
		{ "token", &a.token.token, false },
		{ "slot", &a.token.slot, false },
		{ "pin-file", &a.token.pin_file, false },
		{ "key", &a.token.key, false },
		{ "id", &a.token.id, false },
		{ "mechanism", &a.token.mechanism, false },
		{ "iv", &a.token.iv, false },
		{ "paths", &a.token.paths, false },
		{ "lease", &a.lease, false } };
	struct config *c defer(config_freep) = NULL;
	char dir[4096], path[4200];
	struct keystore_public pub;
	struct note_key log;
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc == 0)
		rc = check_quotable(o, ARRAY_LEN(o), f);
	if (rc == 0)
		rc = check_keystore(&a, f);
	if (rc == 0)
		rc = make_dir(a.dir, f);
	if (rc != 0)
		return rc;
	if (realpath(a.dir, dir) == NULL)
		return fault_sys(f, FAULT_CONFIG, errno, "%s", a.dir);
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	rc = make_dir(path, f);
	if (rc == 0)
		rc = write_config(&a, dir, f);
	if (rc != 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/authority.yaml", dir);
	rc = write_keyfile(&a, dir, &pub, f);
	if (rc != 0)
		(void)unlink(path); /* it can be run again */
	if (rc == 0)
		rc = config_load(path, &c, f);
	if (rc == 0)
		rc = cmd_config_log_key(c, &log, f);
	return rc != 0 ? rc : publics_print(c, &pub, &log, f);
}
