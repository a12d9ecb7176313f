// SPDX-License-Identifier: Apache-2.0
/* Single hashes: SHA-256 (FIPS 180-4), also piece by piece, HMAC, SipHash-2-4,
 * and CRCs, which find accidents only.  bulk.h is for many. */
#ifndef SKERRY_CRYPT_HASH_H
#define SKERRY_CRYPT_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define HASH_SIP_KEY_LEN 16

/* SHA-256 of the concatenation of n parts.  Does not fail. */
void hash_sha256(const struct bytes *part, size_t n, uint8_t out[static 32]);

/* HMAC-SHA256 (RFC 2104) of the concatenation of n parts.  Does not fail. */
void hash_hmac(const uint8_t key[static 32], const struct bytes *part,
    size_t n, uint8_t out[static 32]);

/* SHA-256 of long data as it arrives. */
struct hash;

/* NULL when out of memory. */
struct hash *hash_new(void);
void hash_update(struct hash *h, const void *p, size_t n);

/* Once, as the last call before hash_free. */
void hash_final(struct hash *h, uint8_t out[static 32]);
void hash_free(struct hash *h);
void hash_freep(struct hash **h);

/* CRC-32C (RFC 9260, appendix A) of what crc is of, followed by n bytes; crc of
 * nothing is 0. */
uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n);

/* The same by CRC-64/XZ (the polynomial of ECMA-182). */
uint64_t hash_crc64(uint64_t crc, const void *p, size_t n);

/* SipHash-2-4, its 8 bytes read as little-endian. */
uint64_t hash_sip(const uint8_t key[static HASH_SIP_KEY_LEN],
    struct bytes msg);

#endif
