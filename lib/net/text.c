// SPDX-License-Identifier: Apache-2.0
/* Base64 and hex by libsodium, made canonical: spec/00-conventions.md. */
#include "net/text.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "base/fault.h"

void
text_b64(const void *p, size_t n, char *out, size_t max)
{
	assert(max >= TEXT_B64_SIZE(n));
	sodium_bin2base64(out, max, p, n, sodium_base64_VARIANT_ORIGINAL);
}

int
text_b64_parse(const char *s, size_t len, void *out, size_t n)
{
	size_t got;

	/* libsodium refuses stray bits and wrong padding, so with the length
	 * fixed there is one text. */
	if (len + 1 != TEXT_B64_SIZE(n))
		return FAULT_MALFORMED;
	if (sodium_base642bin(out, n, s, len, NULL, &got, NULL,
	        sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    got != n)
		return FAULT_MALFORMED;
	return 0;
}

void
text_hex(const void *p, size_t n, char *out, size_t max)
{
	assert(max >= TEXT_HEX_SIZE(n));
	sodium_bin2hex(out, max, p, n);
}

int
text_hex_parse(const char *s, size_t len, void *out, size_t n)
{
	size_t got;

	if (len != 2 * n)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < len; i++)
		if (s[i] >= 'A' && s[i] <= 'F')
			return FAULT_MALFORMED;
	if (sodium_hex2bin(out, n, s, len, NULL, &got, NULL) != 0 || got != n)
		return FAULT_MALFORMED;
	return 0;
}
