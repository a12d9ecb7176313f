// SPDX-License-Identifier: Apache-2.0
/*
 * K-way merge of sorted sources of index entries, newest source first: of
 * equal ids the first source's entry stays (spec/20-pack.md, Merging).  A
 * segment's total must be known before its first block is sealed, so a writer
 * runs the merge twice (merge_count, then the writing pass over sources that
 * were begun anew), or takes it into an array.
 */
#ifndef SKERRY_OBJECT_MERGE_H
#define SKERRY_OBJECT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "object/index.h"
#include "object/seal.h"
#include "object/segment.h"

/* next: 1 and *out, 0 at the end, or a FAULT_*; ids strictly ascending. */
struct merge_source {
	int (*next)(void *arg, struct index_entry *out);
	void *arg;
};

#define MERGE_SOURCES_MAX (SEGMENTS_MAX + 1u)

struct merge {
	size_t n;
	struct merge_source src[MERGE_SOURCES_MAX];
	bool have[MERGE_SOURCES_MAX];
	struct index_entry head[MERGE_SOURCES_MAX];
};

/* Reads the first entry of each source.  FAULT_LIMIT for n above
 * MERGE_SOURCES_MAX; a source's fault. */
int merge_init(struct merge *m, const struct merge_source *src,
    size_t n) must_check;

/* As merge_source.next; m is a struct merge.  FAULT_MALFORMED where a source
 * does not ascend. */
int merge_next(void *m, struct index_entry *out) must_check;

/* Runs m to its end and sets *out to the number of entries. */
int merge_count(struct merge *m, uint64_t *out) must_check;

/* A source over an array, sorted by index_sort. */
struct merge_array {
	const struct index_entry *e; /* borrowed */
	size_t n;                    /* left */
};
int merge_array_next(void *arg, struct index_entry *out) must_check;

/* Where the blocks of segments come from.  load sets *out to the sealed block
 * (place from segment_block_place), which stays valid until the next load.
 * again: what it gave last was not this block, so that a copy of it is bad.
 * pass, unless NULL: whether to go on behind a block that could not be read. */
struct merge_blocks {
	struct seal *seal; /* borrowed */
	int (*load)(void *arg, const struct place *place, bool again,
	    struct bytes *out);
	bool (*pass)(void *arg, const struct segment *segment, uint32_t block,
	    int why);
	void *arg;
};

/* A source over the blocks of a segment. */
struct merge_segment {
	struct merge_blocks from;
	const struct segment *segment;  /* borrowed */
	uint32_t block;                 /* next to load */
	size_t at, n;                   /* in plain */
	uint8_t plain[INDEX_BLOCK_LEN]; /* the open block */
};

/* Sets m[i] to the begin of segment[i], and src[i] to m[i], for all n. */
void merge_segments(const struct merge_blocks *from,
    const struct segment *segment, size_t n, struct merge_segment *m,
    struct merge_source *src);

/* Also checks each block's fence and the order across blocks. */
int merge_segment_next(void *arg, struct index_entry *out) must_check;

#endif
