// SPDX-License-Identifier: Apache-2.0
/* A tree with keys taken out, whose changed nodes are in memory alone: it is
 * there to be sealed anew. */
#ifndef SKERRY_CLIENT_ENGINE_DRAFT_H
#define SKERRY_CLIENT_ENGINE_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/idmap.h"
#include "client/engine/reader.h"
#include "object/builder.h"

struct draft {
	struct reader *reader;   /* borrowed */
	struct node_source nodes; /* the reader's */
	struct idmap made;       /* treehash: struct buf */
};

void draft_init(struct draft *d, struct reader *r);
void draft_wipe(struct draft *d);

/* Takes keys (sorted, none within another) and all below them out of tree,
 * which stays as it is where it has none of them. */
int draft_without(struct draft *d, const struct dedup_key *dedup,
    const struct bytes *key, size_t n, struct builder_tree *tree,
    struct fault *f) must_check;

/* What does not go into a draft. */
struct draft_out {
	const struct bytes *key; /* these and all below; as above */
	size_t n;
	/* Told of each entry at or below them. */
	int (*taken)(void *arg, const struct tree_entry *e, struct fault *f);
	/* Told of what is lost: as struct reseal. */
	void (*lost)(void *arg, struct bytes key, uint64_t entries,
	    const struct fault *why);
	void *arg;

	uint64_t entries; /* out: of the tree's, those in the draft */
	uint64_t removed; /* out: those of which taken was told */
};

/* Of a tree that has lost nodes, what can be read and is not to go out, all of
 * it in memory.  Folders that are lost and have something left get an entry. */
int draft_salvage(struct draft *d, const struct dedup_key *dedup,
    struct draft_out *out, struct builder_tree *tree,
    struct fault *f) must_check;

/* Nodes of the draft, and old ones. */
struct node_source draft_nodes(struct draft *d);

#endif
