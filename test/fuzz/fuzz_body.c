// SPDX-License-Identifier: Apache-2.0
/* The body of a release's entry, as its owner gets it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "tlog/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out defer(buf_wipe) = buf_init(1u << 12);
	const struct bytes in = bytes_of(data, size);
	struct body_release b;

	if (body_release_read(in, &b) != 0)
		return 0;
	assert(body_release_write(&b, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
	return 0;
}
