// SPDX-License-Identifier: Apache-2.0
/* The text of a checkpoint (c2sp.org/tlog-checkpoint).  spec/60-log.md. */
#ifndef SKERRY_TLOG_CHECKPOINT_H
#define SKERRY_TLOG_CHECKPOINT_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "tlog/merkle.h"

#define CHECKPOINT_TEXT_MAX 8192 /* bytes */

struct checkpoint {
	struct bytes origin; /* borrowed */
	uint64_t size;       /* <= MERKLE_SIZE_MAX */
	struct merkle_hash root;
	struct bytes more;   /* extension lines, kept as they are; or empty */
};

/* The text of a note, borrowed.  FAULT_MALFORMED, FAULT_LIMIT. */
int checkpoint_parse(struct bytes text, struct checkpoint *out) must_check;

/* Appends the text.  FAULT_LIMIT, FAULT_MEMORY. */
int checkpoint_format(const struct checkpoint *c, struct buf *out) must_check;

#endif
