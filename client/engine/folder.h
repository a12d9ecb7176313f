// SPDX-License-Identifier: Apache-2.0
/*
 * Folders that files are being restored into, by descriptor and counted
 * references: a folder is finished (its metadata set) when the last file and
 * folder in it are done and the walk has left it, whatever thread that is.
 * Few descriptors are open at once, however deep the tree is.
 */
#ifndef SKERRY_CLIENT_ENGINE_FOLDER_H
#define SKERRY_CLIENT_ENGINE_FOLDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"

struct folder {
	struct folder *up; /* NULL: the top one */
	int fd;            /* -1 while nobody uses it */
	unsigned refs;     /* users, subfolders, and the walk */
	unsigned users;    /* of fd */
	dev_t dev;
	ino_t ino;
	void *what; /* the caller's; done() frees it */
};

struct folders {
	pthread_mutex_t lock; /* over all refs, users, fd */
	/* Called once for each folder, children first, by any thread, without
	 * the lock.  d->fd is -1 where the folder was moved away. */
	void (*done)(void *arg, struct folder *d);
	void *arg;
};

/* The top one, by a copy of fd; in use by the caller.  NULL: errno. */
struct folder *folder_top(int fd);

/* Opens name in up, never through a symlink; in use by the caller.  NULL:
 * errno. */
struct folder *folder_enter(struct folders *fs, struct folder *up,
    const char *name);

/* One more user.  d is in use already. */
void folder_use(struct folders *fs, struct folder *d);

/* One user less; may finish d and those above. */
void folder_leave(struct folders *fs, struct folder *d);

/* The walk goes deep below d: its descriptor may be closed, d stays. */
void folder_rest(struct folders *fs, struct folder *d);

/* The walk comes back from sub, which is in use.  Uses sub->up again. */
void folder_wake(struct folders *fs, struct folder *sub);

#endif
