// SPDX-License-Identifier: Apache-2.0
/*
 * Proof files (c2sp.org/tlog-proof@v1): an entry's index, its inclusion proof
 * and the checkpoint that it leads to.  spec/60-log.md, Proofs.
 */
#ifndef SKERRY_TLOG_PROOF_H
#define SKERRY_TLOG_PROOF_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "tlog/merkle.h"
#include "tlog/trust.h"

#define PROOF_EXTRA_MAX 16384 /* bytes */
#define PROOF_MAX (NOTE_MAX + 32768)

struct proof {
	struct bytes extra_b64; /* borrowed, checked; empty where absent */
	uint64_t index;
	struct merkle_proof path;
	struct bytes checkpoint; /* the note, borrowed, not yet parsed */
};

/* FAULT_MALFORMED, FAULT_LIMIT, FAULT_VERSION for another first line. */
int proof_parse(struct bytes data, struct proof *out) must_check;

/* Appends the file. */
int proof_format(const struct proof *p, struct buf *out) must_check;

/* That entry is in a log that trust knows, under a checkpoint that meets its
 * quorum.  *size: that checkpoint's.  FAULT_TAMPERED; FAULT_TRUST as
 * trust_check; FAULT_MALFORMED, FAULT_LIMIT. */
int proof_check(const struct proof *p, const struct trust *trust,
    struct bytes entry, uint64_t *size) must_check;

#endif
