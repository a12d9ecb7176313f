// SPDX-License-Identifier: Apache-2.0
/*
 * Before a put: what a check found lost at the depot (lost.h) is stored anew,
 * as far as this device has a copy of it, or the put has all that it held.  The
 * space is changed in memory alone; the put's commit makes it known.
 */
#ifndef SKERRY_CLIENT_ENGINE_MEND_H
#define SKERRY_CLIENT_ENGINE_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/stow.h"

struct mend {
	struct space *space; /* borrowed, as all here */
	struct stow *stow;
	const struct bytes *key; /* all at and below these is replaced */
	size_t n;
	bool repair; /* what else was lost is taken from an earlier commit */
	void (*warn)(void *arg, struct bytes key, const char *text);
	void *arg;

	bool mended; /* out: there was something to do */
};

/* Nothing was found lost, and no repair is wanted: does nothing.  As below. */
int mend_all(struct mend *m, struct fault *f) must_check;

/*
 * The commits: a lost one, and those after it, which name it or each other, are
 * sealed as they are but for their parents.  space->head.commit is then the new
 * ref of the head's.  What cannot be read stays lost.  What the depot gives.
 */
int mend_commits(struct mend *m, struct fault *f) must_check;

/*
 * The tree: lost nodes of which there is a copy are sealed anew.  Those of
 * which there is none leave a gap: one that m->key covers is taken out, for the
 * put fills it; with repair any other is filled from the latest commit that has
 * this part of the tree; without, it stays, and is no fault unless a key of
 * m->key meets it: FAULT_MISSING, FAULT_TAMPERED.
 */
int mend_tree(struct mend *m, struct fault *f) must_check;

/* Adds a folder of which nothing is known but that something is below it. */
int mend_folder(struct builder *to, struct bytes key) must_check;

/* Of c's segments, newest first: so many must be written anew, for lost blocks
 * of them can be read here; and so many can be, the next one cannot.  With
 * repair any can be, without what it has in lost blocks: so many are given up,
 * and must be written anew. */
struct mend_index {
	size_t least, most, given_up;
};
int mend_index(struct space *sp, struct stow *s, const struct commit *c,
    bool repair, struct mend_index *out, struct fault *f) must_check;

/* For struct merge_blocks that loads from a struct reader: passes blocks that
 * are known to be lost. */
bool mend_pass(void *reader, const struct segment *s, uint32_t block,
    int why) must_check;

#endif
