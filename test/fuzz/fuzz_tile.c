// SPDX-License-Identifier: Apache-2.0
/* The name of a tile has one form; a bundle is all of its entries. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again defer(buf_wipe) = buf_init(1 << 24);
	const struct bytes in = bytes_of(data, size);
	static struct bytes entry[TILE_WIDTH];
	char path[TILE_PATH_MAX];
	struct tile_id id;
	unsigned width;
	int rc;

	if (tile_path_parse(in, &id) == 0)
		assert(tile_path(&id, path) == size &&
		    memcmp(path, data, size) == 0);
	if (size == 0)
		return 0;
	width = data[0] + 1u;
	if (tile_entries(bytes_of(data + 1, size - 1), width, entry) != 0)
		return 0;
	for (unsigned i = 0; i < width; i++) {
		rc = tile_entry_add(&again, entry[i]);
		assert(rc == 0);
	}
	assert(again.n == size - 1 && memcmp(again.p, data + 1, again.n) == 0);
	return 0;
}
