// SPDX-License-Identifier: Apache-2.0
/* Stores files and folders of the device as a new commit of a space. */
#ifndef SKERRY_CLIENT_ENGINE_PUT_H
#define SKERRY_CLIENT_ENGINE_PUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/effort.h"
#include "client/engine/walk.h"
#include "client/progress.h"
#include "client/session.h"

struct put_source {
	const char *path; /* on the device */
	struct bytes key; /* where it goes; empty: the space's root */
};

struct put {
	struct session *ses;
	const struct put_source *source; /* sorted by key; none in another */
	size_t sources;
	const char *message; /* for the commit */
	enum effort_wish effort;
	struct walk_rules rules; /* what is not there, even if it is */
	bool repair; /* struct mend */
	struct progress *progress;

	/* Told of each path that was left out, or is doubtful. */
	void (*warn)(void *arg, struct bytes key, const char *text);
	void *warn_arg;

	const struct bytes *key; /* put_remove's */
	size_t nkeys;

	/* The result: */
	bool changed;           /* a commit was made */
	uint64_t number;        /* of the commit, or of the one that stays */
	uint64_t files, bytes;  /* that the sources hold */
	uint64_t fresh_files;   /* of them read */
	uint64_t removed;       /* entries that the space had and no more */
	uint64_t excluded;      /* walk_excluded() of all sources */
	uint64_t left_out;      /* could not be read */
	uint64_t unsteady;      /* changed while they were read */
	uint64_t objects, sent; /* packs, and their bytes */
	uint64_t conflicts, renamed; /* struct publish */
};

/* Each source replaces what the space has at its key.  0 also where some were
 * left out: look at left_out and unsteady.  FAULT_EXISTS (something that is no
 * folder is in the way), FAULT_INTERRUPTED, FAULT_SPACE, FAULT_DEPOT and more:
 * nothing is committed then, and a repeated put does not upload again. */
int put_run(struct put *p, struct fault *f) must_check;

/* FAULT_EXISTS: key is no folder in the space, and something is to go below. */
int put_in_the_way(struct bytes key, struct fault *f) must_check;

/* Commits the removal of keys (sorted, none within another).  FAULT_NOT_FOUND
 * naming one that is not there. */
int put_remove(struct put *p, const struct bytes *key, size_t n,
    struct fault *f) must_check;

#endif
