// SPDX-License-Identifier: Apache-2.0
#include "crypt/filler.h"

#include <sodium.h>

#include "crypt/secret.h"

void
filler_random(uint8_t *out, size_t n)
{
	uint8_t seed[randombytes_SEEDBYTES];

	secret_random(seed, sizeof(seed));
	randombytes_buf_deterministic(out, n, seed);
	secret_wipe(seed, sizeof(seed));
}
