// SPDX-License-Identifier: Apache-2.0
/* A place, a ref or a segment that is accepted is the only encoding of its
 * fields. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "object/ref.h"
#include "object/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ref(struct bytes in)
{
	uint8_t out[REF_LEN];
	struct ref r;

	if (ref_decode(in, &r) != 0)
		return;
	assert(place_valid(&r.place));
	ref_encode(&r, out);
	assert(in.n == REF_LEN && memcmp(out, in.p, REF_LEN) == 0);
}

static void
segment(struct bytes in)
{
	struct segment s defer(segment_wipe) = { 0 };
	struct segment again defer(segment_wipe) = { 0 };
	struct buf out defer(buf_wipe) = buf_init(COMMIT_MAX);
	struct rd r = rd_from(in.p, in.n);
	struct wr w = wr_to(&out);

	if (segment_read(&r, &s) != 0)
		return;
	segment_write(&w, &s);
	assert(wr_finish(&w) == 0);
	assert(out.n == segment_len(&s) && out.n == in.n - r.left);
	assert(memcmp(out.p, in.p, out.n) == 0);
	assert(segment_copy(&s, &again) == 0);
	assert(segment_len(&again) == out.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ref(bytes_of(data, size));
	segment(bytes_of(data, size));
	return 0;
}
