// SPDX-License-Identifier: Apache-2.0
/*
 * The static files of a log (c2sp.org/tlog-tiles): their names, and a tree read
 * through them.  A tile is not to be believed: what is made from it is checked
 * against a root that is signed.  spec/60-log.md, Files.
 */
#ifndef SKERRY_TLOG_TILE_H
#define SKERRY_TLOG_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "tlog/merkle.h"

#define TILE_HEIGHT 8
#define TILE_WIDTH 256
#define TILE_LEVELS 8      /* of a tree of at most MERKLE_SIZE_MAX leaves */
#define TILE_ENTRIES 64    /* "level" of an entry bundle */
#define TILE_PATH_MAX 64   /* with the NUL */
#define TILE_ENTRY_MAX 65535

struct tile_id {
	unsigned level; /* 0 .. 63, or TILE_ENTRIES */
	uint64_t index;
	unsigned width; /* 1 .. TILE_WIDTH */
};

/* "tile/0/x001/067.p/5" and a NUL; returns its length. */
size_t tile_path(const struct tile_id *id, char out[static TILE_PATH_MAX]);

/* The only name of a tile, as tile_path makes it.  FAULT_MALFORMED. */
int tile_path_parse(struct bytes path, struct tile_id *out) must_check;

/* Width of that tile in a tree of size leaves: 0 (there is none) to 256. */
unsigned tile_width(unsigned level, uint64_t index, uint64_t size);

/* Hashes of a tile's bytes, which must be exactly width of them.
 * FAULT_MALFORMED. */
int tile_parse(struct bytes data, unsigned width,
    struct merkle_hash out[static TILE_WIDTH]) must_check;

/* Borrows the entries of a bundle, exactly width of them.  FAULT_MALFORMED. */
int tile_entries(struct bytes data, unsigned width,
    struct bytes out[static TILE_WIDTH]) must_check;

/* Appends an entry to a bundle.  FAULT_LIMIT, FAULT_MEMORY. */
int tile_entry_add(struct buf *bundle, struct bytes entry) must_check;

/* The root of the perfect subtree over hash[0..2^height). */
void tile_fold(const struct merkle_hash *hash, unsigned height,
    struct merkle_hash *out);

/* Where tiles come from; id->width is that of the tree's size.  The errors of
 * get are passed on. */
struct tile_source {
	int (*get)(void *ctx, const struct tile_id *id,
	    struct merkle_hash out[static TILE_WIDTH]);
	void *ctx;
};

/* A tree of size leaves read through its tiles.  Of each level it keeps the
 * tile at the right edge, which every proof wants, and the last other one, with
 * all nodes below their roots: many proofs for leaves in a row cost hardly more
 * than one.  About 256 KiB. */
struct tile_tree {
	struct tile_source source;
	uint64_t size;
	struct tile_nodes {
		bool have;
		uint64_t index;
		struct merkle_hash node[2 * TILE_WIDTH];
	} kept[TILE_LEVELS][2];
};

void tile_tree_init(struct tile_tree *t, struct tile_source source,
    uint64_t size);

/* For the provers of merkle.h; borrows t. */
struct merkle_source tile_tree_source(struct tile_tree *t);

#endif
