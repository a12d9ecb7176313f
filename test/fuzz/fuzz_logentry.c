// SPDX-License-Identifier: Apache-2.0
/* A log entry has one form. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tlog/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again defer(buf_wipe) = buf_init(LEAF_MAX);
	const struct bytes in = bytes_of(data, size);
	struct leaf l;
	int rc;

	if (leaf_decode(in, &l) == 0) {
		rc = leaf_encode(&l, &again);
		assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	}
	return 0;
}
