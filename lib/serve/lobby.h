// SPDX-License-Identifier: Apache-2.0
/*
 * Connections whose TLS handshake waits for the client.  The server (0.9.75)
 * goes on trying without a pause when a handshake lacks bytes: three bytes of a
 * stranger kept a network thread busy for as long as he liked.  So such a
 * connection is suspended until its socket has more.
 */
#ifndef SKERRY_SERVE_LOBBY_H
#define SKERRY_SERVE_LOBBY_H

#include <stdbool.h>

struct MHD_Connection;

/* Of a connection; zero but for the first two.  The rest is the lobby's. */
struct guest {
	struct MHD_Connection *conn;
	int fd;
	bool known, waits;
	struct guest *next, **prev;
};

struct lobby; /* opaque */

/* NULL when out of memory or descriptors. */
struct lobby *lobby_new(void);

/* Nobody may be in it: lobby_close, and no server any more.  NULL is fine. */
void lobby_free(struct lobby *l);

/* Can be read when lobby_wake has something to do. */
int lobby_fd(const struct lobby *l);

/* Suspends the connection; in a callback of its handshake. */
void lobby_wait(struct lobby *l, struct guest *g);

/* Resumes those that can go on.  One thread only. */
void lobby_wake(struct lobby *l);

/* Resumes all; nobody waits any more.  After the last lobby_wake. */
void lobby_close(struct lobby *l);

#endif
