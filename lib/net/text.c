// SPDX-License-Identifier: Apache-2.0
/*
 * Base64 and hex with one text for each value: spec/00-conventions.md.  Not by
 * a library, since libsodium 1.0.18 takes bytes above 0x7f for letters.
 */
#include "net/text.h"

#include <assert.h>
#include <stdbool.h>

#include "base/fault.h"

/* All ones where v is negative (not below -256), else zero: a choice without a
 * branch, since what is written may be a key. */
static int
mask(int v)
{
	return v >> 8;
}

/* The letter of v, 0..63. */
static char
b64_letter(int v)
{
	int c = v + 'A';

	c += mask(25 - v) & ('a' - 'Z' - 1);
	c -= mask(51 - v) & ('z' + 1 - '0');
	c -= mask(61 - v) & ('9' + 1 - '+');
	c += mask(62 - v) & ('/' - '+' - 1);
	return (char)c;
}

/* All ones where c is from first to last. */
static int
within(int c, int first, int last)
{
	return mask((first - 1 - c) & (c - last - 1));
}

/* 0..63, or -1 where c is no letter. */
static int
b64_value(char letter)
{
	int c = (unsigned char)letter, v = -1;

	v += within(c, 'A', 'Z') & (c - 'A' + 1);
	v += within(c, 'a', 'z') & (c - 'a' + 27);
	v += within(c, '0', '9') & (c - '0' + 53);
	v += within(c, '+', '+') & 63;
	v += within(c, '/', '/') & 64;
	return v;
}

/* Byte i of the n at p; zero after them. */
static int
byte_at(const uint8_t *p, size_t n, size_t i)
{
	return i < n ? p[i] : 0;
}

void
text_b64(const void *p, size_t n, char *out, size_t max)
{
	char *t = out;

	assert(max >= TEXT_B64_SIZE(n));
	for (size_t i = 0; i < n; i += 3) {
		int v = byte_at(p, n, i) << 16 | byte_at(p, n, i + 1) << 8 |
		    byte_at(p, n, i + 2);

		*t++ = b64_letter(v >> 18);
		*t++ = b64_letter(v >> 12 & 63);
		*t++ = i + 1 < n ? b64_letter(v >> 6 & 63) : '=';
		*t++ = i + 2 < n ? b64_letter(v & 63) : '=';
	}
	*t = '\0';
}

/* Letters alone, padding where n wants it, and no bit after the last byte. */
static bool
b64_valid(const char *s, size_t len, size_t n)
{
	size_t pad = (3 - n % 3) % 3;
	int bad = 0;

	if (len + 1 != TEXT_B64_SIZE(n))
		return false;
	for (size_t i = 0; i < len - pad; i++)
		bad |= b64_value(s[i]);
	for (size_t i = len - pad; i < len; i++)
		bad |= -(s[i] != '=');
	if (pad != 0 && bad >= 0)
		bad |= -(b64_value(s[len - pad - 1]) & ((1 << 2 * pad) - 1));
	return bad >= 0;
}

int
text_b64_parse(const char *s, size_t len, void *out, size_t n)
{
	uint8_t *p = out;

	if (!b64_valid(s, len, n))
		return FAULT_MALFORMED;
	for (size_t i = 0; i < n; i++) {
		const char *c = s + i / 3 * 4 + i % 3;

		p[i] = (uint8_t)(b64_value(c[0]) << (2 + 2 * (i % 3)) |
		    b64_value(c[1]) >> (4 - 2 * (i % 3)));
	}
	return 0;
}

void
text_hex(const void *p, size_t n, char *out, size_t max)
{
	const uint8_t *b = p;

	assert(max >= TEXT_HEX_SIZE(n));
	for (size_t i = 0; i < 2 * n; i++) {
		int v = i % 2 == 0 ? b[i / 2] >> 4 : b[i / 2] & 15;

		out[i] = (char)(v + '0' + (mask(9 - v) & ('a' - '9' - 1)));
	}
	out[2 * n] = '\0';
}

/* 0..15, or -1 where c is no digit. */
static int
hex_value(char digit)
{
	int c = (unsigned char)digit, v = -1;

	v += within(c, '0', '9') & (c - '0' + 1);
	v += within(c, 'a', 'f') & (c - 'a' + 11);
	return v;
}

int
text_hex_parse(const char *s, size_t len, void *out, size_t n)
{
	uint8_t *p = out;
	int bad = 0;

	if (len != 2 * n)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < len; i++)
		bad |= hex_value(s[i]);
	if (bad < 0)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(hex_value(s[2 * i]) << 4 |
		    hex_value(s[2 * i + 1]));
	return 0;
}
