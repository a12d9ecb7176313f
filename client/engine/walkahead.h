// SPDX-License-Identifier: Apache-2.0
/*
 * A walk by a thread of its own, some items ahead of whoever takes them: to ask
 * the kernel for the state of each name is most of a put that finds nothing
 * changed.
 */
#ifndef SKERRY_CLIENT_ENGINE_WALKAHEAD_H
#define SKERRY_CLIENT_ENGINE_WALKAHEAD_H

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/walk.h"
#include "client/progress.h"

struct walkahead;

/* Begins to walk w, which is the thread's until walkahead_next has given
 * WALK_END, or walkahead_close.  progress (borrowed, or NULL) is told of each
 * file as it is met, and, where this walk is the last, when there are no more.
 * FAULT_MEMORY. */
int walkahead_new(struct walk *w, struct progress *progress, bool last,
    struct walkahead **out, struct fault *f) must_check;

/* As walk_next. */
int walkahead_next(struct walkahead *a, struct walk_item *out,
    struct fault *f) must_check;

/* Ends the walk, wherever it is, and waits for the thread.  NULL is fine. */
void walkahead_close(struct walkahead *a);
void walkahead_closep(struct walkahead **a);

#endif
