// SPDX-License-Identifier: Apache-2.0
/*
 * Seals trees anew, node by node: the same items and the same shape under fresh
 * keys at fresh places.  A node that several trees share is sealed once.
 */
#ifndef SKERRY_CLIENT_ENGINE_RESEAL_H
#define SKERRY_CLIENT_ENGINE_RESEAL_H

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/idmap.h"
#include "client/engine/stow.h"
#include "object/builder.h"
#include "object/entry.h"

struct reseal_done {
	struct ref now;
	struct place was;
};

struct reseal {
	struct stow *stow;         /* borrowed */
	struct node_source source; /* of old nodes */
	struct idmap done;         /* old treehash: struct reseal_done */
	uint64_t nodes;            /* sealed */

	/* Told of each entry of each node that is sealed; or NULL. */
	int (*entry)(void *arg, const struct tree_entry *e, struct fault *f);
	/* Told of each node that is lost, and why: from which key on, how many
	 * entries (0: not known).  What names it goes on naming it where it
	 * was.  NULL: one that is lost ends the work. */
	void (*lost)(void *arg, struct bytes key, uint64_t entries,
	    const struct fault *why);
	void *arg;
};

void reseal_init(struct reseal *r, struct stow *stow);
void reseal_wipe(struct reseal *r);

/* Forgets what was done. */
void reseal_again(struct reseal *r);

/* Forgets what the device's cache has of the old nodes. */
void reseal_drop_old(const struct reseal *r, const struct cache *c);

int reseal_tree(struct reseal *r, const struct ref *root, struct ref *out,
    struct fault *f) must_check;

#endif
