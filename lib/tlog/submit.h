// SPDX-License-Identifier: Apache-2.0
/*
 * What a log sends to a witness (c2sp.org/tlog-witness, add-checkpoint).
 * spec/60-log.md, Witnesses.
 */
#ifndef SKERRY_TLOG_SUBMIT_H
#define SKERRY_TLOG_SUBMIT_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

#define SUBMIT_MAX (NOTE_MAX + 4096) /* bytes */

struct submit {
	uint64_t old; /* size of the tree that the witness cosigned last */
	struct merkle_proof proof; /* from there to the checkpoint */
	struct bytes checkpoint;   /* the note, borrowed, not yet parsed */
};

/* FAULT_MALFORMED, FAULT_LIMIT. */
int submit_parse(struct bytes body, struct submit *out) must_check;

/* Appends the body. */
int submit_format(const struct submit *s, struct buf *out) must_check;

#endif
