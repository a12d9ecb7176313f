// SPDX-License-Identifier: Apache-2.0
/*
 * Wrapping of a space key under a wrap key: AES-256-GCM with a random nonce.
 * Bytes: nonce 12, ciphertext (of a key 32), tag 16.  spec/10-names.md.
 */
#ifndef SKERRY_CRYPT_WRAP_H
#define SKERRY_CRYPT_WRAP_H

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define WRAP_LEN 60

/* FAULT_INTERNAL, FAULT_LIMIT. */
int wrap_seal(const struct wrap_key *key, struct bytes aad,
    const struct space_key *in, uint8_t out[static WRAP_LEN]) must_check;

/* FAULT_SECRET where key or aad is not the one that sealed, FAULT_INTERNAL,
 * FAULT_LIMIT. */
int wrap_open(const struct wrap_key *key, struct bytes aad,
    const uint8_t in[static WRAP_LEN], struct space_key *out) must_check;

#define WRAP_OVERHEAD 28

/* The same for bytes of any length, in.n + WRAP_OVERHEAD of them, and back. */
int wrap_bytes_seal(const struct wrap_key *key, struct bytes aad,
    struct bytes in, uint8_t *out) must_check;
int wrap_bytes_open(const struct wrap_key *key, struct bytes aad,
    struct bytes in, uint8_t *out) must_check;

#endif
