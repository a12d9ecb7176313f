// SPDX-License-Identifier: Apache-2.0
/* The ledger's side of getting a checkpoint cosigned: it makes the proofs, the
 * courier carries them.  spec/60-log.md, Witnesses. */
#ifndef SKERRY_AUTHORITY_COSIGN_H
#define SKERRY_AUTHORITY_COSIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "authority/link.h"
#include "authority/posting.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "store/log.h"
#include "tlog/trust.h"

struct cosign {
	struct link courier;
	size_t n; /* witnesses of the configuration; 0: there is no courier */
	const struct trust *trust; /* borrowed */
	struct {
		uint64_t size;  /* that it cosigned last, as far as known */
		int64_t failed; /* when, in ms; 0: it did not */
	} witness[POSTING_WITNESSES_MAX];
};

/* Appends note with the lines of witnesses, as soon as the quorum is met.
 * Where none is wanted, who answers within a second is in it, and none is
 * waited for that failed a short time ago.  FAULT_AUTHORITY: the quorum is not
 * met. */
int cosign_collect(struct cosign *c, struct log *log, struct bytes note,
    struct buf *out, struct fault *f) must_check;

#endif
