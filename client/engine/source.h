// SPDX-License-Identifier: Apache-2.0
/* Turns what lies on the device into records: metadata, content by slabs. */
#ifndef SKERRY_CLIENT_ENGINE_SOURCE_H
#define SKERRY_CLIENT_ENGINE_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/pool.h"
#include "client/engine/record.h"
#include "client/engine/walk.h"
#include "client/progress.h"
#include "object/chunker.h"

struct source {
	struct pool *pool;       /* borrowed, as all here */
	struct records *records;
	struct chunker *chunker;
	struct progress *progress;
	const atomic_bool *stop;
	uint8_t link_key[16];    /* SipHash key of link ids */
};

/* What an entry has of a file's state: all but link, and what its type has of
 * its own besides a device's numbers. */
void source_meta(const struct stat *st, struct tree_entry *out);

/* Derives link_key.  FAULT_INTERNAL. */
int source_init(struct source *s, const struct dedup_key *dedup) must_check;

/*
 * Appends the record of one item, and hands a file's content to the pool.
 * FAULT_PARTIAL: this item could not be read, and f says why; nothing was
 * appended for it, or what was is discarded; a folder is there without its
 * attributes.  *unsteady: the file went on changing while it was read; what was
 * read is stored.  Other faults end the put.
 */
int source_add(struct source *s, const struct walk_item *item,
    uint64_t stat_fp, bool *unsteady, struct fault *f) must_check;

/* pool_done.done, with arg = struct source: gives ids to records. */
int source_done(void *arg, const struct slab *slab) must_check;

#endif
