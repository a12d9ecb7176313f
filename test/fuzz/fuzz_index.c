// SPDX-License-Identifier: Apache-2.0
/* An index block that is accepted is the only encoding of its entries, each of
 * which is found by its id. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "object/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	if (index_block_check(in) != 0)
		return 0;
	for (size_t at = 0; at < size; at += INDEX_ENTRY_LEN) {
		uint8_t out[INDEX_ENTRY_LEN];
		struct index_entry e;

		assert(index_block_find(in, data + at, &e) == 0);
		index_entry_encode(&e, out);
		assert(memcmp(out, data + at, sizeof(out)) == 0);
	}
	return 0;
}
