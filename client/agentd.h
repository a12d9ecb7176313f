// SPDX-License-Identifier: Apache-2.0
/* The agent's own process: client/DESIGN.md, Agent. */
#ifndef SKERRY_CLIENT_AGENTD_H
#define SKERRY_CLIENT_AGENTD_H

#include "base/attr.h"
#include "base/fault.h"

/*
 * The agent itself: descriptor 0 is the listening socket.  Lets go of every
 * other descriptor; returns when the lease ends or is dropped, on SIGTERM, or
 * within seconds of the state folder dir being removed.
 */
int agentd_run(const char *dir, const char *socket, struct fault *f) must_check;

#endif
