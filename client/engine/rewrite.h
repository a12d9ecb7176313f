// SPDX-License-Identifier: Apache-2.0
/*
 * Writes a space's whole history anew into another epoch: every tree node,
 * index block and commit under fresh keys, no chunk.  On the way paths can be
 * taken out of every commit.  spec/55-custody.md, Epochs and Shredding.
 *
 * Until the head moves nothing of it can be seen; what was uploaded then is
 * noise that nobody has a key to.
 *
 * What is lost at the depot cannot be written anew.  Where nothing is to be
 * taken out it is named, and stays named where it was, for a device that has a
 * copy.  Else it ends the work: nobody knows what is in it; or, with repair, it
 * is given up: taken out of every commit as well, with all commits before a
 * lost one, and all chunks that nothing else names.
 */
#ifndef SKERRY_CLIENT_ENGINE_REWRITE_H
#define SKERRY_CLIENT_ENGINE_REWRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/progress.h"
#include "client/session.h"

struct rewrite {
	struct session *ses;
	uint32_t epoch;          /* the new one; its key is in the session */
	const char *message;     /* of the commit that is made on top */
	const struct bytes *key; /* to take out: sorted, none within another */
	size_t nkeys;
	bool repair; /* give up what is lost; with keys alone */
	struct progress *progress;

	/* Told of what is lost: from which key on; empty for what is no part
	 * of a tree. */
	void (*warn)(void *arg, struct bytes key, const char *text);
	void *warn_arg;

	/* The result: */
	uint64_t lost;          /* nodes, blocks of the index, commits */
	int why;                /* the worst kind of that: a FAULT_*, or 0 */
	uint64_t number;        /* of the commit on top */
	uint64_t commits, nodes; /* sealed anew */
	uint64_t objects, sent; /* packs, and their bytes */
	uint64_t removed;       /* entries taken out, over all commits … */
	uint64_t given_up;      /* … and those that were lost, with repair */
	uint64_t messages;      /* of commits that named a path, replaced */
	uint64_t dropped;       /* chunks that nothing names any more … */
	uint64_t kept;          /* … and those that other files have, too */
	uint64_t conflicts;
};

/* 0 also where something is lost: look at lost.  FAULT_NOT_FOUND naming a key
 * that no commit has; FAULT_CONFLICT where another device rotates at the same
 * time; FAULT_MISSING, FAULT_TAMPERED, FAULT_MALFORMED with keys and without
 * repair. */
int rewrite_run(struct rewrite *w, struct fault *f) must_check;

#endif
