// SPDX-License-Identifier: Apache-2.0
/*
 * One struct type for each role that key material has, so that handing one
 * where another is wanted does not compile.  spec/10-names.md says what each
 * is derived from.
 */
#ifndef SKERRY_CRYPT_KEYS_H
#define SKERRY_CRYPT_KEYS_H

#include <stdint.h>

#define KEY_LEN 32
#define SIGN_LEN 64
#define ID_LEN 16 /* account, space, device, object, prefix */

/* Root secret of one epoch of a space. */
struct space_key {
	uint8_t b[KEY_LEN];
};

/* One holder's share of a space key; its index is public. */
struct key_share {
	uint8_t b[KEY_LEN];
};

/* Names and keys of chunks; carried from epoch to epoch by the commit. */
struct dedup_key {
	uint8_t b[KEY_LEN];
};

/* Used for exactly one sealing. */
struct seal_key {
	uint8_t b[KEY_LEN];
};

/* Wraps space keys at the authority (keyfile) or in a recovery keyslot. */
struct wrap_key {
	uint8_t b[KEY_LEN];
};

/* Ed25519, RFC 8032: seed and public key. */
struct sign_key {
	uint8_t seed[32];
};
struct sign_pub {
	uint8_t b[32];
};

/* X25519, RFC 7748. */
struct box_key {
	uint8_t b[32];
};
struct box_pub {
	uint8_t b[32];
};

#endif
