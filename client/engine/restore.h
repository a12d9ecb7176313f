// SPDX-License-Identifier: Apache-2.0
/*
 * Brings paths of a commit back into a folder.  What cannot be restored is
 * named and left out, the rest goes on.  Nothing is ever written outside the
 * folder, whatever the tree says and whatever symlinks the folder holds.
 */
#ifndef SKERRY_CLIENT_ENGINE_RESTORE_H
#define SKERRY_CLIENT_ENGINE_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/reader.h"
#include "client/progress.h"

struct restore_options {
	const struct commit *commit;
	int dir;                 /* a descriptor; borrowed */
	const struct bytes *key; /* each restored under its last name in dir */
	size_t n;                /* 0: the whole tree */
	bool overwrite;          /* replace what is there, the same or not */
	unsigned threads;        /* 0: as fetch_new */
	struct progress *progress; /* may be NULL */
	/* Each thing left out or incomplete, in one line; any thread, one at
	 * a time. */
	void (*warn)(void *arg, struct bytes key, const char *text);
	void *arg;
};

struct restore_result {
	uint64_t entries;    /* restored, of any type */
	uint64_t bytes;      /* of files restored */
	uint64_t kept;       /* were there already as they should be */
	uint64_t failed;     /* entries left out */
	uint64_t incomplete; /* restored, but without some metadata */
	uint64_t requests;   /* for content */
};

/* All n keys are in the tree of r->commit; FAULT_NOT_FOUND naming one that is
 * not; FAULT_MISSING, FAULT_TAMPERED, FAULT_MALFORMED, FAULT_VERSION where
 * nothing of any can be read.  For who has to make the folder: restore_run asks
 * it, too. */
int restore_find(struct reader *r, const struct bytes *key, size_t n,
    struct fault *f) must_check;

/*
 * *out is set in any case.  0; FAULT_PARTIAL; before anything is written what
 * restore_find says; what ends it all: FAULT_DEPOT, FAULT_DENIED,
 * FAULT_EXPIRED, FAULT_SPACE, FAULT_INTERRUPTED, FAULT_MEMORY.
 */
int restore_run(struct space *sp, const struct restore_options *o,
    struct restore_result *out, struct fault *f) must_check;

#endif
