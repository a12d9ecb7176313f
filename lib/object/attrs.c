// SPDX-License-Identifier: Apache-2.0
#include "object/attrs.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"

static bool
name_valid(struct bytes name)
{
	/* [tree] */
	return name.n >= 1 && name.n <= 255 &&
	    memchr(name.p, 0, name.n) == NULL;
}

struct attrs_iter
attrs_begin(struct bytes in)
{
	return (struct attrs_iter){ .left = in };
}

int
attrs_next(struct attrs_iter *it, struct attrs_item *out)
{
	struct rd r = rd_from(it->left.p, it->left.n);
	struct attrs_item item;

	if (it->left.n == 0)
		return 0;
	item.name = rd_take(&r, rd_u8(&r));
	item.value = rd_take(&r, rd_u32(&r));
	if (r.failed || !name_valid(item.name) ||
	    (it->last.n != 0 && bytes_cmp(it->last, item.name) >= 0))
		return FAULT_MALFORMED;
	it->last = item.name;
	it->left = bytes_of(r.p, r.left);
	*out = item;
	return 1;
}

bool
attrs_valid(struct bytes in)
{
	struct attrs_iter it = attrs_begin(in);
	struct attrs_item item;
	int rc;

	if (in.n == 0 || in.n > XATTR_MAX)
		return false;
	while ((rc = attrs_next(&it, &item)) == 1)
		continue;
	return rc == 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct attrs_item *x = a, *y = b;

	return bytes_cmp(x->name, y->name);
}

int
attrs_encode(struct attrs_item *item, size_t n, struct buf *out)
{
	struct wr w = wr_to(out);
	size_t total = 0;

	if (n != 0)
		qsort(item, n, sizeof(*item), by_name);
	for (size_t i = 0; i < n; i++) {
		if (!name_valid(item[i].name) ||
		    (i != 0 && by_name(&item[i - 1], &item[i]) == 0))
			return FAULT_MALFORMED;
		if (item[i].value.n > XATTR_MAX)
			return FAULT_LIMIT;
		total += 1 + item[i].name.n + 4 + item[i].value.n;
		if (total > XATTR_MAX)
			return FAULT_LIMIT;
	}
	for (size_t i = 0; i < n; i++) {
		wr_u8(&w, (uint8_t)item[i].name.n);
		wr_copy(&w, item[i].name.p, item[i].name.n);
		wr_u32(&w, (uint32_t)item[i].value.n);
		wr_copy(&w, item[i].value.p, item[i].value.n);
	}
	return wr_finish(&w);
}
