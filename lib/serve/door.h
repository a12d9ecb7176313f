// SPDX-License-Identifier: Apache-2.0
/* Accepts connections and hands each to the network thread that has least to
 * do.  Threads that share a listening socket do not share alike: whichever
 * wakes first takes all that wait, and a device's uploads end up with one of
 * them; so they may if handed out in turn, beside others that rest. */
#ifndef SKERRY_SERVE_DOOR_H
#define SKERRY_SERVE_DOOR_H

#include <stddef.h>

#include <microhttpd.h>

#include "base/attr.h"
#include "serve/watch.h"

struct door;
struct lobby;

/* Takes over fd, a listening socket, in any case.  Adds to the watch what it
 * hands over; the caller drops what ends.  While the watch is full, and has
 * nothing to shed, connections wait.  Its thread also gives the watch its
 * ticks and wakes the lobby.  The daemons, each one of the threads that the
 * watch was told of, watch and lobby must outlive the door; the lobby may be
 * NULL where they need none.  FAULT_MEMORY. */
int door_open(int fd, struct MHD_Daemon *const *daemon, struct watch *watch,
    struct lobby *lobby, struct door **out) must_check;

/* For MHD_OPTION_NOTIFY_CONNECTION of such a daemon, with the watch, where a
 * connection's context is what the watch has of it, and no more.  By TLS, what
 * a client sends, or that it ends its side, is read once its request is not
 * the server's (WATCH_OURS) any more: the server must wait by poll. */
void door_connection(void *watch, struct MHD_Connection *conn, void **context,
    enum MHD_ConnectionNotificationCode what);

/* What such a connection is at now. */
void door_note(struct MHD_Connection *conn, enum watch_phase phase);

/* Closes its socket, which others may share; waits for the thread; frees.
 * NULL is fine. */
void door_close(struct door *d);

#endif
