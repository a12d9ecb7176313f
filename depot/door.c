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
	size_t n;
	const atomic_uint *open; /* connections; borrowed */
	unsigned most;           /* of them */
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

static void *
run(void *arg)
{
	struct door *d = arg;

	for (size_t next = 0; !atomic_load(&d->closing);) {
		struct sockaddr_storage addr;
		socklen_t n = sizeof(addr);
		int fd = -1;

		if (atomic_load(d->open) < d->most)
			fd = accept4(d->fd, (struct sockaddr *)&addr, &n,
			    SOCK_NONBLOCK | SOCK_CLOEXEC);
		else
			errno = EAGAIN;
		if (fd >= 0)
			(void)MHD_add_connection(d->daemon[next++ % d->n], fd,
			    (struct sockaddr *)&addr, n);
		else if (errno != EINTR && errno != ECONNABORTED)
			pause_shortly();
	}
	return NULL;
}

int
door_open(int fd, struct MHD_Daemon *const *daemon, size_t n,
    const atomic_uint *open, unsigned most, struct door **out)
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
