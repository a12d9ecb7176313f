// SPDX-License-Identifier: Apache-2.0
/*
 * Writes the index of a commit anew: its segments become one, of the entries
 * that stay.  spec/20-pack.md, Index.
 */
#ifndef SKERRY_CLIENT_ENGINE_REINDEX_H
#define SKERRY_CLIENT_ENGINE_REINDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/stow.h"
#include "object/commit.h"

struct reindex {
	struct stow *stow;         /* borrowed, as all here */
	const struct commit *from; /* its index is read */
	struct commit *out;        /* and written: this loses what it had */

	bool (*stays)(void *arg, const uint8_t id[static CHUNK_ID_LEN]);
	/* Told once of each block that is lost.  false: that ends the work. */
	bool (*lost)(void *arg, const struct fault *why);
	void *arg;

	/*
	 * A segment with lost blocks stays, for who has a copy of them, and
	 * what it has besides goes in front of it with all that is newer, up to
	 * the next such: so which of two entries counts is as it was.
	 */
	bool keep;

	uint64_t dropped; /* out: entries that do not stay */
};

/* What the depot gives; FAULT_MISSING, FAULT_TAMPERED, FAULT_MALFORMED for a
 * lost block; FAULT_LIMIT, FAULT_MEMORY. */
int reindex_run(struct reindex *x, struct fault *f) must_check;

#endif
