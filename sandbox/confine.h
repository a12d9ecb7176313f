// SPDX-License-Identifier: Apache-2.0
/* The rights that a server with one folder keeps: depot and witness. */
#ifndef SKERRY_SANDBOX_CONFINE_H
#define SKERRY_SANDBOX_CONFINE_H

#include "base/attr.h"
#include "base/fault.h"

/* Gives up all but this folder, which is the caller's, and connections that
 * arrive; logs a warning for what the kernel cannot do.  Before any thread is
 * started. */
int confine(int folder, struct fault *f) must_check;

#endif
