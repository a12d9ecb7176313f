// SPDX-License-Identifier: Apache-2.0
#include "serve/door.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/fault.h"
#include "serve/lobby.h"

#define TICK_MS 250
#define STEP_MAX_MS 1000
#define SHORT_MS 20 /* of what it needs: then it tries again */

struct door {
	struct MHD_Daemon *const *daemon; /* borrowed */
	struct watch *watch; /* borrowed */
	struct lobby *lobby; /* borrowed, or NULL */
	uint64_t clock, read; /* the watch's milliseconds; the machine's */
	atomic_bool closing;
	pthread_t thread;
	int fd;
};

/* Time in which this process stood still is not held against anybody. */
static uint64_t
clock_read(struct door *d)
{
	uint64_t step, now;
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	step = now - d->read;
	d->read = now;
	d->clock += step < STEP_MAX_MS ? step : STEP_MAX_MS;
	return d->clock;
}

static void
pause_for(unsigned ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000l };

	(void)nanosleep(&t, NULL);
}

static void
hand_over(struct door *d, int fd, const struct sockaddr *addr, socklen_t n)
{
	unsigned thread;

	if (watch_add(d->watch, fd, addr, d->clock, &thread) != 0) {
		(void)close(fd);
		return;
	}
	/* What it refuses it closes; nobody else adds that number. */
	if (MHD_add_connection(d->daemon[thread], fd, addr, n) != MHD_YES)
		watch_drop(d->watch, fd);
}

/* The place of another, who sees to it soon; or that one ends by itself. */
static void
make_room(struct door *d)
{
	pause_for(watch_shed(d->watch, d->clock) ? 1 : SHORT_MS);
}

static void
accept_one(struct door *d)
{
	struct sockaddr_storage addr;
	socklen_t n = sizeof(addr);
	int fd = accept4(d->fd, (struct sockaddr *)&addr, &n,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		hand_over(d, fd, (struct sockaddr *)&addr, n);
	else if (errno == EMFILE || errno == ENFILE)
		make_room(d);
	else if (errno == ENOMEM || errno == ENOBUFS)
		pause_for(SHORT_MS);
}

static void *
run(void *arg)
{
	struct door *d = arg;
	struct pollfd waiting[] = { { .fd = d->fd, .events = POLLIN },
		{ .fd = d->lobby != NULL ? lobby_fd(d->lobby) : -1,
		    .events = POLLIN } };
	uint64_t next = 0;

	while (!atomic_load(&d->closing)) {
		if (clock_read(d) >= next) {
			watch_tick(d->watch, d->clock);
			next = d->clock + TICK_MS;
		}
		if (poll(waiting, ARRAY_LEN(waiting), TICK_MS) <= 0)
			continue;
		if (waiting[1].revents != 0)
			lobby_wake(d->lobby);
		if (waiting[0].revents == 0)
			continue;
		if (watch_full(d->watch))
			make_room(d);
		else
			accept_one(d);
	}
	return NULL;
}

int
door_open(int fd, struct MHD_Daemon *const *daemon, struct watch *watch,
    struct lobby *lobby, struct door **out)
{
	struct door *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		(void)close(fd);
		return FAULT_MEMORY;
	}
	d->daemon = daemon;
	d->watch = watch;
	d->lobby = lobby;
	d->fd = fd;
	if (pthread_create(&d->thread, NULL, run, d) != 0) {
		(void)close(fd);
		free(d);
		return FAULT_MEMORY;
	}
	*out = d;
	return 0;
}

void
door_close(struct door *d)
{
	if (d == NULL)
		return;
	atomic_store(&d->closing, true);
	(void)pthread_join(d->thread, NULL);
	(void)close(d->fd);
	free(d);
}

/* A client may have ended its side behind a request; the server takes that for
 * the end of the connection where it reads it before the answer is begun.  So
 * what follows a request that is under way waits in the socket. */
static ssize_t
pull(gnutls_transport_ptr_t arg, void *p, size_t n)
{
	const struct watched *c = arg;

	if (watch_phase(c) == WATCH_OURS) {
		errno = EAGAIN;
		return -1;
	}
	return recv(watch_fd(c), p, n, 0);
}

/* The socket does not block: pull itself finds out. */
static int
pull_timeout(gnutls_transport_ptr_t arg, unsigned ms)
{
	(void)arg;
	(void)ms;
	return 1;
}

static void
join_tls(struct MHD_Connection *conn, struct watched *c)
{
	const union MHD_ConnectionInfo *tls = MHD_get_connection_info(conn,
	    MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (tls == NULL || tls->tls_session == NULL)
		return;
	gnutls_transport_set_ptr2(tls->tls_session, c,
	    (gnutls_transport_ptr_t)(intptr_t)watch_fd(c));
	gnutls_transport_set_pull_function(tls->tls_session, pull);
	gnutls_transport_set_pull_timeout_function(tls->tls_session,
	    pull_timeout);
}

void
door_connection(void *watch, struct MHD_Connection *conn, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	int fd = MHD_get_connection_info(conn,
	    MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		watch_drop(watch, fd);
		return;
	}
	*context = watch_find(watch, fd);
	join_tls(conn, *context);
}

void
door_note(struct MHD_Connection *conn, enum watch_phase phase)
{
	watch_note(MHD_get_connection_info(conn,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context, phase);
}
