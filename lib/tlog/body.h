// SPDX-License-Identifier: Apache-2.0
/*
 * The body of a release's entry: which key went to which device, and the
 * request of that device, so that whoever has the body and the device's public
 * key sees that the device asked.  spec/60-log.md, Entries.
 */
#ifndef SKERRY_TLOG_BODY_H
#define SKERRY_TLOG_BODY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define BODY_HOST_MAX 255 /* characters */
#define BODY_NONCE_LEN 16
#define BODY_DIGEST_LEN 32

struct body_release {
	uint8_t account[ID_LEN], space[ID_LEN];
	uint32_t epoch;
	uint8_t device[ID_LEN];
	/* Of the signed request to /v1/session. */
	uint64_t created;
	uint8_t nonce[BODY_NONCE_LEN];
	uint8_t digest[BODY_DIGEST_LEN]; /* of its body */
	uint8_t signature[SIGN_LEN];
	char host[BODY_HOST_MAX + 1]; /* its "@authority" */
};

/* Appends the bytes.  FAULT_LIMIT, FAULT_MEMORY. */
int body_release_write(const struct body_release *b, struct buf *out)
	must_check;

/* FAULT_MALFORMED. */
int body_release_read(struct bytes in, struct body_release *out) must_check;

#endif
