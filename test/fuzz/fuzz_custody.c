// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a custody set: what is taken has the numbers that it may have,
 * and signing it anew gives the same bytes but for the signature. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "object/custody.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sign_key key;
	const struct chain none = { 0 };
	const struct custody_who who = { .chain = &none };
	struct custody c, again;
	bool live;

	if (custody_decode(bytes_of(data, size), &c) != 0)
		return 0;
	assert(c.n >= 1 && c.n <= CUSTODY_HOLDERS_MAX && c.k <= c.n);
	assert(c.len == size && size == CUSTODY_LEN(c.n));
	assert(custody_check(&c, &who, &live) != 0);
	again = c;
	assert(custody_sign(&again, &key) == 0 && again.len == c.len);
	assert(memcmp(again.raw, c.raw, c.len - SIGN_LEN) == 0);
	return 0;
}
