// SPDX-License-Identifier: Apache-2.0
/*
 * The clear part of any input, and any body under good keys: what opens is the
 * only encoding of its fields.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crypt/sign.h"
#include "object/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sign_key sign = { { 1 } };
static const struct space_key key = { { 2 } };

static int
find(void *arg, const uint8_t device[static ID_LEN], struct sign_pub *out)
{
	(void)arg;
	(void)device;
	sign_public(&sign, out);
	return 0;
}

/* A head with fields from the input is sealed, and opens to the same. */
static void
fields(struct bulk *b, const uint8_t *data, size_t size)
{
	const struct head_lookup who = { find, NULL };
	uint8_t raw[sizeof(struct head)] = { 0 };
	uint8_t out[HEAD_LEN], again[HEAD_LEN];
	struct head h, got;

	memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
	memcpy(&h, raw, sizeof(h));
	h.number |= 2; /* not 0, and not 1, which wants no hash */
	h.prev[0] |= 1;
	h.number &= ~UINT64_C(1);
	if (head_seal(b, &key, &sign, &h, out) != 0)
		return;
	if (head_open(b, &key, h.space, who, bytes_of(out, HEAD_LEN), &got) !=
	    0)
		return; /* a bad ref */
	assert(head_seal(b, &key, &sign, &got, again) == 0);
	assert(memcmp(out, again, HEAD_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bulk *b;
	const struct head_lookup who = { find, NULL };
	const uint8_t space[ID_LEN] = { 0 };
	uint64_t number;
	uint32_t epoch;
	struct head h;
	int clear = head_clear(bytes_of(data, size), &epoch, &number);
	int all;

	if (b == NULL)
		b = bulk_new(BULK_OPENSSL);
	all = head_open(b, &key, space, who, bytes_of(data, size), &h);
	assert(clear == 0 || all == clear);
	fields(b, data, size);
	return 0;
}
