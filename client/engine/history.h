// SPDX-License-Identifier: Apache-2.0
/* The commits before the head's: each names its parent, and nothing else does,
 * so that a lost one cuts off those before it. */
#ifndef SKERRY_CLIENT_ENGINE_HISTORY_H
#define SKERRY_CLIENT_ENGINE_HISTORY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/reader.h"

/* The parent of c, which has one; caller wipes *out.  As reader_commit; where
 * it is lost, f says what else is, and what is not. */
int history_parent(struct reader *r, const struct commit *c,
    struct commit *out, struct fault *f) must_check;

/* Opens the commit with that number, from 1 on, by going back from the head;
 * caller wipes *out.  FAULT_NOT_FOUND, and as history_parent. */
int history_commit(struct reader *r, uint64_t number, struct commit *out,
    struct fault *f) must_check;

/* The same for the latest that was made before a time, in seconds since 1970,
 * by the clock of its device. */
int history_before(struct reader *r, int64_t time, struct commit *out,
    struct fault *f) must_check;

#endif
