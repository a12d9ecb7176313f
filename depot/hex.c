// SPDX-License-Identifier: Apache-2.0
#include "depot/hex.h"

#include <string.h>

#include "base/fault.h"

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
hex_id_parse(const char *s, size_t n, uint8_t out[static ID_LEN])
{
	uint8_t id[ID_LEN];

	if (n != HEX_ID_LEN)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < ID_LEN; i++) {
		int hi = digit(s[2 * i]), lo = digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return FAULT_MALFORMED;
		id[i] = (uint8_t)(hi << 4 | lo);
	}
	memcpy(out, id, sizeof(id));
	return 0;
}

void
hex_id_format(const uint8_t id[static ID_LEN], char out[static HEX_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < ID_LEN; i++) {
		out[2 * i] = digits[id[i] >> 4];
		out[2 * i + 1] = digits[id[i] & 15];
	}
	out[HEX_ID_LEN] = '\0';
}
