// SPDX-License-Identifier: Apache-2.0
/* The rights that a depot keeps. */
#ifndef SKERRY_DEPOT_CONFINE_H
#define SKERRY_DEPOT_CONFINE_H

#include "base/attr.h"
#include "base/fault.h"

/* Keeps the store's folder and what serving takes; logs a warning for what the
 * kernel cannot do.  Before any thread is started. */
int confine(int store_fd, struct fault *f) must_check;

#endif
