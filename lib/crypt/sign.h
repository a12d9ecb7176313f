// SPDX-License-Identifier: Apache-2.0
/* Ed25519 (RFC 8032) and X25519 (RFC 7748) keys. */
#ifndef SKERRY_CRYPT_SIGN_H
#define SKERRY_CRYPT_SIGN_H

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

/* A new key pair; key belongs in secret memory. */
void sign_new(struct sign_key *key, struct sign_pub *pub);

/* The public half of key. */
void sign_public(const struct sign_key *key, struct sign_pub *pub);

/* Signature of msg. */
void sign_make(const struct sign_key *key, struct bytes msg,
    uint8_t out[static SIGN_LEN]);

/* 0, or FAULT_TAMPERED. */
int sign_check(const struct sign_pub *pub, struct bytes msg,
    const uint8_t sig[static SIGN_LEN]) must_check;

void sign_box_new(struct box_key *key, struct box_pub *pub);
void sign_box_public(const struct box_key *key, struct box_pub *pub);

#endif
