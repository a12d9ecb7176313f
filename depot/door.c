// SPDX-License-Identifier: Apache-2.0
#include "depot/door.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/fault.h"

#define SHORT_MS 50 /* of descriptors or memory: then it tries again */

struct door {
	struct MHD_Daemon *const *daemon; /* borrowed */
	size_t n;
	pthread_t thread;
	int fd;
};

static void *
run(void *arg)
{
	const struct timespec pause = { .tv_nsec = SHORT_MS * 1000000 };
	struct door *d = arg;

	for (size_t next = 0;; next = (next + 1) % d->n) {
		struct sockaddr_storage addr;
		socklen_t n = sizeof(addr);
		int fd = accept4(d->fd, (struct sockaddr *)&addr, &n,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		/* What it refuses it closes. */
		if (fd >= 0)
			(void)MHD_add_connection(d->daemon[next], fd,
			    (struct sockaddr *)&addr, n);
		else if (errno == EINVAL || errno == EBADF)
			return NULL; /* door_close */
		else if (errno != EINTR && errno != ECONNABORTED)
			(void)nanosleep(&pause, NULL);
	}
}

int
door_open(int fd, struct MHD_Daemon *const *daemon, size_t n,
    struct door **out)
{
	struct door *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		(void)close(fd);
		return FAULT_MEMORY;
	}
	d->daemon = daemon;
	d->n = n;
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
	(void)shutdown(d->fd, SHUT_RDWR);
	(void)pthread_join(d->thread, NULL);
	(void)close(d->fd);
	free(d);
}
