// SPDX-License-Identifier: Apache-2.0
/*
 * What a check found lost at the depot, and this device has a copy of, is
 * sealed anew before a put: the put's commit then names that.
 */
#ifndef SKERRY_CLIENT_ENGINE_MEND_H
#define SKERRY_CLIENT_ENGINE_MEND_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/stow.h"

/*
 * The commits: a lost one, and those after it, which name it or each other, are
 * sealed as they are but for their parents.  sp->head.commit is then the new
 * ref of the head's.  What cannot be read stays lost.  *mended is set where
 * there was anything to do.  What the depot gives.
 */
int mend_commits(struct space *sp, struct stow *s, bool *mended,
    struct fault *f) must_check;

#endif
