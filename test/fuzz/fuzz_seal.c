// SPDX-License-Identifier: Apache-2.0
/*
 * The first four bytes say how long the content is to be, the rest is a frame,
 * sealed well: what opens is of that length and treehash, and nothing is
 * written past it.  The same bytes unsealed never open.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "crypt/secret.h"
#include "object/seal.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN_MAX 65536u

static struct seal *seal;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct dedup_key dedup = { { 1 } };

	(void)argc;
	(void)argv;
	return secret_init() != 0 || seal_new(BULK_OPENSSL, &dedup, &seal) != 0;
}

/* As a node whose treehash is ref->hash. */
static void
enclose(struct bytes frame, struct ref *ref, uint8_t *out)
{
	uint8_t aad[34] = { 1, SEAL_NODE };

	memcpy(aad + 2, ref->hash, HASH_LEN);
	assert(bulk_seal(seal_bulk(seal), &ref->key, 0,
	    bytes_of(aad, sizeof(aad)), frame, out) == 0);
	ref->place.length = (uint32_t)(frame.n + BULK_TAG_LEN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_from(data, size);
	struct ref ref = { .key = { { 2 } } };
	uint8_t *sealed, *out, hash[1][HASH_LEN];
	struct bytes frame, content;
	int rc;

	ref.plain_len = rd_u32(&r) % PLAIN_MAX + 1;
	frame = rd_take(&r, r.left);
	if (frame.n == 0 || frame.n > ref.plain_len + 1u)
		return 0;
	content = bytes_of(frame.p + 1, frame.n - 1);
	sealed = malloc(frame.n + BULK_TAG_LEN);
	out = malloc(ref.plain_len);

	/* True of codec 0, and a hash that must be refused for the others. */
	assert(seal_hash(seal, &content, 1, hash) == 0);
	memcpy(ref.hash, hash[0], HASH_LEN);
	enclose(frame, &ref, sealed);
	rc = seal_open_ref(seal, SEAL_NODE, &ref,
	    bytes_of(sealed, ref.place.length), out);
	assert((rc == 0) == (frame.p[0] == 0 && content.n == ref.plain_len));
	if (rc == 0)
		assert(memcmp(out, content.p, content.n) == 0);

	sealed[size % ref.place.length] ^= 1;
	assert(seal_open_ref(seal, SEAL_NODE, &ref,
	    bytes_of(sealed, ref.place.length), out) != 0);
	free(sealed);
	free(out);
	return 0;
}
