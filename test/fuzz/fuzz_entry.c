// SPDX-License-Identifier: Apache-2.0
/* An entry that is accepted is the only encoding of its fields; so is a key's
 * path, and a list of attributes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "object/attrs.h"
#include "object/entry.h"
#include "object/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
entry(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	struct tree_entry e;

	if (entry_decode(in, &e) != 0)
		return;
	assert(entry_encode(&e, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

static void
key(struct bytes in)
{
	struct buf path defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct buf out defer(buf_wipe) = buf_init(KEY_BYTES_MAX);

	if (!key_valid(in))
		return;
	assert(key_to_path(in, &path) == 0);
	assert(key_from_path(buf_bytes(&path), &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
	assert(key_within(in, key_parent(in)));
}

static void
attrs(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(XATTR_MAX);
	struct attrs_iter it = attrs_begin(in);
	struct attrs_item item;
	int rc = 0;

	if (!attrs_valid(in))
		return;
	while ((rc = attrs_next(&it, &item)) == 1)
		assert(attrs_encode(&item, 1, &out) == 0);
	assert(rc == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	entry(in);
	key(in);
	attrs(in);
	return 0;
}
