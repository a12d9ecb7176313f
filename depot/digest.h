// SPDX-License-Identifier: Apache-2.0
/* Digests of bodies and files, and the fields of RFC 9530 in the two forms that
 * spec/40-depot.md knows: sha-256=:base64: and crc32c=:base64:. */
#ifndef SKERRY_DEPOT_DIGEST_H
#define SKERRY_DEPOT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"

#define DIGEST_LEN 32       /* the longest */
#define DIGEST_FIELD_MAX 54 /* characters */

enum digest_kind {
	DIGEST_SHA256,
	DIGEST_CRC32C,
};

struct digest {
	enum digest_kind kind;
	uint8_t b[DIGEST_LEN]; /* as many as the kind has */
};

/* A digest that is being made. */
struct digest_sum {
	enum digest_kind kind;
	struct hash *sha256; /* owned */
	uint32_t crc;
};

/* SHA-256 of the whole file, by pread.  FAULT_IO, FAULT_MEMORY. */
int digest_of_fd(int fd, struct digest *out, struct fault *f) must_check;

/* FAULT_MEMORY. */
int digest_sum_init(struct digest_sum *s, enum digest_kind kind) must_check;
void digest_sum_add(struct digest_sum *s, const void *p, size_t n);

/* Ends it, and says whether it came to this digest, of the same kind. */
bool digest_sum_is(struct digest_sum *s, const struct digest *want);

/* Also of one that is all zero. */
void digest_sum_wipe(struct digest_sum *s);

/* Reads a Content-Digest value.  FAULT_MALFORMED. */
int digest_parse(const char *value, struct digest *out) must_check;

/* NUL-terminated. */
void digest_format(const struct digest *d,
    char out[static DIGEST_FIELD_MAX + 1]);

#endif
