// SPDX-License-Identifier: Apache-2.0
/*
 * The new tree in the making: a queue of what comes next in key order, which is
 * taken from the front into the builder as soon as its chunks are known.
 * All of it belongs to one thread.
 */
#ifndef SKERRY_CLIENT_ENGINE_RECORD_H
#define SKERRY_CLIENT_ENGINE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/statcache.h"
#include "client/engine/stow.h"
#include "object/builder.h"
#include "object/cursor.h"
#include "object/entry.h"
#include "object/list.h"

enum record_kind {
	RECORD_RUN,   /* the old tree's entries from key up to until */
	RECORD_NOTE,  /* nothing for the tree; a line for the stat cache */
	RECORD_ENTRY, /* a new entry */
};

struct record {
	struct record *next;
	enum record_kind kind;
	struct buf key;
	struct buf until;        /* RECORD_RUN: exclusive; empty: to the end */
	struct tree_entry entry; /* RECORD_ENTRY: all but what is below */
	struct buf attrs;        /* encoded; of any length */
	struct buf target;
	struct list_builder list;
	bool waiting; /* its last piece is not back yet */
	bool discard; /* it is passed over */
	bool note;    /* goes to the stat cache */
	uint64_t stat_fp, entry_fp;
};

struct records {
	struct record *first, *last, *spare;
	size_t n;

	struct stow *stow;       /* borrowed */
	struct builder *builder; /* owned */
	struct cursor *old;      /* owned; the tree that runs come from */
	bool differs;            /* an entry was added that it has otherwise */

	/* Entries that came out as the old tree has them, up to the next key
	 * of that: they wait, to be copied by whole nodes. */
	bool same;
	struct buf same_from, same_until; /* as of a run */
	struct statcache *stats; /* borrowed; may change between sources */
};

/* Begins on top of old (NULL: the empty tree). */
int records_init(struct records *q, struct stow *stow,
    const struct dedup_key *dedup, const struct ref *old,
    struct fault *f) must_check;
void records_wipe(struct records *q);

/* Appends an empty record of a key. */
int records_push(struct records *q, enum record_kind kind, struct bytes key,
    struct record **out, struct fault *f) must_check;

/* Appends a run. */
int records_push_run(struct records *q, struct bytes from, struct bytes until,
    struct fault *f) must_check;

/* Takes from the front all that is complete.  What differs from the old tree
 * is known afterwards. */
int records_drain(struct records *q, struct fault *f) must_check;

/* The finished tree; the queue must be empty. */
int records_finish(struct records *q, struct builder_tree *out,
    struct fault *f) must_check;

#endif
