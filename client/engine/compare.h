// SPDX-License-Identifier: Apache-2.0
/* What differs between two trees.  Nodes that both have are passed, mostly
 * without being loaded: it costs what changed, not what is there. */
#ifndef SKERRY_CLIENT_ENGINE_COMPARE_H
#define SKERRY_CLIENT_ENGINE_COMPARE_H

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/reader.h"
#include "object/commit.h"
#include "object/cursor.h"
#include "object/entry.h"

enum compare_kind {
	COMPARE_ADDED,
	COMPARE_REMOVED,
	COMPARE_TYPE,
	COMPARE_CONTENT,
	COMPARE_METADATA, /* and nothing else */
	COMPARE_KINDS
};

/* What became of an entry that differs; one of both may be NULL. */
enum compare_kind compare_entries(const struct tree_entry *was,
    const struct tree_entry *is);

/*
 * Told of each key whose entry is another, in key order.  The cursors stand
 * before it; was is NULL where it is new, is where it is no more.  The first
 * nonzero result ends it.
 */
struct compare_sink {
	int (*each)(void *arg, struct bytes key, struct cursor *was,
	    struct cursor *is);
	void *arg;
};

/* Of base (empty: the root) and all below.  What each returned; a cursor's
 * fault. */
int compare_trees(struct cursor *was, struct cursor *is, struct bytes base,
    const struct compare_sink *sink) must_check;

/* The same for the trees of two commits; was NULL: the empty tree.
 * FAULT_INTERRUPTED. */
int compare_commits(struct reader *r, const struct commit *was,
    const struct commit *is, struct bytes base,
    const struct compare_sink *sink, struct fault *f) must_check;

#endif
