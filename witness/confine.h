// SPDX-License-Identifier: Apache-2.0
#ifndef SKERRY_WITNESS_CONFINE_H
#define SKERRY_WITNESS_CONFINE_H

#include "base/attr.h"
#include "base/fault.h"

/* Gives up all but the state's folder and connections that arrive; warns where
 * the kernel cannot.  Before threads are started. */
int confine(int state_fd, struct fault *f) must_check;

#endif
