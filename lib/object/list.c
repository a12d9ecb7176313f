// SPDX-License-Identifier: Apache-2.0
#include "object/list.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"

enum {
	DATA = 0,
	HOLE = 1,
};

#define SIZE_LIMIT ((uint64_t)INT64_MAX) /* of a file */

struct list_iter
list_begin(struct bytes list, unsigned level)
{
	return (struct list_iter){ .left = list, .data_only = level != 0 };
}

int
list_next(struct list_iter *it, struct list_item *out)
{
	struct rd r = rd_from(it->left.p, it->left.n);
	uint8_t type;

	if (it->left.n == 0)
		return 0;
	type = rd_u8(&r);
	out->hole = type == HOLE;
	if (type == DATA) {
		rd_copy(&r, out->id, CHUNK_ID_LEN);
		out->length = rd_u32(&r);
		rd_require(&r, out->length <= CHUNK_MAX);
	} else {
		/* [tree]: two holes never follow each other */
		rd_require(&r, type == HOLE && !it->data_only &&
			!it->was_hole);
		out->length = rd_u64(&r);
	}
	rd_require(&r, out->length >= 1);
	if (r.failed)
		return FAULT_MALFORMED;
	it->was_hole = out->hole;
	it->left = bytes_of(r.p, r.left);
	return 1;
}

bool
list_valid(struct bytes list, unsigned level, uint64_t size)
{
	struct list_iter it = list_begin(list, level);
	struct list_item item;
	uint64_t sum = 0;
	int rc;

	if (level > LIST_LEVEL_MAX || size > SIZE_LIMIT)
		return false;
	while ((rc = list_next(&it, &item)) == 1) {
		if (item.length > SIZE_LIMIT - sum)
			return false;
		sum += item.length;
		if (level != 0 && it.left.n != 0 && item.length != CHUNK_MAX)
			return false;
	}
	if (rc != 0)
		return false;
	return level == 0 ? sum == size : sum > INLINE_MAX && size != 0;
}

struct list_builder
list_build(size_t max)
{
	return (struct list_builder){ .b = buf_init(max) };
}

void
list_builder_wipe(struct list_builder *l)
{
	buf_wipe(&l->b);
	l->size = 0;
	l->hole = 0;
}

static int
write_hole(struct list_builder *l)
{
	struct wr w = wr_to(&l->b);
	int rc;

	if (l->hole == 0)
		return 0;
	rc = buf_reserve(&l->b, 9);
	if (rc != 0)
		return rc;
	wr_u8(&w, HOLE);
	wr_u64(&w, l->hole);
	l->hole = 0;
	return wr_finish(&w);
}

int
list_add_data(struct list_builder *l, const uint8_t id[static CHUNK_ID_LEN],
    uint32_t length)
{
	struct wr w = wr_to(&l->b);
	int rc;

	if (length == 0 || length > CHUNK_MAX || length > SIZE_LIMIT - l->size)
		return FAULT_LIMIT;
	rc = write_hole(l);
	if (rc == 0)
		rc = buf_reserve(&l->b, 37);
	if (rc != 0)
		return rc;
	wr_u8(&w, DATA);
	wr_copy(&w, id, CHUNK_ID_LEN);
	wr_u32(&w, length);
	l->size += length;
	return wr_finish(&w);
}

int
list_add_hole(struct list_builder *l, uint64_t length)
{
	if (length > SIZE_LIMIT - l->size)
		return FAULT_LIMIT;
	l->size += length;
	l->hole += length;
	return 0;
}

int
list_finish(struct list_builder *l, struct bytes *out)
{
	int rc = write_hole(l);

	if (rc == 0)
		*out = buf_bytes(&l->b);
	return rc;
}
