// SPDX-License-Identifier: Apache-2.0
/* A commit that is accepted is the only encoding of its fields. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "object/commit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct commit c defer(commit_wipe) = { 0 };
	struct buf out defer(buf_wipe) = buf_init(COMMIT_MAX);

	if (commit_decode(bytes_of(data, size), &c) != 0)
		return 0;
	assert(commit_encode(&c, &out) == 0);
	assert(bytes_cmp(bytes_of(data, size), buf_bytes(&out)) == 0);
	for (size_t i = 0; i < c.segments; i++) {
		const struct segment *s = &c.segment[i];
		uint8_t id[CHUNK_ID_LEN] = { data[size / 2] };
		uint32_t first, last;

		if (segment_find_block(s, id, &first, &last))
			assert(first <= last && last < s->blocks);
		for (uint32_t k = 0; k < s->blocks; k++) {
			struct place p = segment_block_place(s, k);

			assert(place_valid(&p));
		}
	}
	return 0;
}
