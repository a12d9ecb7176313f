// SPDX-License-Identifier: Apache-2.0
#include "object/place.h"

bool
place_valid(const struct place *p)
{
	/* [pack] */
	return p->length >= SEAL_OVERHEAD && p->length <= PACK_SIZE &&
	    p->offset <= PACK_SIZE - p->length;
}

void
place_read(struct rd *r, struct place *out)
{
	rd_copy(r, out->object, ID_LEN);
	out->offset = rd_u32(r);
	out->length = rd_u32(r);
	rd_require(r, place_valid(out));
}

void
place_write(struct wr *w, const struct place *p)
{
	wr_copy(w, p->object, ID_LEN);
	wr_u32(w, p->offset);
	wr_u32(w, p->length);
}
