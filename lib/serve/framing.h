// SPDX-License-Identifier: Apache-2.0
/* Where a request ends.  The server (0.9.75) takes one of two lengths, or a
 * length beside chunks, and goes on: what stands in front of it may have taken
 * the other, and what it sends next is then read as part of this, or the
 * reverse (RFC 9112 section 6.3). */
#ifndef SKERRY_SERVE_FRAMING_H
#define SKERRY_SERVE_FRAMING_H

#include <stdbool.h>

struct MHD_Connection;

/* Whether the request says in one way only how long its body is.  If not, the
 * connection is to be closed: nobody knows where another would begin. */
bool framing_ok(struct MHD_Connection *conn);

#endif
