// SPDX-License-Identifier: Apache-2.0
/* Steps of durable file handling, all relative to open folders.  Errors are
 * fault_from_errno()'s unless said otherwise. */
#ifndef SKERRY_DEPOT_DIRFS_H
#define SKERRY_DEPOT_DIRFS_H

#include <fcntl.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

/* How a file is opened that this depot should have made: what somebody else put
 * there is not followed, nor waited for. */
#define DIRFS_READ (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* For defer() on a descriptor that may be -1. */
void dirfs_closep(int *fd);

/* Opens a folder, not through a symlink. */
int dirfs_open(int at, const char *path, int *fd_out,
    struct fault *f) must_check;

/* Makes a folder (0700) unless it is there, and syncs the folder that it is
 * in: on return its name survives a power cut. */
int dirfs_make(int at, const char *name, struct fault *f) must_check;

int dirfs_sync(int fd, const char *what, struct fault *f) must_check;

int dirfs_write(int fd, const void *p, size_t n, struct fault *f) must_check;

/* Removes every file in a folder (not folders). */
int dirfs_empty(int at, const char *path, struct fault *f) must_check;

#endif
