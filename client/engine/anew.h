// SPDX-License-Identifier: Apache-2.0
/*
 * A space whose latest commit is lost at the depot.  Nothing else leads to the
 * others: only a head that this device saw before does, and only within the
 * epoch, for before it there may be what was shredded.  Where there is none, a
 * space begins anew that has its first key still: spec/30-tree.md, Commit.
 */
#ifndef SKERRY_CLIENT_ENGINE_ANEW_H
#define SKERRY_CLIENT_ENGINE_ANEW_H

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/space.h"
#include "client/engine/stow.h"

/* Puts in front of f, which says why sp->head's commit cannot be read, what
 * that means and what is left.  Returns f's code. */
int anew_lost(const struct space *sp, struct fault *f) must_check;

/*
 * With f as above: sp->commit becomes the latest that was seen here before, and
 * sp->head.commit its ref, or both are empty but for the dedup key.  sp->anew
 * says so.  As anew_lost where there is no way on; else f is cleared.
 */
int anew_begin(struct space *sp, struct fault *f) must_check;

/*
 * Seals a commit in the place of each that was given up, up to the head's, so
 * that numbers follow each other and the log shows it; sp->head.commit is then
 * the last one's.  warn, unless NULL, is told what is given up.
 */
int anew_seal(struct space *sp, struct stow *s,
    void (*warn)(void *arg, struct bytes key, const char *text), void *arg,
    struct fault *f) must_check;

#endif
