// SPDX-License-Identifier: Apache-2.0
/*
 * The role that faces the network: TLS 1.3 and HTTP.  It bounds and forwards
 * bytes, and looks into none.  It has no key but that of its certificate, and
 * no file.
 */
#ifndef SKERRY_AUTHORITY_FRONT_H
#define SKERRY_AUTHORITY_FRONT_H

#include "base/attr.h"
#include "base/fault.h"

/* The process: until SIGTERM, then until requests under way are answered.
 * Returns a FAULT_*. */
int front_main(struct fault *f) must_check;

#endif
