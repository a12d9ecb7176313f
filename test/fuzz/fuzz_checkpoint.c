// SPDX-License-Identifier: Apache-2.0
/* The text of a checkpoint has one form. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tlog/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again defer(buf_wipe) = buf_init(CHECKPOINT_TEXT_MAX);
	const struct bytes in = bytes_of(data, size);
	struct checkpoint c;
	int rc;

	if (checkpoint_parse(in, &c) == 0) {
		rc = checkpoint_format(&c, &again);
		assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	}
	return 0;
}
