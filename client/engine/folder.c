// SPDX-License-Identifier: Apache-2.0
#include "client/engine/folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static struct folder *
adopt(int fd, struct folder *up)
{
	struct folder *d = fd < 0 ? NULL : calloc(1, sizeof(*d));
	struct stat st;
	int err;

	if (d != NULL && fstat(fd, &st) == 0) {
		*d = (struct folder){ .up = up, .fd = fd, .refs = 1,
			.users = 1, .dev = st.st_dev, .ino = st.st_ino };
		return d;
	}
	err = errno;
	if (fd >= 0)
		close(fd);
	free(d);
	errno = err;
	return NULL;
}

struct folder *
folder_top(int fd)
{
	return adopt(fcntl(fd, F_DUPFD_CLOEXEC, 3), NULL);
}

struct folder *
folder_enter(struct folders *fs, struct folder *up, const char *name)
{
	struct folder *d = adopt(openat(up->fd, name, OPEN_FLAGS), up);

	if (d == NULL)
		return NULL;
	pthread_mutex_lock(&fs->lock);
	up->refs++;
	pthread_mutex_unlock(&fs->lock);
	return d;
}

void
folder_use(struct folders *fs, struct folder *d)
{
	pthread_mutex_lock(&fs->lock);
	d->refs++;
	d->users++;
	pthread_mutex_unlock(&fs->lock);
}

/* The folder above is opened again through "..", and only believed if it is
 * the same one as before.  -1: it is not. */
static int
open_up(const struct folder *d)
{
	struct stat st;
	int fd = d->fd < 0 ? -1 : openat(d->fd, "..", OPEN_FLAGS);

	if (fd < 0 || (fstat(fd, &st) == 0 && st.st_dev == d->up->dev &&
	    st.st_ino == d->up->ino))
		return fd;
	close(fd);
	return -1;
}

static void
close_fd(struct folder *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

/* With the lock held.  True: that was the last reference. */
static bool
unref(struct folder *d)
{
	assert(d->refs > 0);
	return --d->refs == 0;
}

/* Finishes d, and the folders above whose last reference it was.  With the lock
 * held, but not while done() runs, after which there may be no way up from d:
 * so a folder above is opened again before, and let go under one lock after,
 * for its other subfolders may be let go at the same time. */
static void
finish(struct folders *fs, struct folder *d)
{
	bool last = true;

	while (last) {
		struct folder *up = d->up;
		int fd;

		pthread_mutex_unlock(&fs->lock);
		fd = up == NULL ? -1 : open_up(d);
		fs->done(fs->arg, d);
		pthread_mutex_lock(&fs->lock);
		if (up != NULL && up->refs == 1 && up->fd < 0) {
			up->fd = fd;
			fd = -1;
		}
		if (fd >= 0)
			close(fd);
		last = up != NULL && unref(up);
		close_fd(d);
		free(d);
		d = up;
	}
}

void
folder_leave(struct folders *fs, struct folder *d)
{
	pthread_mutex_lock(&fs->lock);
	assert(d->users > 0);
	/* The last reference finishes it and needs it open. */
	if (--d->users == 0 && d->refs > 1)
		close_fd(d);
	if (unref(d))
		finish(fs, d);
	pthread_mutex_unlock(&fs->lock);
}

void
folder_rest(struct folders *fs, struct folder *d)
{
	pthread_mutex_lock(&fs->lock);
	assert(d->users > 0 && d->refs > 1);
	if (--d->users == 0)
		close_fd(d);
	pthread_mutex_unlock(&fs->lock);
}

void
folder_wake(struct folders *fs, struct folder *sub)
{
	pthread_mutex_lock(&fs->lock);
	if (sub->up->fd < 0)
		sub->up->fd = open_up(sub);
	sub->up->users++;
	pthread_mutex_unlock(&fs->lock);
}
