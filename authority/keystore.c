// SPDX-License-Identifier: Apache-2.0
/* Picks the keystore that the configuration names. */
#include "authority/keystore.h"

#include <string.h>

#include "authority/keystore_file.h"
#include "authority/keystore_pkcs11.h"

static const struct kind {
	const char *kind;
	int (*load)(const struct keystore_config *cfg, struct fault *f);
	int (*open)(const struct keystore_config *cfg, struct keystore **out,
	    struct fault *f);
} kinds[] = {
	{ "file", NULL, keystore_file_open },
	{ "pkcs11", keystore_pkcs11_load, keystore_pkcs11_open },
};

static const struct kind *
kind_of(const struct keystore_config *cfg)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, cfg->kind) == 0)
			return &kinds[i];
	return NULL;
}

int
keystore_load(const struct keystore_config *cfg, struct fault *f)
{
	const struct kind *k = kind_of(cfg);

	return k != NULL && k->load != NULL ? k->load(cfg, f) : 0;
}

int
keystore_open(const struct keystore_config *cfg, struct keystore **out,
    struct fault *f)
{
	const struct kind *k = kind_of(cfg);

	if (k == NULL)
		return fault_set(f, FAULT_CONFIG, "keystore %s is not known",
		    cfg->kind);
	return k->open(cfg, out, f);
}

int
keystore_read_public(struct bytes keyfile, struct keystore_public *out)
{
	int rc = keystore_file_public(keyfile, out);

	/* Each refuses the other's length, and then the version. */
	if (keyfile.n == KEYSTORE_PKCS11_LEN)
		rc = keystore_pkcs11_public(keyfile, out);
	return rc;
}

const char *
keystore_trouble(const struct keystore *ks)
{
	return ks->trouble != NULL ? ks->trouble(ks) : NULL;
}

void
keystore_close(struct keystore *ks)
{
	if (ks != NULL)
		ks->close(ks);
}

void
keystore_closep(struct keystore **ks)
{
	keystore_close(*ks);
}
