// SPDX-License-Identifier: Apache-2.0
/* The "pkcs11" part of the configuration, and the same as options of commands:
 * skerry-authority.yaml(5). */
#ifndef SKERRY_AUTHORITY_CONFIG_TOKEN_H
#define SKERRY_AUTHORITY_CONFIG_TOKEN_H

#include <stdint.h>

#include "authority/config.h"
#include "authority/keystore.h"

#define CONFIG_TOKEN_ID_MAX 32

/* The options that init and migrate share, as text. */
struct config_token_options {
	const char *module, *token, *slot, *pin_file, *key, *id, *mechanism,
	    *iv, *paths;
};

/* Checks, and says what it means; *out borrows from c, and from id.
 * FAULT_CONFIG. */
int config_token(const struct config_pkcs11 *c,
    uint8_t id[static CONFIG_TOKEN_ID_MAX], struct keystore_token *out,
    struct fault *f) must_check;

/* Appends the PIN, without the newline at its end.  FAULT_CONFIG. */
int config_token_pin(const struct config_pkcs11 *c, struct buf *out,
    struct fault *f) must_check;

/* From options; *out borrows from o and slot.  FAULT_USAGE. */
int config_token_parse(const struct config_token_options *o, uint64_t *slot,
    struct config_pkcs11 *out, struct fault *f) must_check;

/* Appends the lines of the configuration that say the same; paths as in the
 * option, separated by colons, or NULL. */
int config_token_yaml(const struct config_pkcs11 *c, const char *paths,
    struct buf *out, struct fault *f) must_check;

#endif
