// SPDX-License-Identifier: Apache-2.0
/* A node that is accepted is the only encoding of its items. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "object/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The second byte of the input says the level, as it must. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	struct node_writer w defer(node_writer_wipe) = { 0 };
	unsigned level = size > 1 ? data[1] : 0;
	int rc = node_begin(&it, bytes_of(data, size), level);

	if (rc != 0)
		return 0;
	assert(node_start(&w, level) == 0);
	while ((rc = node_next(&it)) == 1) {
		struct bytes key = buf_bytes(&it.key);

		if (level == 0)
			rc = node_add_entry(&w, key, it.raw, it.entry.size);
		else
			rc = node_add_child(&w, key, &it.child);
		if (rc != 0) /* the sums overflow */
			return 0;
	}
	assert((rc == 0) ==
	    (node_check(bytes_of(data, size), level, NULL) == 0));
	if (rc == 0)
		assert(bytes_cmp(bytes_of(data, size), buf_bytes(&w.b)) == 0);
	return 0;
}
