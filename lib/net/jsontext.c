// SPDX-License-Identifier: Apache-2.0
#include "net/jsontext.h"

#include <stdlib.h>

#include "net/text.h"

json_t *
jsontext_b64(const void *p, size_t n)
{
	char *s = malloc(TEXT_B64_SIZE(n));
	json_t *j;

	if (s == NULL)
		return NULL;
	text_b64(p, n, s, TEXT_B64_SIZE(n));
	j = json_string(s);
	free(s);
	return j;
}

json_t *
jsontext_id(const uint8_t id[static ID_LEN])
{
	char s[TEXT_HEX_SIZE(ID_LEN)];

	text_hex(id, ID_LEN, s, sizeof(s));
	return json_string(s);
}
