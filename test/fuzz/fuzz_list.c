// SPDX-License-Identifier: Apache-2.0
/* A list of content that is accepted is the only encoding of its items. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "object/limits.h"
#include "object/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sum of the items of level 0, building the list again from them. */
static int
rebuild(struct bytes in, struct list_builder *l)
{
	struct list_iter it = list_begin(in, 0);
	struct list_item item;
	int rc;

	while ((rc = list_next(&it, &item)) == 1) {
		assert(item.length >= 1);
		if (item.hole)
			rc = list_add_hole(l, item.length);
		else
			rc = list_add_data(l, item.id, (uint32_t)item.length);
		if (rc != 0) /* the sum overflows */
			return rc;
	}
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct list_builder l defer(list_builder_wipe) = list_build(1u << 22);
	struct bytes in = bytes_of(data, size), out;
	uint64_t sum = 0;

	if (rebuild(in, &l) == 0) {
		sum = l.size;
		assert(list_finish(&l, &out) == 0);
		assert(bytes_cmp(in, out) == 0);
		if (sum < UINT64_C(1) << 63)
			assert(list_valid(in, 0, sum));
		assert(!list_valid(in, 0, sum + 1));
	} else {
		assert(!list_valid(in, 0, l.size));
	}
	for (unsigned level = 1; level <= LIST_LEVEL_MAX + 1; level++)
		if (list_valid(in, level, UINT64_C(1) << 40))
			assert(level <= LIST_LEVEL_MAX);
	return 0;
}
