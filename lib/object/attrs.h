// SPDX-License-Identifier: Apache-2.0
/* Extended attributes: spec/30-tree.md, Entry. */
#ifndef SKERRY_OBJECT_ATTRS_H
#define SKERRY_OBJECT_ATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "object/limits.h"

struct attrs_item {
	struct bytes name;  /* 1..255 bytes, no zero byte; borrowed */
	struct bytes value; /* borrowed */
};

struct attrs_iter {
	struct bytes left;
	struct bytes last; /* name before */
};

/* Borrows in. */
struct attrs_iter attrs_begin(struct bytes in);

/* 1 and *out; 0 at the end; FAULT_MALFORMED, also where names do not ascend. */
int attrs_next(struct attrs_iter *it, struct attrs_item *out) must_check;

/* Every item reads well; 1..XATTR_MAX bytes. */
bool attrs_valid(struct bytes in);

/* Sorts by name and appends all; FAULT_MALFORMED for a bad or doubled name,
 * FAULT_LIMIT past XATTR_MAX, FAULT_MEMORY. */
int attrs_encode(struct attrs_item *item, size_t n, struct buf *out) must_check;

#endif
