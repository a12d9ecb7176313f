// SPDX-License-Identifier: Apache-2.0
#include "base/base32.h"

#include <stdbool.h>

#include "base/fault.h"

static const char alphabet[32] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define NO_SYMBOL 0xff

/* All ones where a == b, else zero; both below 256. */
static unsigned
same(unsigned a, unsigned b)
{
	return 0U - (((a ^ b) - 1) >> 31);
}

static char
symbol(unsigned value)
{
	unsigned c = 0;

	for (unsigned i = 0; i < sizeof(alphabet); i++)
		c |= same(i, value) & (uint8_t)alphabet[i];
	return (char)c;
}

/* NO_SYMBOL for a character that is none. */
static unsigned
value_of(uint8_t c)
{
	unsigned lower = (unsigned)(c - 'a') < 26;
	unsigned up = c - 32 * lower;
	unsigned v = 0, known = 0, m;

	up ^= same(up, 'O') & ('O' ^ '0');
	up ^= same(up, 'I') & ('I' ^ '1');
	up ^= same(up, 'L') & ('L' ^ '1');
	for (unsigned i = 0; i < sizeof(alphabet); i++) {
		m = same(up, (uint8_t)alphabet[i]);
		v |= m & i;
		known |= m;
	}
	return v | (~known & NO_SYMBOL);
}

void
base32_encode(struct bytes in, char *out)
{
	unsigned acc = 0, bits = 0;
	size_t k = 0;

	for (size_t i = 0; i < in.n; i++) {
		acc = (acc << 8 | in.p[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			out[k++] = symbol(acc >> (bits - 5) & 31);
	}
	if (bits != 0)
		out[k] = symbol(acc << (5 - bits) & 31);
}

/* The next symbol's value from *i on; false at the end of text. */
static bool
next(struct bytes text, size_t *i, unsigned *value)
{
	while (*i < text.n && (text.p[*i] == '-' || text.p[*i] == ' '))
		(*i)++;
	if (*i == text.n)
		return false;
	*value = value_of(text.p[(*i)++]);
	return true;
}

/* That text has n symbols, and with the last spare bits of them zero. */
static int
check(struct bytes text, size_t n, unsigned spare)
{
	unsigned v = 0, bad = 0;
	size_t i = 0, k = 0;

	while (next(text, &i, &v)) {
		bad |= v & 0xe0;
		k++;
	}
	bad |= v & ((1U << spare) - 1);
	return bad == 0 && k == n ? 0 : FAULT_MALFORMED;
}

int
base32_canonical(struct bytes text, char *out, size_t n)
{
	int rc = check(text, n, 0);
	size_t i = 0, k = 0;
	unsigned v;

	if (rc != 0)
		return rc;
	while (next(text, &i, &v))
		out[k++] = symbol(v);
	return 0;
}

int
base32_decode(struct bytes text, uint8_t *out, size_t n)
{
	int rc = check(text, BASE32_LEN(n), BASE32_LEN(n) * 5 - n * 8);
	unsigned acc = 0, bits = 0, v;
	size_t i = 0, k = 0;

	if (rc != 0)
		return rc;
	while (next(text, &i, &v)) {
		acc = (acc << 5 | v) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[k++] = (uint8_t)(acc >> bits);
		}
	}
	return 0;
}
