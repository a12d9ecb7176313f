// SPDX-License-Identifier: Apache-2.0
/* Paths of the space as people write and read them. */
#ifndef SKERRY_CLIENT_PATH_H
#define SKERRY_CLIENT_PATH_H

#include <sys/types.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

#define PATH_SHOW_MAX 512 /* characters, with the NUL */

/* Key of a path; slashes at its ends, doubled ones and "." count for nothing,
 * "" and "/" are the root.
 * FAULT_USAGE naming the path. */
int path_key(const char *path, struct buf *out, struct fault *f) must_check;

/* For messages: printable, cut if long. */
void path_show(struct bytes key, char out[static PATH_SHOW_MAX]);

/* Sets f from errno, naming path; returns the code. */
int path_fault(const char *path, struct fault *f);

/* Makes a folder of the device, and those above, where they are missing. */
int path_make(const char *path, mode_t mode, struct fault *f) must_check;

/* The same, and opens it.  FAULT_EXISTS: what is there is no folder. */
int path_target(const char *path, mode_t mode, int *fd,
    struct fault *f) must_check;

#endif
