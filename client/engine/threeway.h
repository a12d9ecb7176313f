// SPDX-License-Identifier: Apache-2.0
/*
 * Merges two trees that grew from one: what ours changed since base is done
 * again on theirs.  Where both changed the same path in different ways, both
 * stay: ours goes under "<name>.conflict-<device>-<n>"; a folder keeps its name
 * against what is none.  A deletion loses against a change.
 */
#ifndef SKERRY_CLIENT_ENGINE_THREEWAY_H
#define SKERRY_CLIENT_ENGINE_THREEWAY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/stow.h"
#include "object/builder.h"
#include "object/ref.h"

struct threeway {
	struct stow *stow; /* loads and stores nodes */
	const struct ref *base, *ours, *theirs; /* NULL: the empty tree */
	const struct dedup_key *dedup;
	uint8_t device[ID_LEN]; /* whose changes ours are */
	uint64_t renamed;       /* out: paths kept under another name */
};

int threeway_merge(struct threeway *t, struct builder_tree *out,
    struct fault *f) must_check;

#endif
