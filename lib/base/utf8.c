// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

static size_t
claimed(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c < 0xe0)
		return 2;
	if (c >= 0xe0 && c < 0xf0)
		return 3;
	return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

size_t
utf8_len(const uint8_t *p, size_t n)
{
	size_t k = n == 0 ? 0 : claimed(p[0]);

	if (k > n)
		return 0;
	for (size_t i = 1; i < k; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((k == 3 && p[0] == 0xe0 && p[1] < 0xa0) ||
	    (k == 3 && p[0] == 0xed && p[1] >= 0xa0) ||
	    (k == 4 && p[0] == 0xf0 && p[1] < 0x90) ||
	    (k == 4 && p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return k;
}

bool
utf8_valid(const void *p, size_t n)
{
	const uint8_t *c = p;

	for (size_t k; n > 0; c += k, n -= k) {
		k = utf8_len(c, n);
		if (k == 0)
			return false;
	}
	return true;
}

bool
utf8_harmless(const uint8_t *p, size_t n)
{
	if (n == 1)
		return *p >= 0x20 && *p < 0x7f;
	if (n == 2)
		return p[0] != 0xc2 || p[1] >= 0xa0;
	if (n == 3 && p[0] == 0xe2 && p[1] == 0x80)
		return !(p[2] == 0x8e || p[2] == 0x8f ||
		    (p[2] >= 0xa8 && p[2] <= 0xae));
	if (n == 3 && p[0] == 0xe2 && p[1] == 0x81)
		return !(p[2] >= 0xa6 && p[2] <= 0xa9);
	return n != 0;
}
