// SPDX-License-Identifier: Apache-2.0
/* An entry of the log that is accepted is the only encoding of its fields, and
 * so is what is public of a request; any bytes are its text, or are refused. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/demand.h"
#include "tlog/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
request(struct bytes open)
{
	struct buf out defer(buf_wipe) = buf_init(DEMAND_PUBLIC_MAX);
	struct demand d;

	if (demand_read(open, &d) != 0)
		return;
	assert(demand_follows(0, d.state) == (d.state == DEMAND_ENTERED));
	assert(demand_write(&d, &out) == 0);
	assert(bytes_cmp(open, buf_bytes(&out)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out defer(buf_wipe) = buf_init(LEAF_MAX);
	static const struct leaf_key key = { { 1 } };
	struct bytes in = bytes_of(data, size);
	struct leaf l;

	if (demand_text_check(in) == 0)
		assert(memchr(data, 0, size) == NULL);
	if (leaf_decode(in, &l) != 0)
		return 0;
	assert(l.open.n <= LEAF_PUBLIC_MAX);
	assert(leaf_encode(&l, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
	if (l.type == LEAF_REQUEST)
		request(l.open);
	if (leaf_open(&l, &key, in) == 0)
		assert(leaf_is(&l, &key));
	return 0;
}
