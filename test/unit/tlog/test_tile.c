// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "tlog/tile.h"

static const struct {
	struct tile_id id;
	const char *path;
} names[] = {
	{ { 0, 0, 256 }, "tile/0/000" },
	{ { 0, 273, 112 }, "tile/0/273.p/112" },
	{ { 1, 1, 17 }, "tile/1/001.p/17" },
	{ { 2, 0, 1 }, "tile/2/000.p/1" },
	{ { 63, 999, 255 }, "tile/63/999.p/255" },
	{ { 0, 1000, 256 }, "tile/0/x001/000" },
	{ { 0, 1234067, 256 }, "tile/0/x001/x234/067" },
	{ { TILE_ENTRIES, 1234067, 5 }, "tile/entries/x001/x234/067.p/5" },
	{ { TILE_ENTRIES, 0, 256 }, "tile/entries/000" },
	{ { 0, UINT64_MAX, 1 },
	    "tile/0/x018/x446/x744/x073/x709/x551/615.p/1" },
};

static void
names_are_those_of_the_specification(void **state)
{
	char path[TILE_PATH_MAX];
	struct tile_id id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(tile_path(&names[i].id, path),
		    strlen(names[i].path));
		assert_string_equal(path, names[i].path);
		assert_int_equal(tile_path_parse(bytes_of(path, strlen(path)),
		    &id), 0);
		assert_int_equal(id.level, names[i].id.level);
		assert_true(id.index == names[i].id.index);
		assert_int_equal(id.width, names[i].id.width);
	}
}

static void
refuses_other_names(void **state)
{
	static const char *const bad[] = { "", "tile", "tile/", "tile/0",
		"tile/0/", "tile/0/0", "tile/0/0000", "tile/00/000",
		"tile/64/000", "tile/-1/000", "tile/0/x000/000",
		"tile/0/x001/", "tile/0/x001", "tile/0/001/000",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
		"tile/0/000.p/", "tile/0/000.p", "tile/0/000/", "/tile/0/000",
		"tile/entry/000", "tile/0/../000", "tile/0/x01/000",
		"tile/0/x018/x446/x744/x073/x709/x551/616",
		"tile/0/x001/x001/x001/x001/x001/x001/x001/000" };
	struct tile_id id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t *p = cm_exact(bad[i], strlen(bad[i]));

		assert_int_equal(tile_path_parse(bytes_of(p, strlen(bad[i])),
		    &id), FAULT_MALFORMED);
		free(p);
	}
}

static void
widths_of_70000_leaves(void **state)
{
	const uint64_t n = 70000;

	(void)state;
	assert_int_equal(tile_width(0, 272, n), 256);
	assert_int_equal(tile_width(0, 273, n), 112);
	assert_int_equal(tile_width(0, 274, n), 0);
	assert_int_equal(tile_width(TILE_ENTRIES, 273, n), 112);
	assert_int_equal(tile_width(1, 0, n), 256);
	assert_int_equal(tile_width(1, 1, n), 17);
	assert_int_equal(tile_width(1, 2, n), 0);
	assert_int_equal(tile_width(2, 0, n), 1);
	assert_int_equal(tile_width(3, 0, n), 0);
	assert_int_equal(tile_width(0, 0, 256), 256);
	assert_int_equal(tile_width(0, 1, 256), 0);
	assert_int_equal(tile_width(1, 0, 256), 1);
	assert_int_equal(tile_width(0, 0, 0), 0);
	assert_int_equal(tile_width(63, 0, UINT64_MAX), 0);
}

static void
bundles_round_trip_and_are_exact(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(200000);
	static uint8_t big[TILE_ENTRY_MAX + 1];
	struct bytes e[TILE_WIDTH];

	(void)state;
	assert_int_equal(tile_entry_add(&b, bytes_of("", 0)), 0);
	assert_int_equal(tile_entry_add(&b, bytes_of("abc", 3)), 0);
	assert_int_equal(tile_entry_add(&b, bytes_of(big, TILE_ENTRY_MAX)), 0);
	assert_int_equal(tile_entry_add(&b, bytes_of(big, sizeof(big))),
	    FAULT_LIMIT);
	assert_int_equal(tile_entries(buf_bytes(&b), 3, e), 0);
	assert_int_equal(e[0].n, 0);
	assert_int_equal(e[1].n, 3);
	assert_memory_equal(e[1].p, "abc", 3);
	assert_int_equal(e[2].n, TILE_ENTRY_MAX);
	assert_int_equal(tile_entries(buf_bytes(&b), 2, e), FAULT_MALFORMED);
	assert_int_equal(tile_entries(buf_bytes(&b), 4, e), FAULT_MALFORMED);
	assert_int_equal(tile_entries(bytes_of(b.p, b.n - 1), 3, e),
	    FAULT_MALFORMED);
	assert_int_equal(tile_entries(buf_bytes(&b), 0, e), FAULT_MALFORMED);
}

/* A tree whose tiles are computed when they are asked for. */
static int
get(void *ctx, const struct tile_id *id,
    struct merkle_hash out[static TILE_WIDTH])
{
	const struct merkle_hash *leaf = ctx;

	for (unsigned i = 0; i < id->width; i++) {
		uint64_t at = id->index * TILE_WIDTH + i;

		if (id->level == 0)
			out[i] = leaf[at];
		else
			tile_fold(&leaf[at * TILE_WIDTH], TILE_HEIGHT,
			    &out[i]);
	}
	return 0;
}

static void
proofs_from_tiles(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 255, 256, 257, 511, 512, 700,
		1024, 4321 };
	static struct merkle_hash leaf[4321];
	static struct tile_tree tree;
	struct merkle_edge edge = { .size = 0 }, loaded;
	struct merkle_hash root[ARRAY_LEN(sizes)], h;
	struct merkle_proof p;

	(void)state;
	for (uint64_t i = 0, k = 0; i < ARRAY_LEN(leaf); i++) {
		merkle_leaf(bytes_of(&i, sizeof(i)), &leaf[i]);
		assert_int_equal(merkle_append(&edge, &leaf[i]), 0);
		if (i + 1 == sizes[k])
			merkle_root(&edge, &root[k++]);
	}
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		const struct tile_source s = { .get = get, .ctx = leaf };
		struct merkle_source m = tile_tree_source(&tree);

		tile_tree_init(&tree, s, sizes[k]);
		assert_int_equal(merkle_edge_load(&m, sizes[k], &loaded), 0);
		merkle_root(&loaded, &h);
		assert_memory_equal(&h, &root[k], sizeof(h));
		for (uint64_t i = 0; i < sizes[k]; i += 37) {
			assert_int_equal(merkle_prove_inclusion(&m, i,
			    sizes[k], &p), 0);
			assert_int_equal(merkle_check_inclusion(&p, i,
			    sizes[k], &leaf[i], &root[k]), 0);
		}
		for (size_t j = 0; j <= k; j++) {
			assert_int_equal(merkle_prove_consistency(&m, sizes[j],
			    sizes[k], &p), 0);
			assert_int_equal(merkle_check_consistency(&p, sizes[j],
			    sizes[k], &root[j], &root[k]), 0);
		}
	}
}

static int
count(void *ctx, const struct tile_id *id,
    struct merkle_hash out[static TILE_WIDTH])
{
	unsigned *n = ctx;

	(*n)++;
	memset(out, 0, id->width * sizeof(*out));
	return 0;
}

static void
proofs_in_a_row_read_each_tile_once(void **state)
{
	static struct tile_tree tree;
	const struct merkle_source m = tile_tree_source(&tree);
	const uint64_t size = 70000;
	struct merkle_proof p;
	unsigned n = 0;

	(void)state;
	tile_tree_init(&tree, (struct tile_source){ .get = count, .ctx = &n },
	    size);
	for (uint64_t i = size - 1000; i < size; i++)
		assert_int_equal(merkle_prove_inclusion(&m, i, size, &p), 0);
	/* Of level 0 the partial one and four full ones, both of level 1, one
	 * of level 2. */
	assert_true(n <= 8);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(names_are_those_of_the_specification),
		cmocka_unit_test(refuses_other_names),
		cmocka_unit_test(widths_of_70000_leaves),
		cmocka_unit_test(bundles_round_trip_and_are_exact),
		cmocka_unit_test(proofs_from_tiles),
		cmocka_unit_test(proofs_in_a_row_read_each_tile_once),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
