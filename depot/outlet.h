// SPDX-License-Identifier: Apache-2.0
/* What a connection sends.  The server makes a TLS record of an answer's head,
 * and others of its body; here the head waits for the first of those, so that
 * the two go out together: one call, one packet, one wake-up of the client. */
#ifndef SKERRY_DEPOT_OUTLET_H
#define SKERRY_DEPOT_OUTLET_H

#include <gnutls/gnutls.h>

struct outlet;

/* Sends for the session, on its socket, from now on; both must outlive it.
 * NULL when out of memory: the session then sends by itself. */
struct outlet *outlet_new(gnutls_session_t session, int fd);

/* Nothing is sent any more.  NULL is fine. */
void outlet_free(struct outlet *out);

/* The next record waits for the one after it, which will come.  NULL is
 * fine. */
void outlet_join(struct outlet *out);

#endif
