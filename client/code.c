// SPDX-License-Identifier: Apache-2.0
#include "client/code.h"

#include <string.h>

#include "base/base32.h"

void
code_text(const uint8_t id[static ID_LEN], char out[static CODE_SIZE])
{
	char symbols[CODE_SYMBOLS];

	base32_encode(bytes_of(id, ID_LEN), symbols);
	for (size_t i = 0; i < CODE_SYMBOLS; i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = '-';
		*out++ = symbols[i];
	}
	*out = '\0';
}

int
code_parse(const char *text, uint8_t out[static ID_LEN])
{
	return base32_decode(bytes_of(text, strlen(text)), out, ID_LEN);
}
