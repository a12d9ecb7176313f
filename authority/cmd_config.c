// SPDX-License-Identifier: Apache-2.0
/* run, public: commands about one configuration, and what the others want of
 * it. */
#include <stdio.h>
#include <string.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/config_token.h"
#include "authority/keystore.h"
#include "authority/parent.h"
#include "authority/publics.h"

static int
load(int argc, char **argv, struct config **out, struct fault *f)
{
	const char *path = NULL;
	const struct cmd_option o[] = { { "config", &path, true } };
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	return rc != 0 ? rc : config_load(path, out, f);
}

int
cmd_run_service(int argc, char **argv, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	int rc = load(argc, argv, &c, f);

	return rc != 0 ? rc : parent_run(c, f);
}

int
cmd_config_public(const struct config *c, struct keystore_public *out,
    struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	int rc = config_read(c->keyfile, &file, f);

	if (rc != 0)
		return fault_add(f, rc, "keyfile");
	rc = keystore_read_public(buf_bytes(&file), out);
	if (rc != 0)
		return fault_set(f, rc, "keyfile: %s: %s", c->keyfile,
		    fault_text(rc));
	return 0;
}

static int
open_keystore(const struct config *c, struct keystore **out, struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct buf pass defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct keystore_config kc = { .kind = "file" };
	uint8_t id[CONFIG_TOKEN_ID_MAX];
	int rc = config_read(c->keyfile, &file, f);

	if (rc == 0)
		rc = c->pkcs11 != NULL ?
		    config_token_pin(c->pkcs11, &pass, f) :
		    config_passphrase(c, &pass, f);
	if (rc == 0 && c->pkcs11 != NULL) {
		kc.kind = "pkcs11";
		rc = config_token(c->pkcs11, id, &kc.token, f);
	}
	if (rc != 0)
		return rc;
	kc.keyfile = buf_bytes(&file);
	kc.passphrase = buf_bytes(&pass);
	rc = keystore_open(&kc, out, f);
	return rc != 0 ? fault_add(f, rc, "keyfile: %s", c->keyfile) : 0;
}

int
cmd_config_log_key(const struct config *c, struct note_key *out,
    struct fault *f)
{
	struct keystore *ks defer(keystore_closep) = NULL;
	char origin[CONFIG_ORIGIN_MAX];
	int rc = open_keystore(c, &ks, f);

	if (rc != 0)
		return rc;
	config_origin(c, origin);
	rc = ks->log_key(ks, bytes_of(origin, strlen(origin)), out);
	return rc != 0 ? fault_set(f, rc, "log key: %s", fault_text(rc)) : 0;
}

int
cmd_public(int argc, char **argv, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	struct keystore_public pub;
	struct note_key log;
	int rc = load(argc, argv, &c, f);

	if (rc == 0)
		rc = cmd_config_public(c, &pub, f);
	if (rc == 0)
		rc = cmd_config_log_key(c, &log, f);
	if (rc != 0)
		return rc;
	return publics_print(c, &pub, &log, f);
}
