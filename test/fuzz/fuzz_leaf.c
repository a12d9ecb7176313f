// SPDX-License-Identifier: Apache-2.0
/* An entry of the log that is accepted is the only encoding of its fields. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out defer(buf_wipe) = buf_init(LEAF_MAX);
	static const struct leaf_key key = { { 1 } };
	struct bytes in = bytes_of(data, size);
	struct leaf l;

	if (leaf_decode(in, &l) != 0)
		return 0;
	assert(l.open.n <= LEAF_PUBLIC_MAX);
	assert(leaf_encode(&l, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
	if (leaf_open(&l, &key, in) == 0)
		assert(leaf_is(&l, &key));
	return 0;
}
