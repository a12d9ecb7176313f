// SPDX-License-Identifier: Apache-2.0
/* migrate: the root key of a keyfile goes into a token.  What it wrapped stays
 * as it is, so no space is touched. */
#include <stdio.h>
#include <unistd.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/config_token.h"
#include "authority/keystore_pkcs11.h"
#include "authority/outfile.h"
#include "crypt/secret.h"

struct migrate {
	const char *config;
	struct config_token_options token;
};

static int
read_root(const struct config *c, struct keystore_root *out, struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct buf pass defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct keystore_config kc = { .kind = "file" };
	int rc = config_read(c->keyfile, &file, f);

	if (rc == 0)
		rc = config_passphrase(c, &pass, f);
	if (rc != 0)
		return rc;
	kc.keyfile = buf_bytes(&file);
	kc.passphrase = buf_bytes(&pass);
	return keystore_file_root(&kc, out, f);
}

/* Opens what is about to replace the keyfile as the service would. */
static int
try_out(const struct keystore_token *t, struct bytes pin, struct bytes file,
    struct fault *f)
{
	const struct keystore_config kc = { .kind = "pkcs11",
		.keyfile = file, .passphrase = pin, .token = *t };
	struct keystore *ks defer(keystore_closep) = NULL;

	return keystore_open(&kc, &ks, f);
}

/* Old or new after a power cut, never half of each. */
static int
replace(const char *path, struct bytes file, struct fault *f)
{
	char fresh[4200];
	int n = snprintf(fresh, sizeof(fresh), "%s.new", path), rc;

	if (n < 0 || (size_t)n >= sizeof(fresh))
		return fault_set(f, FAULT_CONFIG, "keyfile: path is too long");
	(void)unlink(fresh);
	rc = outfile_write(fresh, 0600, file, f);
	if (rc == 0)
		rc = outfile_rename(fresh, path, f);
	return rc;
}

static int
move(const struct migrate *a, const struct config *c,
    const struct config_pkcs11 *p, struct fault *f)
{
	struct keystore_root *root defer(secret_freep) =
	    secret_new(sizeof(*root));
	struct buf pin defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct buf yaml defer(buf_wipe) = buf_init(32768);
	uint8_t file[KEYSTORE_PKCS11_LEN], id[CONFIG_TOKEN_ID_MAX];
	struct keystore_token t;
	int rc = config_token(p, id, &t, f);

	if (root == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (rc == 0)
		rc = config_token_pin(p, &pin, f);
	if (rc == 0)
		rc = config_token_yaml(p, a->token.paths, &yaml, f);
	if (rc == 0)
		rc = read_root(c, root, f);
	if (rc == 0)
		rc = keystore_pkcs11_adopt(&t, buf_bytes(&pin), root, file, f);
	if (rc == 0)
		rc = try_out(&t, buf_bytes(&pin), bytes_of(file, sizeof(file)),
		    f);
	if (rc == 0)
		rc = replace(c->keyfile, bytes_of(file, sizeof(file)), f);
	if (rc != 0)
		return rc;
	if (printf("# The root key is in the token.  In %s, this takes the "
	    "place of passphrase_file:\n%.*s", a->config, (int)yaml.n,
	    (const char *)yaml.p) < 0 || fflush(stdout) != 0)
		return fault_set(f, FAULT_IO, "cannot write to stdout");
	return 0;
}

int
cmd_migrate(int argc, char **argv, struct fault *f)
{
	struct config *c defer(config_freep) = NULL;
	struct migrate a = { 0 };
	const struct cmd_option o[] = { { "config", &a.config, true },
		{ "module", &a.token.module, true },
		{ "token", &a.token.token, false },
		{ "slot", &a.token.slot, false },
		{ "pin-file", &a.token.pin_file, true },
		{ "key", &a.token.key, false },
		{ "id", &a.token.id, false },
		{ "iv", &a.token.iv, false },
		{ "paths", &a.token.paths, false } };
	struct config_pkcs11 p;
	uint64_t slot;
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc == 0)
		rc = config_token_parse(&a.token, &slot, &p, f);
	if (rc == 0)
		rc = config_load(a.config, &c, f);
	if (rc != 0)
		return rc;
	if (c->pkcs11 != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "%s: its keystore is a token already", a.config);
	return move(&a, c, &p, f);
}
