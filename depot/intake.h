// SPDX-License-Identifier: Apache-2.0
/* What a connection receives, read from the kernel in large pieces; the TLS
 * library by itself asks twice for each record, of 16 KiB at most.  A buffer
 * is borrowed only while there is something in it. */
#ifndef SKERRY_DEPOT_INTAKE_H
#define SKERRY_DEPOT_INTAKE_H

#include <gnutls/gnutls.h>

#include "base/attr.h"
#include "depot/blocks.h"

struct intake;

/* Sits between the session and its socket, which must not block.  wait(arg) is
 * called where the handshake lacks what is not there yet; NULL is fine.  NULL
 * when out of memory: the session goes on without. */
struct intake *intake_new(gnutls_session_t session, int fd,
    struct blocks *blocks, void (*wait)(void *arg), void *arg);

/* The session must not receive any more.  NULL is fine. */
void intake_free(struct intake *in);

#endif
