// SPDX-License-Identifier: Apache-2.0
/*
 * The first process: it makes the links, starts the roles, and starts again
 * those that die.  It answers no request and keeps no secret.
 */
#ifndef SKERRY_AUTHORITY_PARENT_H
#define SKERRY_AUTHORITY_PARENT_H

#include "authority/config.h"
#include "base/attr.h"
#include "base/fault.h"

/* Runs the service until SIGTERM or SIGINT. */
int parent_run(const struct config *c, struct fault *f) must_check;

#endif
