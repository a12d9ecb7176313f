// SPDX-License-Identifier: Apache-2.0
/*
 * The agent: a process in the background that keeps a lease in locked memory
 * until it ends, so that reading needs no authority.  One for each state
 * folder; only its own user may talk to it.  client/DESIGN.md, Agent.
 */
#ifndef SKERRY_CLIENT_AGENT_H
#define SKERRY_CLIENT_AGENT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/lease.h"

struct state;

/* Hands the lease over, starting an agent if there is none.  SKERRY_AGENT=off
 * in the environment: does nothing.  FAULT_IO and the like. */
int agent_put(const struct state *st, const struct lease *lease,
    struct fault *f) must_check;

/* The live lease for the state's space and device; out is secret memory.
 * FAULT_NOT_FOUND where there is none. */
int agent_get(const struct state *st, struct lease *out,
    struct fault *f) must_check;

/* Makes the agent wipe its lease and exit; fine where there is none: *had says
 * whether there was. */
int agent_drop(const struct state *st, bool *had, struct fault *f) must_check;

#endif
