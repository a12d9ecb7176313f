// SPDX-License-Identifier: Apache-2.0
/*
 * Private to crypt: AES-256-GCM of OpenSSL with a nonce of the caller's choice.
 * A struct gcm belongs to one thread and can be reused for any number of
 * sealings, each with its own key.
 */
#ifndef SKERRY_CRYPT_GCM_H
#define SKERRY_CRYPT_GCM_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define GCM_KEY_LEN 32
#define GCM_NONCE_LEN 12
#define GCM_TAG_LEN 16
#define GCM_MAX ((size_t)1 << 30) /* longest plaintext, longest aad */

struct gcm;

/* NULL where memory or the cipher is not to be had. */
struct gcm *gcm_new(void);

/* The last key is wiped. */
void gcm_free(struct gcm *g);
void gcm_freep(struct gcm **g);

/* Writes in.n bytes and the tag; out may equal in.p.
 * FAULT_LIMIT, FAULT_INTERNAL. */
int gcm_seal(struct gcm *g, const uint8_t key[static GCM_KEY_LEN],
    const uint8_t nonce[static GCM_NONCE_LEN], struct bytes aad,
    struct bytes in, uint8_t *out) must_check;

/* Writes in.n - GCM_TAG_LEN bytes; out may equal in.p and is zeroed on failure.
 * FAULT_TAMPERED, FAULT_MALFORMED where in is shorter than a tag, FAULT_LIMIT,
 * FAULT_INTERNAL. */
int gcm_open(struct gcm *g, const uint8_t key[static GCM_KEY_LEN],
    const uint8_t nonce[static GCM_NONCE_LEN], struct bytes aad,
    struct bytes in, uint8_t *out) must_check;

#endif
