// SPDX-License-Identifier: Apache-2.0
/* Listening sockets, opened before the process gives up the right to; and what
 * holds for who is served there. */
#ifndef SKERRY_NET_SOCK_H
#define SKERRY_NET_SOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"

/* A refused body of up to so many bytes is read to its end, for who answers and
 * closes before that makes the sender's kernel throw the answer away (RFC 9112
 * section 9.6).  Above, the answer comes first, and the connection ends. */
#define SOCK_DRAIN_MAX 1048576u

/* All that a server speaks, in GnuTLS's words. */
#define SOCK_TLS "NORMAL:-VERS-ALL:+VERS-TLS1.3"

/* Listens at "address:port" or "[address]:port", numeric; port 0 is any that is
 * free.  loopback: refuse other addresses.  FAULT_CONFIG. */
int sock_listen(const char *where, bool loopback, int *fd_out,
    uint16_t *port_out, struct fault *f) must_check;

/* The form only, as sock_listen would, of what the configuration has under that
 * key; NULL is fine.  FAULT_CONFIG. */
int sock_check(const char *key, const char *where, bool loopback,
    struct fault *f) must_check;

#endif
