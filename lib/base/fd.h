// SPDX-License-Identifier: Apache-2.0
/* What every reader and writer of files does with a descriptor. */
#ifndef SKERRY_BASE_FD_H
#define SKERRY_BASE_FD_H

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

/* As many descriptors as the process may have, where it began with fewer.
 * Returns how many. */
unsigned long fd_raise(void);

/* For defer(); -1 is left alone. */
void fd_close(int *fd);

/* All of data; after 0 it is with the kernel.  -1: errno says why. */
int fd_write(int fd, struct bytes data) must_check;

/* The fault of errno, named after what it befell; returned. */
int fd_fault(const char *what, struct fault *f);

#endif
