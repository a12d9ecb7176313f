// SPDX-License-Identifier: Apache-2.0
/* init: a keyfile, a folder for the database, a configuration to edit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/keystore_file.h"
#include "authority/outfile.h"
#include "authority/publics.h"

struct init {
	const char *dir, *name, *jurisdiction, *url, *passphrase, *lease;
};

static int
make_dir(const char *path, struct fault *f)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fault_sys(f, FAULT_CONFIG, errno, "make %s", path);
	return 0;
}

/* Reads back what was written, so that a skeleton that does not load is never
 * left to the operator. */
static int
write_config(const struct init *a, const char *dir, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	char path[4200], text[24576], pass[4096];
	const char *port = strrchr(a->url, ':');
	int n, rc;

	if (realpath(a->passphrase, pass) == NULL)
		return fault_sys(f, FAULT_CONFIG, errno, "%s", a->passphrase);
	n = snprintf(text, sizeof(text),
	    "# skerry-authority.yaml(5)\n"
	    "name: \"%s\"\njurisdiction: \"%s\"\nurl: \"%s\"\n"
	    "listen: \"0.0.0.0:%s\"\n"
	    "cert: \"%s/tls.pem\"\nkey: \"%s/tls.key\"\n"
	    "database: \"%s/db/authority.sqlite\"\n"
	    "keyfile: \"%s/keyfile\"\npassphrase_file: \"%s\"\n"
	    "policy: \"%s/policy.txt\"\nlease: \"%s\"\n"
	    "metrics: \"127.0.0.1:0\"\n",
	    a->name, a->jurisdiction, a->url,
	    port != NULL && port > a->url + 7 ? port + 1 : "443", dir, dir,
	    dir, dir, pass, dir, a->lease);
	if (n < 0 || (size_t)n >= sizeof(text))
		return fault_set(f, FAULT_USAGE, "an argument is too long");
	(void)snprintf(path, sizeof(path), "%s/authority.yaml", dir);
	rc = outfile_write(path, bytes_of(text, (size_t)n), f);
	if (rc != 0)
		return rc;
	rc = config_load(path, &c, f);
	if (rc != 0)
		(void)unlink(path);
	return rc;
}

static int
write_keyfile(const struct init *a, const char *dir,
    struct keystore_public *pub, struct fault *f)
{
	struct buf pass defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	const struct config c = { .passphrase_file = (char *)a->passphrase };
	uint8_t file[KEYSTORE_FILE_LEN];
	char path[4200];
	int rc = config_passphrase(&c, &pass, f);

	if (rc != 0)
		return rc;
	rc = keystore_file_make(buf_bytes(&pass), &keystore_file_usual, file,
	    pub);
	if (rc != 0)
		return fault_set(f, rc, "keyfile: %s", fault_text(rc));
	(void)snprintf(path, sizeof(path), "%s/keyfile", dir);
	return outfile_write(path, bytes_of(file, sizeof(file)), f);
}

int
cmd_init(int argc, char **argv, struct fault *f)
{
	struct init a = { .lease = "12h" };
	const struct cmd_option o[] = { { "dir", &a.dir, true },
		{ "name", &a.name, true },
		{ "jurisdiction", &a.jurisdiction, true },
		{ "url", &a.url, true },
		{ "passphrase-file", &a.passphrase, true },
		{ "lease", &a.lease, false } };
	char dir[4096], path[4200];
	struct keystore_public pub;
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc != 0)
		return rc;
	rc = make_dir(a.dir, f);
	if (rc != 0)
		return rc;
	if (realpath(a.dir, dir) == NULL)
		return fault_sys(f, FAULT_CONFIG, errno, "%s", a.dir);
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	rc = make_dir(path, f);
	if (rc == 0)
		rc = write_config(&a, dir, f);
	if (rc == 0)
		rc = write_keyfile(&a, dir, &pub, f);
	if (rc != 0)
		return rc;
	return publics_print(a.name, a.jurisdiction, a.url, &pub, f);
}
