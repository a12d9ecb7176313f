// SPDX-License-Identifier: Apache-2.0
#include "depot/door.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/fault.h"

#define SHORT_MS 20 /* of what it needs: then it tries again */

struct door {
	struct MHD_Daemon *const *daemon; /* borrowed */
	size_t n, next;
	atomic_uint *open; /* connections; borrowed */
	unsigned most;     /* of them */
	atomic_bool closing;
	pthread_t thread;
	int fd;
};

static void
pause_shortly(void)
{
	const struct timespec t = { .tv_nsec = SHORT_MS * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void
hand_over(struct door *d, int fd, const struct sockaddr *addr, socklen_t n)
{
	struct MHD_Daemon *m = d->daemon[d->next++ % d->n];

	atomic_fetch_add(d->open, 1);
	/* What it refuses it closes. */
	if (MHD_add_connection(m, fd, addr, n) != MHD_YES)
		atomic_fetch_sub(d->open, 1);
}

static void *
run(void *arg)
{
	struct door *d = arg;

	while (!atomic_load(&d->closing)) {
		struct sockaddr_storage addr;
		socklen_t n = sizeof(addr);
		int fd = -1;

		if (atomic_load(d->open) < d->most)
			fd = accept4(d->fd, (struct sockaddr *)&addr, &n,
			    SOCK_NONBLOCK | SOCK_CLOEXEC);
		else
			errno = EAGAIN;
		if (fd >= 0)
			hand_over(d, fd, (struct sockaddr *)&addr, n);
		else if (errno != EINTR && errno != ECONNABORTED)
			pause_shortly();
	}
	return NULL;
}

int
door_open(int fd, struct MHD_Daemon *const *daemon, size_t n,
    atomic_uint *open, unsigned most, struct door **out)
{
	struct door *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		(void)close(fd);
		return FAULT_MEMORY;
	}
	d->daemon = daemon;
	d->n = n;
	d->open = open;
	d->most = most;
	d->fd = fd;
	(void)fcntl(fd, F_SETFL, 0); /* the thread has nothing but to wait */
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
	(void)shutdown(d->fd, SHUT_RDWR);
	(void)pthread_join(d->thread, NULL);
	(void)close(d->fd);
	free(d);
}
