// SPDX-License-Identifier: Apache-2.0
/*
 * The keystore in one encrypted file:
 *
 *   clear  = u8 version (1) | zero [3] | u64 Argon2id passes | u64 its memory
 *            in bytes | salt [16] | intake public [32] | signing public [32]
 *            | check [16]
 *   file   = clear | AES-256-GCM(key, 0, clear, root key [32] | intake key
 *            [32] | signing seed [32]) [112]
 *
 * S = Argon2id(passphrase, salt); key = HKDF(S, "", "skerry/1 keyfile", 32);
 * check = HKDF(S, "", "skerry/1 keyfile check", 16), which tells a wrong
 * passphrase from a damaged file.
 */
#ifndef SKERRY_AUTHORITY_KEYSTORE_FILE_H
#define SKERRY_AUTHORITY_KEYSTORE_FILE_H

#include <stdint.h>

#include "authority/keystore.h"

#define KEYSTORE_FILE_CLEAR_LEN 116
#define KEYSTORE_FILE_LEN (KEYSTORE_FILE_CLEAR_LEN + 96 + 16)

/* Cost of the passphrase: memory in bytes and passes. */
struct keystore_file_cost {
	uint64_t ops, mem;
};

/* The cost of a new keyfile: 64 MiB, 3 passes. */
extern const struct keystore_file_cost keystore_file_usual;

/* New keys, sealed.  FAULT_MEMORY, FAULT_INTERNAL. */
int keystore_file_make(struct bytes passphrase,
    const struct keystore_file_cost *cost,
    uint8_t out[static KEYSTORE_FILE_LEN], struct keystore_public *pub)
	must_check;

/* The public halves, without the passphrase (and unauthenticated: a keyfile
 * that lies about them does not open).  FAULT_MALFORMED, FAULT_VERSION. */
int keystore_file_public(struct bytes file, struct keystore_public *out)
	must_check;

/* All keys of a keyfile: for taking them into another keystore, and for
 * nothing else. */
struct keystore_root {
	struct wrap_key wrap;
	struct box_key intake;
	struct sign_key signing;
};

/* out is in secret memory.  Errors as keystore_open(). */
int keystore_file_root(const struct keystore_config *cfg,
    struct keystore_root *out, struct fault *f) must_check;

/* As keystore_open(). */
int keystore_file_open(const struct keystore_config *cfg,
    struct keystore **out, struct fault *f) must_check;

#endif
