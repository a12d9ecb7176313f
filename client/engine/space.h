// SPDX-License-Identifier: Apache-2.0
/*
 * A space as a command sees it: the verified head and commit of its session,
 * and what readers (reader.h) share.
 */
#ifndef SKERRY_CLIENT_ENGINE_SPACE_H
#define SKERRY_CLIENT_ENGINE_SPACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/cache.h"
#include "client/session.h"
#include "object/commit.h"
#include "object/head.h"
#include "object/index.h"

/* Open index blocks in memory: a direct-mapped table, filled as they are used.
 * A million entries; beyond, each lookup opens a block of the cache. */
#define SPACE_BLOCKS 2048u

/* What is fetched with the head's commit, of that which lies before it: after
 * a small put, the new index block and the upper nodes of the tree. */
#define SPACE_TAIL 131072u

struct space_block {
	struct place place;
	int lost; /* a FAULT_*: it cannot be read; or 0 */
	size_t n; /* bytes in plain */
	uint8_t plain[INDEX_BLOCK_LEN];
};

struct space {
	struct session *ses; /* borrowed */
	struct cache cache;  /* owned; none where ses->no_cache says why */

	bool has_head;        /* false: nothing was ever put */
	struct head head;     /* verified */
	struct commit commit; /* the head's; without head: zeroed but dedup */
	bool anew; /* that is lost: anew.h has what there is instead */

	/* Bytes of the pack with the head's commit, up to its end; sealed.
	 * Without any where the commit was in the cache. */
	struct buf tail;
	struct place tail_place;

	struct buf lost; /* lost.h, where content is stored; else empty */

	pthread_mutex_t lock;       /* over block */
	struct space_block **block; /* SPACE_BLOCKS, each NULL or owned */
};

/*
 * Verifies the session's head (spec/30-tree.md, Head: also against what this
 * device saw last), opens its commit, remembers it as last seen.
 * FAULT_ROLLBACK, FAULT_TRUST, FAULT_TAMPERED, FAULT_VERSION, FAULT_MISSING,
 * FAULT_DEPOT.
 */
int space_open(struct session *ses, struct space **out,
    struct fault *f) must_check;

/* The same for a writer who is to go on where the head's commit is lost, by an
 * earlier one, or with none: anew.h. */
int space_open_anew(struct session *ses, struct space **out,
    struct fault *f) must_check;

/* As space_open again, after the session's head changed. */
int space_reopen(struct space *sp, struct fault *f) must_check;

/* The dedup key of a space's first commit.  FAULT_DENIED where the key that it
 * comes of is no more. */
int space_first_dedup(const struct session *ses,
    struct dedup_key *out) must_check;

void space_close(struct space *sp);
void space_closep(struct space **sp);

#endif
