// SPDX-License-Identifier: Apache-2.0
/* Lines, decimals and base64: spec/60-log.md, Text. */
#include "tlog/line.h"

#include <string.h>

#include "base/fault.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
line_next(struct bytes *left, struct bytes *out)
{
	const uint8_t *end = left->n == 0 ? NULL :
	    memchr(left->p, '\n', left->n);
	size_t n;

	if (end == NULL)
		return FAULT_MALFORMED;
	n = (size_t)(end - left->p);
	*out = bytes_of(left->p, n);
	*left = bytes_of(end + 1, left->n - n - 1);
	return 0;
}

bool
line_skip(struct bytes *line, const char *prefix)
{
	size_t n = strlen(prefix);

	if (line->n < n || memcmp(line->p, prefix, n) != 0)
		return false;
	*line = bytes_of(line->p + n, line->n - n);
	return true;
}

bool
line_is(struct bytes line, const char *text)
{
	return line_skip(&line, text) && line.n == 0;
}

int
line_u64(struct bytes text, uint64_t *out)
{
	uint64_t v = 0;

	if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
		return FAULT_MALFORMED;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' ||
		    __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, text.p[i] - (uint64_t)'0', &v))
			return FAULT_MALFORMED;
	}
	*out = v;
	return 0;
}

size_t
line_u64_format(uint64_t v, char out[static LINE_U64_MAX])
{
	char tmp[LINE_U64_MAX];
	size_t n = 0;

	do
		tmp[n++] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	for (size_t i = 0; i < n; i++)
		out[i] = tmp[n - 1 - i];
	out[n] = '\0';
	return n;
}

static int
value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Decodes into out, which may be NULL, at most max bytes. */
static int
decode(struct bytes text, uint8_t *out, size_t max, size_t *n)
{
	size_t pad = 0, len;
	uint32_t acc = 0;

	if (text.n % 4 != 0)
		return FAULT_MALFORMED;
	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	len = text.n / 4 * 3 - pad;
	if (out != NULL && len != max)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < text.n; i++) {
		int v = i < text.n - pad ? value_of(text.p[i]) : 0;

		if (v < 0)
			return FAULT_MALFORMED;
		acc = (acc << 6 | (uint32_t)v) & 0xffffff;
		if (i % 4 != 3)
			continue;
		for (size_t j = 0; out != NULL && j < 3; j++)
			if (i / 4 * 3 + j < len)
				out[i / 4 * 3 + j] =
				    (uint8_t)(acc >> (16 - 8 * j));
	}
	/* Bits after the last byte: a second text for the same value. */
	if ((acc & ((1u << (8 * pad)) - 1)) != 0)
		return FAULT_MALFORMED;
	*n = len;
	return 0;
}

int
line_b64_check(struct bytes text, size_t *n)
{
	return decode(text, NULL, 0, n);
}

int
line_b64_parse(struct bytes text, uint8_t *out, size_t n)
{
	size_t got;

	if (text.n != LINE_B64_LEN(n))
		return FAULT_MALFORMED;
	/* Nothing of out is written where the text is not good. */
	if (decode(text, NULL, 0, &got) != 0 || got != n)
		return FAULT_MALFORMED;
	return decode(text, out, n, &got);
}

int
line_b64(struct bytes in, struct buf *out)
{
	int rc = buf_reserve(out, LINE_B64_LEN(in.n));

	for (size_t i = 0; rc == 0 && i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)in.p[i] << 16;
		char q[4];

		if (left > 1)
			v |= (uint32_t)in.p[i + 1] << 8;
		if (left > 2)
			v |= in.p[i + 2];
		for (unsigned j = 0; j < 4; j++)
			q[j] = j <= left ? alphabet[v >> (18 - 6 * j) & 63] :
			    '=';
		rc = buf_append(out, q, sizeof(q));
	}
	return rc;
}

int
line_put(struct buf *out, const char *text)
{
	return buf_append(out, text, strlen(text));
}
