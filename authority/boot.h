// SPDX-License-Identifier: Apache-2.0
/* What each role is told when it starts: no more than it needs. */
#ifndef SKERRY_AUTHORITY_BOOT_H
#define SKERRY_AUTHORITY_BOOT_H

#include "authority/config.h"
#include "authority/role.h"
#include "base/attr.h"
#include "base/fault.h"

/* Reads the files that the role needs (anew each time, so that the parent keeps
 * no secret) and writes its message to fd. */
int boot_send(const struct config *c, enum role r, int fd,
    struct fault *f) must_check;

#endif
