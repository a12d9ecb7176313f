// SPDX-License-Identifier: Apache-2.0
/*
 * Bulk hashing and sealing behind one interface with two backends that give the
 * same bytes: OpenSSL (portable) and intel-ipsec-mb (x86-64).  A struct bulk
 * belongs to one thread; make one per worker and reuse it.
 */
#ifndef SKERRY_CRYPT_BULK_H
#define SKERRY_CRYPT_BULK_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define BULK_HASH_LEN 32
#define BULK_MSG_MAX 65535 /* longest message of bulk_sha256 */
#define BULK_TAG_LEN 16
#define BULK_SEAL_MAX ((size_t)1 << 30) /* longest plaintext, longest aad */

enum bulk_kind {
	BULK_BEST, /* fastest that this machine has; SKERRY_BULK=openssl or
	            * ipsec-mb in the environment overrides, without
	            * falling back */
	BULK_OPENSSL,
	BULK_IPSEC_MB,
};

struct bulk;

/* NULL: not available on this machine, or no memory. */
struct bulk *bulk_new(enum bulk_kind kind);
void bulk_free(struct bulk *b);
void bulk_freep(struct bulk **b);

/* "openssl" or "ipsec-mb". */
const char *bulk_name(const struct bulk *b);

/* SHA-256 of n messages of at most BULK_MSG_MAX bytes each into out[0..n-1].
 * FAULT_LIMIT, FAULT_INTERNAL. */
int bulk_sha256(struct bulk *b, const struct bytes *msg, size_t n,
    uint8_t (*out)[BULK_HASH_LEN]) must_check;

/* AES-256-GCM, nonce of twelve bytes whose last four are counter in big-endian
 * and the rest zero.  Writes in.n bytes to out and the tag to out + in.n; out
 * may equal in.p.  FAULT_LIMIT, FAULT_INTERNAL. */
int bulk_seal(struct bulk *b, const struct seal_key *key, uint32_t counter,
    struct bytes aad, struct bytes in, uint8_t *out) must_check;

/* bulk_seal() with counter 0 of the byte first and in behind it; in.n + 1 bytes
 * and the tag go to out, which does not overlap in. */
int bulk_seal_prefixed(struct bulk *b, const struct seal_key *key,
    struct bytes aad, uint8_t first, struct bytes in, uint8_t *out) must_check;

/* The reverse: in is ciphertext and tag, out gets in.n - 16 bytes and may equal
 * in.p.  FAULT_TAMPERED (out is then zeroed), FAULT_MALFORMED where in.n < 16,
 * FAULT_LIMIT, FAULT_INTERNAL. */
int bulk_open(struct bulk *b, const struct seal_key *key, uint32_t counter,
    struct bytes aad, struct bytes in, uint8_t *out) must_check;

#endif
