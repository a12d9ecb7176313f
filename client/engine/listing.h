// SPDX-License-Identifier: Apache-2.0
/* What a folder of a commit holds, without reading what lies deeper. */
#ifndef SKERRY_CLIENT_ENGINE_LISTING_H
#define SKERRY_CLIENT_ENGINE_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/reader.h"
#include "client/engine/tour.h"

struct listing_sink {
	/* name: the entry's key below the folder, or the whole key where the
	 * listed path is no folder; all borrowed for the call. */
	int (*entry)(void *arg, struct bytes name, const struct tree_entry *e);
	/* Entries from key on cannot be read. */
	void (*lost)(void *arg, struct bytes key, const struct fault *why);
	void *arg;
};

/*
 * The entries of the folder with that key (empty: the root), in key order; with
 * recursive, of all below.  0; FAULT_PARTIAL where some were lost;
 * FAULT_NOT_FOUND; what the sink returned; FAULT_INTERRUPTED; as tour_next.
 */
int listing_run(struct reader *r, struct bytes key, bool recursive,
    const struct listing_sink *sink, struct fault *f) must_check;

#endif
