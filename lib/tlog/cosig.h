// SPDX-License-Identifier: Apache-2.0
/*
 * Timestamped Ed25519 cosignatures of checkpoints (c2sp.org/tlog-cosignature):
 * a witness saw no larger tree of that log at that time, and all that it saw
 * are consistent.  spec/60-log.md, Witnesses.
 */
#ifndef SKERRY_TLOG_COSIG_H
#define SKERRY_TLOG_COSIG_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "tlog/note.h"

#define COSIG_LEN (8 + SIGN_LEN)

/* Appends a signature line over a checkpoint's text, dated time (> 0). */
int cosig_make(struct bytes text, uint64_t time, const struct note_key *pub,
    const struct sign_key *key, struct buf *out) must_check;

/* Whether key (of type NOTE_COSIGNATURE) cosigned n, and the latest time that
 * it did.  FAULT_NOT_FOUND where it has no line; FAULT_TAMPERED where any line
 * of it does not verify. */
int cosig_verify(const struct note *n, const struct note_key *key,
    uint64_t *time) must_check;

#endif
