// SPDX-License-Identifier: Apache-2.0
/* A state of the space: spec/30-tree.md, Commit. */
#ifndef SKERRY_OBJECT_COMMIT_H
#define SKERRY_OBJECT_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "object/limits.h"
#include "object/ref.h"
#include "object/segment.h"

struct commit {
	uint32_t epoch;
	uint64_t number; /* >= 1; with a parent >= 2 */
	int64_t time_sec;
	uint32_t time_nsec; /* below 10^9 */
	uint8_t device[ID_LEN];
	struct dedup_key dedup;
	bool has_parent, has_root;
	struct ref parent;
	struct ref root;
	uint64_t entries, bytes; /* of the tree; 0 without root */
	uint16_t message_len;
	char message[MESSAGE_MAX]; /* UTF-8, no NUL */
	uint16_t segments;
	struct segment *segment; /* owned; newest first */
};

/* Frees the segments, wipes all keys; fit for defer().  A zeroed one is
 * fine. */
void commit_wipe(struct commit *c);

/* Appends the encoded commit.  FAULT_LIMIT past COMMIT_MAX, FAULT_MALFORMED
 * where commit_decode would refuse it, FAULT_MEMORY. */
int commit_encode(const struct commit *c, struct buf *out) must_check;

/* Caller wipes *out.  FAULT_VERSION, FAULT_MALFORMED, FAULT_LIMIT,
 * FAULT_MEMORY. */
int commit_decode(struct bytes in, struct commit *out) must_check;

/* Puts seg in front, as the newest; takes it over and zeroes *seg on success.
 * FAULT_LIMIT past SEGMENTS_MAX, FAULT_MEMORY. */
int commit_add_segment(struct commit *c, struct segment *seg) must_check;

/* Puts copies of all of from's in front of to's.  As above. */
int commit_copy_segments(const struct commit *from,
    struct commit *to) must_check;

/* Drops the first n segments. */
void commit_drop_segments(struct commit *c, size_t n);

#endif
