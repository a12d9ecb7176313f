// SPDX-License-Identifier: Apache-2.0
/*
 * Makes a commit of a new tree and moves the space's head to it.  Where another
 * device was faster, the two trees are merged and it is tried again, so that
 * nothing is lost.
 */
#ifndef SKERRY_CLIENT_ENGINE_PUBLISH_H
#define SKERRY_CLIENT_ENGINE_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/fresh.h"
#include "client/engine/packer.h"
#include "client/engine/space.h"
#include "client/engine/stow.h"
#include "object/builder.h"

struct publish {
	struct space *space;     /* reopened on a conflict */
	struct packer *packer;
	struct stow *stow;
	struct fresh *fresh;     /* its entries become a segment */
	const char *message;     /* for the log; cut to MESSAGE_MAX */
	bool repair;             /* struct mend */
	unsigned conflicts;      /* out: how often the head had moved */
	uint64_t renamed;        /* out: paths kept under another name */
	uint64_t number;         /* out: of the commit */
	bool rotated;            /* out, with FAULT_CONFLICT: the space has
	                          * another epoch; begin anew */
};

/*
 * tree was made from the space's commit.  On success everything is durable at
 * the depot and the authority has taken the head.  Else nothing changed.
 * FAULT_CONFLICT after many tries; what depot and authority give.
 */
int publish_tree(struct publish *p, const struct builder_tree *tree,
    struct fault *f) must_check;

#endif
