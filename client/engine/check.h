// SPDX-License-Identifier: Apache-2.0
/*
 * Verifies what a commit needs, at the depot itself and not in the cache: the
 * commit, the index, the tree, then the chunks.  Goes on after every bad thing,
 * by a copy from the cache where there is one: so one check finds all that is
 * lost.
 */
#ifndef SKERRY_CLIENT_ENGINE_CHECK_H
#define SKERRY_CLIENT_ENGINE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/space.h"
#include "client/progress.h"

enum check_what {
	CHECK_OBJECT, /* a sealing at the depot: object is set */
	CHECK_PATH,   /* one path cannot be restored: key is set */
	CHECK_PATHS,  /* paths from key on, entries of them (0: not known) */
	CHECK_OTHER,
};

struct check_finding {
	enum check_what what;
	int code;        /* FAULT_TAMPERED, _MISSING, _MALFORMED, _VERSION */
	uint64_t commit; /* number */
	const uint8_t *object;
	struct bytes key;
	uint64_t entries;
	const char *text; /* one line */
};

struct check_options {
	unsigned percent; /* of the objects whose chunks are read; 100: all */
	bool history;     /* the parents too */
	struct progress *progress; /* may be NULL */
	/* Any thread, one at a time; borrowed for the call. */
	void (*found)(void *arg, const struct check_finding *x);
	void *arg;
};

struct check_result {
	uint64_t commits, segments, blocks, chunks_known;
	uint64_t nodes, entries;
	uint64_t objects, objects_read; /* that hold chunks; those read */
	uint64_t chunks, bytes;         /* verified */
	uint64_t bad_objects;           /* CHECK_OBJECT, each object once */
	uint64_t bad_chunks;
	uint64_t bad_paths; /* entries, as far as known */
	uint64_t findings;
};

/*
 * 0 where all is well; else the worst kind of what was found (FAULT_TAMPERED,
 * FAULT_MISSING, FAULT_MALFORMED, FAULT_VERSION in this order), or what ended
 * the check.  *out is set in any case.
 */
int check_run(struct space *sp, const struct check_options *o,
    struct check_result *out, struct fault *f) must_check;

#endif
