// SPDX-License-Identifier: Apache-2.0
#include "tlog/tile.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "tlog/line.h"

#define GROUPS_MAX 7 /* of three digits in a u64 */

static size_t
put(char *out, size_t at, const char *text)
{
	size_t n = strlen(text);

	memcpy(out + at, text, n + 1);
	return at + n;
}

static size_t
put_index(char *out, size_t at, uint64_t index)
{
	unsigned group[GROUPS_MAX], n = 0;

	do
		group[n++] = (unsigned)(index % 1000);
	while ((index /= 1000) != 0);
	while (n-- > 0) {
		char t[6] = { n > 0 ? 'x' : '0',
			(char)('0' + group[n] / 100),
			(char)('0' + group[n] / 10 % 10),
			(char)('0' + group[n] % 10), n > 0 ? '/' : '\0', '\0' };

		at = put(out, at, n > 0 ? t : t + 1);
	}
	return at;
}

size_t
tile_path(const struct tile_id *id, char out[static TILE_PATH_MAX])
{
	char number[LINE_U64_MAX];
	size_t n = put(out, 0, "tile/");

	if (id->level == TILE_ENTRIES) {
		n = put(out, n, "entries");
	} else {
		(void)line_u64_format(id->level, number);
		n = put(out, n, number);
	}
	n = put(out, n, "/");
	n = put_index(out, n, id->index);
	if (id->width != TILE_WIDTH) {
		(void)line_u64_format(id->width, number);
		n = put(out, n, ".p/");
		n = put(out, n, number);
	}
	return n;
}

/* Reads up to the slash. */
static struct bytes
part(struct bytes *left)
{
	size_t n = 0;

	while (n < left->n && left->p[n] != '/')
		n++;
	*left = bytes_of(left->p + n, left->n - n);
	return bytes_of(left->p - n, n);
}

static int
parse_index(struct bytes *left, uint64_t *out)
{
	uint64_t v = 0;
	bool more = true;

	for (unsigned g = 0; more; g++) {
		more = left->n > 0 && left->p[0] == 'x';
		if (g == GROUPS_MAX || left->n < (more ? 5u : 3u) ||
		    (more && left->p[4] != '/'))
			return FAULT_MALFORMED;
		for (size_t i = more; i < 3u + more; i++) {
			if (left->p[i] < '0' || left->p[i] > '9' ||
			    __builtin_mul_overflow(v, 10, &v) ||
			    __builtin_add_overflow(v,
			        left->p[i] - (uint64_t)'0', &v))
				return FAULT_MALFORMED;
		}
		left->p += more ? 5 : 3;
		left->n -= more ? 5 : 3;
	}
	*out = v;
	return 0;
}

int
tile_path_parse(struct bytes path, struct tile_id *out)
{
	struct tile_id id = { .width = TILE_WIDTH };
	char again[TILE_PATH_MAX];
	struct bytes left = path, level;
	uint64_t v = TILE_ENTRIES;

	if (path.n >= TILE_PATH_MAX || !line_skip(&left, "tile/"))
		return FAULT_MALFORMED;
	level = part(&left);
	if (!line_is(level, "entries") &&
	    (line_u64(level, &v) != 0 || v >= TILE_ENTRIES))
		return FAULT_MALFORMED;
	id.level = (unsigned)v;
	if (!line_skip(&left, "/") || parse_index(&left, &id.index) != 0)
		return FAULT_MALFORMED;
	if (line_skip(&left, ".p/")) {
		if (line_u64(left, &v) != 0 || v == 0 || v >= TILE_WIDTH)
			return FAULT_MALFORMED;
		id.width = (unsigned)v;
		left.n = 0;
	}
	/* Leading groups of zeros would be a second name. */
	if (left.n != 0 || tile_path(&id, again) != path.n ||
	    memcmp(again, path.p, path.n) != 0)
		return FAULT_MALFORMED;
	*out = id;
	return 0;
}

unsigned
tile_width(unsigned level, uint64_t index, uint64_t size)
{
	unsigned shift = level == TILE_ENTRIES ? 0 : level * TILE_HEIGHT;
	uint64_t hashes = shift > 63 ? 0 : size >> shift;

	if (index < hashes / TILE_WIDTH)
		return TILE_WIDTH;
	return index > hashes / TILE_WIDTH ? 0 :
	    (unsigned)(hashes % TILE_WIDTH);
}

int
tile_parse(struct bytes data, unsigned width,
    struct merkle_hash out[static TILE_WIDTH])
{
	if (width == 0 || width > TILE_WIDTH || data.n != width * MERKLE_LEN)
		return FAULT_MALFORMED;
	memcpy(out, data.p, data.n);
	return 0;
}

int
tile_entries(struct bytes data, unsigned width,
    struct bytes out[static TILE_WIDTH])
{
	struct bytes entry[TILE_WIDTH];
	struct rd r = rd_from(data.p, data.n);

	if (width == 0 || width > TILE_WIDTH)
		return FAULT_MALFORMED;
	for (unsigned i = 0; i < width; i++)
		entry[i] = rd_take(&r, rd_u16(&r));
	if (rd_finish(&r) != 0)
		return FAULT_MALFORMED;
	memcpy(out, entry, width * sizeof(*entry));
	return 0;
}

int
tile_entry_add(struct buf *bundle, struct bytes entry)
{
	struct wr w = wr_to(bundle);
	size_t n = bundle->n;

	if (entry.n > TILE_ENTRY_MAX)
		return FAULT_LIMIT;
	wr_u16(&w, (uint16_t)entry.n);
	wr_copy(&w, entry.p, entry.n);
	if (wr_finish(&w) != 0)
		bundle->n = n;
	return wr_finish(&w);
}

void
tile_fold(const struct merkle_hash *hash, unsigned height,
    struct merkle_hash *out)
{
	struct merkle_hash row[TILE_WIDTH / 2];

	if (height == 0) {
		*out = hash[0];
		return;
	}
	for (size_t i = 0; i < (size_t)1 << (height - 1); i++)
		merkle_node(&hash[2 * i], &hash[2 * i + 1], &row[i]);
	for (unsigned h = height - 1; h > 0; h--)
		for (size_t i = 0; i < (size_t)1 << (h - 1); i++)
			merkle_node(&row[2 * i], &row[2 * i + 1], &row[i]);
	*out = row[0];
}

void
tile_tree_init(struct tile_tree *t, struct tile_source source, uint64_t size)
{
	t->source = source;
	t->size = size;
	for (unsigned i = 0; i < TILE_LEVELS; i++)
		t->kept[i][0].have = t->kept[i][1].have = false;
}

/* The nodes of one height are in a row; the rows follow each other. */
static struct merkle_hash *
row(struct tile_nodes *n, unsigned height)
{
	return &n->node[2 * TILE_WIDTH - (2 * TILE_WIDTH >> height)];
}

static int
fill(struct tile_tree *t, const struct tile_id *id, struct tile_nodes *n)
{
	int rc;

	n->have = false;
	rc = t->source.get(t->source.ctx, id, n->node);
	if (rc != 0)
		return rc;
	for (unsigned h = 1; h < TILE_HEIGHT; h++) {
		const struct merkle_hash *below = row(n, h - 1);

		for (size_t i = 0; i < id->width >> h; i++)
			merkle_node(&below[2 * i], &below[2 * i + 1],
			    &row(n, h)[i]);
	}
	n->have = true;
	n->index = id->index;
	return 0;
}

static int
tree_get(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out)
{
	struct tile_tree *t = ctx;
	struct tile_id id = { .level = level / TILE_HEIGHT };
	unsigned height = level % TILE_HEIGHT;
	uint64_t first = index << height;
	struct tile_nodes *n;
	int rc;

	id.index = first / TILE_WIDTH;
	id.width = tile_width(id.level, id.index, t->size);
	if (id.level >= TILE_LEVELS ||
	    first % TILE_WIDTH + ((uint64_t)1 << height) > id.width)
		return FAULT_INTERNAL;
	n = &t->kept[id.level][id.width == TILE_WIDTH];
	if (!n->have || n->index != id.index) {
		rc = fill(t, &id, n);
		if (rc != 0)
			return rc;
	}
	*out = row(n, height)[first % TILE_WIDTH >> height];
	return 0;
}

struct merkle_source
tile_tree_source(struct tile_tree *t)
{
	return (struct merkle_source){ .get = tree_get, .ctx = t };
}
