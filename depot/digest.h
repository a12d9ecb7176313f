// SPDX-License-Identifier: Apache-2.0
/* SHA-256 of files, and the fields of RFC 9530 in the one form that
 * spec/40-depot.md knows: sha-256=:base64:. */
#ifndef SKERRY_DEPOT_DIGEST_H
#define SKERRY_DEPOT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"

#define DIGEST_LEN 32
#define DIGEST_FIELD_LEN 54 /* characters */

/* Of the whole file, by pread.  FAULT_IO, FAULT_MEMORY. */
int digest_of_fd(int fd, uint8_t out[static DIGEST_LEN],
    struct fault *f) must_check;

/* Reads a Content-Digest value.  FAULT_MALFORMED. */
int digest_parse(const char *value, uint8_t out[static DIGEST_LEN]) must_check;

/* NUL-terminated. */
void digest_format(const uint8_t digest[static DIGEST_LEN],
    char out[static DIGEST_FIELD_LEN + 1]);

#endif
