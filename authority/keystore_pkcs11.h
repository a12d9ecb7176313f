// SPDX-License-Identifier: Apache-2.0
/*
 * The keystore whose root key is in a PKCS#11 token and never leaves it.  The
 * intake key and the signing seed stay in the keyfile, wrapped by the token as
 * space keys are (spec/10-names.md, Root key in a token); once opened they are
 * in secret memory:
 *
 *   clear  = u8 version (2) | zero [3] | intake public [32]
 *            | signing public [32]
 *   file   = clear | wrap("intake", intake key) [60]
 *            | wrap("signing", signing seed) [60]
 *   wrap(name, key): aad = "skerry keyfile v2" | clear | name
 *
 * A token that is unplugged is FAULT_AUTHORITY for each request, and looked for
 * anew at the next one.
 */
#ifndef SKERRY_AUTHORITY_KEYSTORE_PKCS11_H
#define SKERRY_AUTHORITY_KEYSTORE_PKCS11_H

#include <stdint.h>

#include "authority/keystore.h"
#include "authority/keystore_file.h"

#define KEYSTORE_PKCS11_CLEAR_LEN 68
#define KEYSTORE_PKCS11_LEN (KEYSTORE_PKCS11_CLEAR_LEN + 2 * WRAP_LEN)

/* A root key made in the token, new keys wrapped by it.  FAULT_EXISTS: the
 * token has a key of that name.  Else as keystore_open(). */
int keystore_pkcs11_make(const struct keystore_token *t, struct bytes pin,
    uint8_t out[static KEYSTORE_PKCS11_LEN], struct keystore_public *pub,
    struct fault *f) must_check;

/* Takes the keys of a keyfile into the token: what the root key wrapped before
 * opens as before.  A second time does no harm, so that one that was
 * interrupted can be repeated.  FAULT_EXISTS: the token has another key of that
 * name.  FAULT_USAGE: not with key_wrap. */
int keystore_pkcs11_adopt(const struct keystore_token *t, struct bytes pin,
    const struct keystore_root *root, uint8_t out[static KEYSTORE_PKCS11_LEN],
    struct fault *f) must_check;

/* As keystore_file_public(). */
int keystore_pkcs11_public(struct bytes file, struct keystore_public *out)
	must_check;

/* As keystore_load() and keystore_open(). */
int keystore_pkcs11_load(const struct keystore_config *cfg, struct fault *f)
	must_check;
int keystore_pkcs11_open(const struct keystore_config *cfg,
    struct keystore **out, struct fault *f) must_check;

#endif
