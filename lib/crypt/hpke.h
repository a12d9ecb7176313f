// SPDX-License-Identifier: Apache-2.0
/*
 * HPKE base mode, single shot (RFC 9180): DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, AES-256-GCM: KEM 0x0020, KDF 0x0001, AEAD 0x0002.
 */
#ifndef SKERRY_CRYPT_HPKE_H
#define SKERRY_CRYPT_HPKE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define HPKE_OVERHEAD 48 /* encapsulated key 32, tag 16 */

/* Writes enc || ciphertext || tag: pt.n + HPKE_OVERHEAD bytes.  out may not
 * overlap pt.  FAULT_MALFORMED for a low-order public key, FAULT_LIMIT,
 * FAULT_MEMORY, FAULT_INTERNAL. */
int hpke_seal(const struct box_pub *to, struct bytes info, struct bytes aad,
    struct bytes pt, uint8_t *out) must_check;

/* The reverse: writes in.n - HPKE_OVERHEAD bytes.  FAULT_TAMPERED (out is then
 * zeroed), FAULT_MALFORMED where in is too short or its key is of low order,
 * FAULT_LIMIT, FAULT_MEMORY, FAULT_INTERNAL. */
int hpke_open(const struct box_key *key, struct bytes info, struct bytes aad,
    struct bytes in, uint8_t *out) must_check;

#endif
