// SPDX-License-Identifier: Apache-2.0
/* Bytes as the strings that JSON has for them. */
#ifndef SKERRY_NET_JSONTEXT_H
#define SKERRY_NET_JSONTEXT_H

#include <jansson.h>

#include "base/attr.h"
#include "crypt/keys.h"

/* base64; NULL when out of memory, as of all of them. */
json_t *jsontext_b64(const void *p, size_t n) must_check;

/* An id, in lower-case hex. */
json_t *jsontext_id(const uint8_t id[static ID_LEN]) must_check;

#endif
