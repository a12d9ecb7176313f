// SPDX-License-Identifier: Apache-2.0
#include "depot/hex.h"

#include "net/text.h"

int
hex_id_parse(const char *s, size_t n, uint8_t out[static ID_LEN])
{
	return text_hex_parse(s, n, out, ID_LEN);
}

void
hex_id_format(const uint8_t id[static ID_LEN], char out[static HEX_ID_LEN + 1])
{
	text_hex(id, ID_LEN, out, HEX_ID_LEN + 1);
}
