// SPDX-License-Identifier: Apache-2.0
/* check-config: all that run would want, found as run would find it, with
 * nothing changed.  A fault names the key of the configuration. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/keystore.h"
#include "net/policy.h"
#include "net/text.h"
#include "settings/named.h"

#define SQLITE_MAGIC "SQLite format 3"

static int
read_named(const char *key, const char *path, struct buf *out,
    struct fault *f)
{
	int rc = config_read(path, out, f);

	return rc != 0 ? fault_add(f, rc, "%s", key) : 0;
}

static int
check_tls(const struct config *c, struct fault *f)
{
	struct buf cert defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct buf key defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	int rc = read_named("cert", c->certificate, &cert, f);

	if (rc == 0)
		rc = read_named("key", c->private_key, &key, f);
	return rc != 0 ? rc : named_tls((struct named_pair){ "cert", "key" },
	    buf_bytes(&cert), buf_bytes(&key), f);
}

static int
check_witnesses(const struct config *c, struct fault *f)
{
	for (unsigned i = 0; i < c->witnesses_count; i++) {
		struct buf ca defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
		int rc = config_read(c->witnesses[i].ca, &ca, f);

		if (rc != 0)
			return fault_add(f, rc, "witnesses: ca");
		rc = named_ca("witnesses: ca", buf_bytes(&ca), f);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* What the sandbox is to leave to the module. */
static int
check_paths(const struct config_pkcs11 *p, struct fault *f)
{
	struct stat st;

	for (unsigned i = 0; p != NULL && i < p->paths_count; i++)
		if (stat(p->paths[i], &st) != 0)
			return fault_sys(f, FAULT_CONFIG, errno,
			    "pkcs11: paths: %s", p->paths[i]);
	return 0;
}

static int
load_policy(const struct config *c, struct policy **out, struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct sign_pub pin;
	int rc = read_named("policy", c->policy, &file, f);

	if (rc == 0 && c->policy_key != NULL &&
	    text_b64_parse(c->policy_key, strlen(c->policy_key), pin.b,
	        sizeof(pin.b)) != 0)
		rc = fault_set(f, FAULT_CONFIG, "policy_key: not a key");
	if (rc != 0)
		return rc;
	return policy_load(buf_bytes(&file),
	    c->policy_key != NULL ? &pin : NULL, out, f);
}

/* The policy tells devices where this authority is, and its keys. */
static int
check_policy(const struct config *c, const struct policy_authority *a,
    struct fault *f)
{
	struct keystore_public pub;
	int rc = cmd_config_public(c, &pub, f);

	if (rc != 0)
		return rc;
	if (a == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "policy: it has no authority %s", c->name);
	if (strcmp(a->jurisdiction, c->jurisdiction) != 0 ||
	    strcmp(a->url, c->url) != 0)
		return fault_set(f, FAULT_CONFIG, "policy: authority %s has "
		    "another jurisdiction or url there", c->name);
	if (memcmp(&a->intake, &pub.intake, sizeof(a->intake)) != 0 ||
	    memcmp(&a->signing, &pub.signing, sizeof(a->signing)) != 0)
		return fault_set(f, FAULT_CONFIG, "policy: authority %s has "
		    "other keys there than in its keyfile", c->name);
	return 0;
}

static int
check_log_key(const struct config *c, const struct policy_authority *a,
    struct fault *f)
{
	struct note_key log;
	int rc = cmd_config_log_key(c, &log, f);

	if (rc != 0)
		return rc;
	if (strcmp(a->log.name, log.name) != 0 ||
	    memcmp(&a->log.pub, &log.pub, sizeof(log.pub)) != 0)
		return fault_set(f, FAULT_CONFIG, "policy: authority %s has "
		    "another log there than its own", c->name);
	return 0;
}

static int
check_database(const char *path, struct fault *f)
{
	char copy[4200], magic[sizeof(SQLITE_MAGIC)];
	int fd, rc;
	ssize_t n;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	rc = named_folder("database", dirname(copy), false, f);
	if (rc != 0)
		return rc;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : fault_sys(f, FAULT_CONFIG, errno,
		    "database: %s", path);
	n = read(fd, magic, sizeof(magic));
	(void)close(fd);
	if (n == 0 || (n == sizeof(magic) &&
			  memcmp(magic, SQLITE_MAGIC, sizeof(magic)) == 0))
		return 0;
	return fault_set(f, FAULT_CONFIG, "database: %s: not a database of "
	    "SQLite", path);
}

static int
check_log(const char *path, struct fault *f)
{
	char public[4200];
	int rc = named_folder("log", path, true, f);

	(void)snprintf(public, sizeof(public), "%s/log", path);
	if (rc != 0 || access(path, F_OK) != 0)
		return rc;
	return named_folder("log", public, true, f);
}

static int
check_folders(const struct config *c, struct fault *f)
{
	int rc = check_database(c->database, f);

	if (rc == 0)
		rc = check_log(c->log, f);
	return rc != 0 ? rc : named_folder("epochs", c->epochs, true, f);
}

/* As the user that the ledger will be, where run would drop to it. */
static int
check_as_user(const struct config *c, struct fault *f)
{
	uid_t uid;
	gid_t gid;
	int rc = c->user == NULL ? 0 : config_user(c, &uid, &gid, f);

	if (rc != 0)
		return rc;
	if (c->user == NULL || geteuid() != 0)
		return check_folders(c, f);
	if (setgroups(0, NULL) != 0 || setegid(gid) != 0 || seteuid(uid) != 0)
		return fault_sys(f, FAULT_CONFIG, errno, "user: %s", c->user);
	rc = check_folders(c, f);
	if (seteuid(0) != 0 || setegid(0) != 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "ids");
	return rc;
}

static int
check(const struct config *c, struct fault *f)
{
	struct policy *p defer(policy_freep) = NULL;
	const struct policy_authority *a = NULL;
	int rc = load_policy(c, &p, f);

	if (rc == 0) {
		a = policy_find_authority(p, c->name);
		rc = check_policy(c, a, f);
	}
	if (rc == 0)
		rc = check_tls(c, f);
	if (rc == 0)
		rc = check_witnesses(c, f);
	if (rc == 0)
		rc = check_paths(c->pkcs11, f);
	if (rc == 0)
		rc = check_as_user(c, f);
	/* Last: its passphrase may be there for the service alone. */
	return rc != 0 ? rc : check_log_key(c, a, f);
}

int
cmd_check_config(int argc, char **argv, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	const char *path = NULL;
	const struct cmd_option o[] = { { "config", &path, true } };
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc == 0)
		rc = config_load(path, &c, f);
	if (rc != 0)
		return rc;
	if (gnutls_global_init() != GNUTLS_E_SUCCESS)
		return fault_set(f, FAULT_INTERNAL, "TLS library");
	rc = check(c, f);
	if (rc != 0)
		return fault_add(f, rc, "%s", path);
	(void)printf("%s: ok\n", path);
	return 0;
}
