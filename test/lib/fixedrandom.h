// SPDX-License-Identifier: Apache-2.0
/* Random bytes that are the same in each run, so that a failure comes again. */
#ifndef SKERRY_TEST_FIXEDRANDOM_H
#define SKERRY_TEST_FIXEDRANDOM_H

#include "test/lib/cm.h"

#include <sodium.h>

static inline const char *
fixedrandom_name(void)
{
	return "fixed";
}

/* splitmix64 */
static inline uint32_t
fixedrandom_word(void)
{
	static uint64_t state;
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)(z ^ z >> 31);
}

static inline void
fixedrandom_bytes(void *out, size_t n)
{
	for (size_t i = 0; i < n; i += 4) {
		const uint32_t w = fixedrandom_word();

		memcpy((uint8_t *)out + i, &w, n - i < 4 ? n - i : 4);
	}
}

/* From here on; 0 or -1. */
static inline int
fixedrandom_use(void)
{
	static struct randombytes_implementation fixed = {
		.implementation_name = fixedrandom_name,
		.random = fixedrandom_word,
		.buf = fixedrandom_bytes,
	};

	return randombytes_set_implementation(&fixed);
}

#endif
