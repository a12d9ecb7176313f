// SPDX-License-Identifier: Apache-2.0
/* Picks the keystore that the configuration names. */
#include "authority/keystore.h"

#include <string.h>

#include "authority/keystore_file.h"
#include "authority/keystore_pkcs11.h"
#include "crypt/kdf.h"
#include "crypt/sign.h"

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

static int
log_secret(const struct sign_key *signing, struct sign_key *out)
{
	return kdf_hkdf(bytes_of(signing->seed, sizeof(signing->seed)),
	    bytes_of(NULL, 0), "skerry/1 log signing", out->seed,
	    sizeof(out->seed));
}

int
keystore_log_note(const struct sign_key *signing, struct bytes text,
    const struct note_key *pub, struct buf *out)
{
	struct sign_key key;
	int rc = log_secret(signing, &key);

	if (rc == 0)
		rc = note_sign(text, pub, &key, out);
	explicit_bzero(&key, sizeof(key));
	return rc;
}

int
keystore_log_key(const struct sign_key *signing, struct bytes origin,
    struct note_key *out)
{
	struct sign_key key;
	struct sign_pub pub;
	int rc = log_secret(signing, &key);

	if (rc == 0)
		sign_public(&key, &pub);
	explicit_bzero(&key, sizeof(key));
	return rc != 0 ? rc :
	    note_key_make(origin, NOTE_ED25519, &pub, out);
}
