// SPDX-License-Identifier: Apache-2.0
/*
 * Requests signed by a device: HTTP Message Signatures (RFC 9421) and
 * Content-Digest (RFC 9530), in the one form of spec/50-authority.md.
 */
#ifndef SKERRY_NET_HTTPSIG_H
#define SKERRY_NET_HTTPSIG_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define HTTPSIG_NONCE_LEN 16
#define HTTPSIG_FIELD_MAX 512 /* characters of each header's value */

struct httpsig {
	int64_t created;                  /* Unix seconds */
	uint8_t nonce[HTTPSIG_NONCE_LEN];
	uint8_t keyid[ID_LEN];            /* device id */
};

/* The three header values, NUL-terminated. */
struct httpsig_fields {
	char digest[HTTPSIG_FIELD_MAX];    /* Content-Digest */
	char input[HTTPSIG_FIELD_MAX];     /* Signature-Input */
	char signature[HTTPSIG_FIELD_MAX]; /* Signature */
};

/* Signs POST path at authority (host[:port]) with body.  FAULT_LIMIT. */
int httpsig_sign(const struct sign_key *key, const struct httpsig *params,
    const char *authority, const char *path, struct bytes body,
    struct httpsig_fields *out) must_check;

/* Reads the parameters, without checking the signature: whose key is wanted.
 * FAULT_MALFORMED for any other form. */
int httpsig_parse(const struct httpsig_fields *in,
    struct httpsig *out) must_check;

/* Checks digest and signature.  FAULT_MALFORMED, FAULT_TAMPERED.  Time and
 * nonce are the caller's to check. */
int httpsig_check(const struct sign_pub *pub, const struct httpsig_fields *in,
    const char *authority, const char *path, struct bytes body) must_check;

/*
 * The same from parts that were kept: the digest of the body, and the
 * signature.  For whoever is shown later that a device has asked.
 * FAULT_MALFORMED, FAULT_TAMPERED, FAULT_LIMIT.
 */
struct httpsig_kept {
	struct httpsig params;
	uint8_t digest[32]; /* SHA-256 of the body */
	uint8_t signature[SIGN_LEN];
};
int httpsig_check_kept(const struct sign_pub *pub,
    const struct httpsig_kept *k, const char *authority,
    const char *path) must_check;

/* "sha-256=:…:" of body into out. */
void httpsig_digest(struct bytes body, char out[static 64]);

/* The 32 bytes of such a value.  FAULT_MALFORMED. */
int httpsig_digest_parse(const char *value, uint8_t out[static 32]) must_check;

/* The bytes of a Signature value.  FAULT_MALFORMED. */
int httpsig_signature_parse(const char *value, uint8_t out[static SIGN_LEN])
	must_check;

#endif
