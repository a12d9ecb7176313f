// SPDX-License-Identifier: Apache-2.0
/* Ids as lower-case hex, the only form that the protocol knows. */
#ifndef SKERRY_DEPOT_HEX_H
#define SKERRY_DEPOT_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/keys.h"

#define HEX_ID_LEN (2 * ID_LEN)

/* Reads exactly n characters.  FAULT_MALFORMED for anything but 32 digits of
 * 0-9a-f. */
int hex_id_parse(const char *s, size_t n, uint8_t out[static ID_LEN])
    must_check;

/* NUL-terminated. */
void hex_id_format(const uint8_t id[static ID_LEN],
    char out[static HEX_ID_LEN + 1]);

#endif
