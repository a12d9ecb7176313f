// SPDX-License-Identifier: Apache-2.0
/* Single hashes: SHA-256 (FIPS 180-4), HMAC, SipHash-2-4.  bulk.h is for many. */
#ifndef SKERRY_CRYPT_HASH_H
#define SKERRY_CRYPT_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define HASH_SIP_KEY_LEN 16

/* SHA-256 of the concatenation of n parts.  Does not fail. */
void hash_sha256(const struct bytes *part, size_t n, uint8_t out[static 32]);

/* HMAC-SHA256 (RFC 2104) of the concatenation of n parts.  Does not fail. */
void hash_hmac(const uint8_t key[static 32], const struct bytes *part,
    size_t n, uint8_t out[static 32]);

/* SipHash-2-4, its 8 bytes read as little-endian. */
uint64_t hash_sip(const uint8_t key[static HASH_SIP_KEY_LEN],
    struct bytes msg);

#endif
