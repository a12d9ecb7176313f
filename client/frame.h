// SPDX-License-Identifier: Apache-2.0
/* The agent's messages over a socket. */
#ifndef SKERRY_CLIENT_FRAME_H
#define SKERRY_CLIENT_FRAME_H

#include <stdbool.h>

#include "base/attr.h"
#include "client/lease.h"

#define FRAME_SECONDS 2 /* that a peer may take for a message */

/* Whether the process at the other end runs as this user. */
bool frame_same_user(int fd);

/* FAULT_IO where the peer is gone or too slow. */
int frame_send(int fd, const struct lease_message *m) must_check;

/* FAULT_IO; FAULT_MALFORMED, FAULT_VERSION as lease_decode. */
int frame_receive(int fd, struct lease_message *out) must_check;

#endif
