// SPDX-License-Identifier: Apache-2.0
/* A token that is accepted is the only text for its payload and signature:
 * signing the payload again gives the same token. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "crypt/paseto.h"
#include "crypt/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key is known, so that a corpus can hold tokens that verify. */
static const struct sign_key key = { { 1 } };

/* The input as a token, and what is made of it as a payload. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	struct buf token defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	struct sign_pub pub;

	sign_public(&key, &pub);
	if (paseto_verify(&pub, bytes_of(data, size), &out) == 0) {
		assert(paseto_sign(&key, buf_bytes(&out), &token) == 0);
		assert(bytes_cmp(bytes_of(data, size), buf_bytes(&token)) == 0);
		return 0;
	}
	assert(out.n == 0);
	if (paseto_sign(&key, bytes_of(data, size), &token) != 0)
		return 0;
	assert(paseto_verify(&pub, buf_bytes(&token), &out) == 0);
	assert(bytes_cmp(bytes_of(data, size), buf_bytes(&out)) == 0);
	return 0;
}
