// SPDX-License-Identifier: Apache-2.0
/* Names of tiles, hashes, bundles of entries: one form for each. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
name(struct bytes in)
{
	char again[TILE_PATH_MAX];
	struct tile_id id;

	if (tile_path_parse(in, &id) != 0)
		return;
	assert(id.width >= 1 && id.width <= TILE_WIDTH);
	assert(tile_path(&id, again) == in.n);
	assert(memcmp(again, in.p, in.n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct merkle_hash hash[TILE_WIDTH];
	static struct bytes entry[TILE_WIDTH];
	struct buf out defer(buf_wipe) = buf_init(1u << 25);
	struct bytes in;
	unsigned width;

	name(bytes_of(data, size));
	if (size == 0)
		return 0;
	width = data[0] + 1u;
	in = bytes_of(data + 1, size - 1);
	if (tile_parse(in, width, hash) == 0)
		assert(in.n == width * sizeof(*hash));
	if (tile_entries(in, width, entry) != 0)
		return 0;
	for (unsigned i = 0; i < width; i++)
		assert(tile_entry_add(&out, entry[i]) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
	return 0;
}
