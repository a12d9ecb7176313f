// SPDX-License-Identifier: Apache-2.0
/*
 * A log read through its static files at an authority: spec/60-log.md, Files.
 * A tree is set once, by a size and a root that are trusted; every tile and
 * entry is held against that root before it is handed on.
 */
#ifndef SKERRY_CLIENT_LOGREAD_H
#define SKERRY_CLIENT_LOGREAD_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/answer.h"
#include "net/http.h"
#include "net/policy.h"
#include "tlog/merkle.h"
#include "tlog/tile.h"

#define LOGREAD_PREFIX "/log/"
#define LOGREAD_REQUESTS "/v1/requests"
#define LOGREAD_BUNDLE_MAX (1024u * 1024) /* bytes of 256 entries */

struct logread;

struct logread_config {
	const struct policy_authority *peer; /* borrowed, as all of it */
	struct http_wire *wire;
	const atomic_bool *stop;
};

/* No request is made.  FAULT_MEMORY. */
int logread_open(const struct logread_config *config, struct logread **out,
    struct fault *f) must_check;
void logread_close(struct logread *r);
void logread_closep(struct logread **r);

/* Appends the note that is shown, unverified.  FAULT_AUTHORITY, FAULT_TRUST
 * (certificate), FAULT_LOG where there is none. */
int logread_checkpoint(struct logread *r, struct buf *note,
    struct fault *f) must_check;

/* Sets the tree, and holds its right edge against the root.  FAULT_LOG names
 * the file at fault, here and below; FAULT_AUTHORITY. */
int logread_tree(struct logread *r, uint64_t size,
    const struct merkle_hash *root, struct fault *f) must_check;

/* The tree's nodes, for the provers; f is where their faults are put. */
struct merkle_source logread_nodes(struct logread *r, struct fault *f);

/* The root of the first size leaves.  As logread_tree. */
int logread_root(struct logread *r, uint64_t size, struct merkle_hash *out,
    struct fault *f) must_check;

/* The entries of bundle index: *n of them, borrowed until the next call. */
int logread_entries(struct logread *r, uint64_t index,
    struct bytes out[static TILE_WIDTH], unsigned *n,
    struct fault *f) must_check;

/* A page of what is published of requests, as it comes, from an index on; *out
 * is to be wiped.  FAULT_AUTHORITY, FAULT_TRUST, FAULT_LOG where it is none. */
int logread_requests(struct logread *r, uint64_t from,
    struct answer_requests *out, struct fault *f) must_check;

#endif
