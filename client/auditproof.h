// SPDX-License-Identifier: Apache-2.0
/* Entries of a log that was read, as proofs for others: spec/60-log.md, Proofs
 * and Evidence. */
#ifndef SKERRY_CLIENT_AUDITPROOF_H
#define SKERRY_CLIENT_AUDITPROOF_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/auditrequest.h"
#include "client/evidence.h"
#include "client/logbody.h"
#include "client/logread.h"

struct auditproof {
	struct logread *read; /* its tree is set */
	uint64_t size;        /* of that */
	struct bytes note;    /* its checkpoint */
};

/* Appends the entry itself. */
int auditproof_entry(const struct auditproof *p, uint64_t index,
    struct buf *out, struct fault *f) must_check;

/* Appends the proof of o's entry, key and body, at o->proof.index, which is
 * below the tree's size; its checkpoint and path are set. */
int auditproof_format(const struct auditproof *p, struct logopen *o,
    struct buf *out, struct fault *f) must_check;

/* Keeps what an alarm about a published request rests on: the entry, opened as
 * the authority opens it, and the one before it where their order is wrong. */
void auditproof_request(const struct auditproof *p,
    const struct auditrequest_alarm *x, const struct state *st,
    struct evidence_log *e, struct fault *f);

#endif
