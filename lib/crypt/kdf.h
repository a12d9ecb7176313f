// SPDX-License-Identifier: Apache-2.0
/* Key derivation: spec/10-names.md. */
#ifndef SKERRY_CRYPT_KDF_H
#define SKERRY_CRYPT_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

/* HKDF-SHA256 (RFC 5869): ikm, salt (may be empty), label as info.
 * FAULT_INTERNAL. */
int kdf_hkdf(struct bytes ikm, struct bytes salt, const char *label,
    uint8_t *out, size_t out_len) must_check;

/* The two halves of it (RFC 5869, 2.2 and 2.3), for constructions that use them
 * apart.  info has at most 1024 bytes.  FAULT_INTERNAL. */
int kdf_extract(struct bytes ikm, struct bytes salt,
    uint8_t out[static 32]) must_check;
int kdf_expand(const uint8_t prk[static 32], struct bytes info, uint8_t *out,
    size_t out_len) must_check;

/* BLAKE2b-256 keyed with key (RFC 7693) over the concatenation of n parts: the
 * project's PRF.  Does not fail. */
void kdf_prf(const uint8_t key[static 32], const struct bytes *part, size_t n,
    uint8_t out[static 32]);

/* Argon2id 1.3 of a passphrase.  mem in bytes, ops passes.
 * FAULT_MEMORY, FAULT_LIMIT where ops or mem is outside what Argon2id takes. */
int kdf_passphrase(struct bytes pass, const uint8_t salt[static 16],
    uint64_t ops, uint64_t mem, uint8_t out[static 32]) must_check;

#endif
