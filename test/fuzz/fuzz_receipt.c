// SPDX-License-Identifier: Apache-2.0
/* A receipt that is accepted is the only encoding of its fields.  The target
 * signs what it is given, or no input would get past the signature. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crypt/sign.h"
#include "object/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sign_key key = { { 1 } };
	struct buf m defer(buf_wipe) = buf_init(256);
	struct buf again defer(buf_wipe) = buf_init(256);
	uint8_t raw[RECEIPT_LEN];
	struct sign_pub pub;
	struct receipt r;

	sign_public(&key, &pub);
	if (receipt_check(bytes_of(data, size), &pub, &r) == 0)
		assert(size == RECEIPT_LEN);
	if (size < RECEIPT_SIGNED_LEN)
		return 0;
	memcpy(raw, data, RECEIPT_SIGNED_LEN);
	if (buf_append(&m, RECEIPT_LABEL, sizeof(RECEIPT_LABEL)) != 0 ||
	    buf_append(&m, raw, RECEIPT_SIGNED_LEN) != 0)
		return 0;
	sign_make(&key, buf_bytes(&m), raw + RECEIPT_SIGNED_LEN);
	if (receipt_check(bytes_of(raw, sizeof(raw)), &pub, &r) != 0)
		return 0;
	assert(receipt_signed(&r, &again) == 0);
	assert(bytes_cmp(buf_bytes(&m), buf_bytes(&again)) == 0);
	return 0;
}
