// SPDX-License-Identifier: Apache-2.0
/* Published vectors as they are printed: hex to bytes. */
#ifndef SKERRY_TEST_HEX_H
#define SKERRY_TEST_HEX_H

#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "base/bytes.h"
#include "test/lib/cm.h"

/* The bytes on the heap, exactly as many as there are; free with free(). */
static inline uint8_t *
hex_new(const char *hex, size_t *n)
{
	size_t len = strlen(hex) / 2;
	uint8_t *p = malloc(len == 0 ? 1 : len);

	assert_non_null(p);
	assert_int_equal(
	    sodium_hex2bin(p, len, hex, 2 * len, NULL, n, NULL), 0);
	assert_int_equal(*n, len);
	return p;
}

/* Into out, which is exactly as long as hex says. */
static inline void
hex_to(const char *hex, uint8_t *out, size_t len)
{
	size_t n;

	assert_int_equal(strlen(hex), 2 * len);
	assert_int_equal(
	    sodium_hex2bin(out, len, hex, 2 * len, NULL, &n, NULL), 0);
	assert_int_equal(n, len);
}

static inline void
hex_equal(const void *p, size_t n, const char *hex)
{
	char *text = malloc(2 * n + 1);

	assert_non_null(text);
	sodium_bin2hex(text, 2 * n + 1, p, n);
	assert_string_equal(text, hex);
	free(text);
}

#endif
