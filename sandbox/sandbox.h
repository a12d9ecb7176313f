// SPDX-License-Identifier: Apache-2.0
/*
 * What a process gives up once it has opened what it needs.  The order is:
 * open and listen, sandbox_landlock, sandbox_no_tcp, sandbox_seccomp,
 * sandbox_check, and only then threads: all of it is inherited by threads and
 * children, and none of it reaches threads that run already.
 *
 * FAULT_VERSION means that the kernel or the build has no such feature: the
 * caller logs a warning and goes on.
 */
#ifndef SKERRY_SANDBOX_SANDBOX_H
#define SKERRY_SANDBOX_SANDBOX_H

#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

enum sandbox_access {
	SANDBOX_READ = 1,  /* open files and folders below it to read */
	SANDBOX_WRITE = 2, /* write, make, remove, rename files and folders */
	SANDBOX_SOCKET = 4, /* make unix sockets */
	SANDBOX_DEVICE = 8, /* ioctl on devices below it */
};

struct sandbox_path {
	int fd;          /* open (or O_PATH) folder or file; the caller's */
	unsigned access; /* enum sandbox_access, or-ed */
};

/* From now on no path but those below the given folders can be opened; what is
 * open stays usable.  n may be 0.  FAULT_VERSION, FAULT_IO. */
int sandbox_landlock(const struct sandbox_path *paths, size_t n,
    struct fault *f) must_check;

/* From now on no TCP socket can be bound or connected; those that listen go on
 * accepting.  FAULT_VERSION (kernels before 6.7), FAULT_IO. */
int sandbox_no_tcp(struct fault *f) must_check;

/* From now on every system call but those listed (SCMP_SYS numbers) fails with
 * ENOSYS.  FAULT_VERSION under sanitizers, FAULT_INTERNAL. */
int sandbox_seccomp(const int *syscalls, size_t n, struct fault *f) must_check;

enum sandbox_denied {
	SANDBOX_NO_OPEN = 1,   /* /etc/passwd cannot be opened */
	SANDBOX_NO_EXEC = 2,   /* execve is filtered */
	SANDBOX_NO_SOCKET = 4, /* a socket cannot be made */
	SANDBOX_NO_PTRACE = 8, /* ptrace is filtered */
};

/* Tries what must fail.  FAULT_INTERNAL names the one that did not. */
int sandbox_check(unsigned denied, struct fault *f) must_check;

#endif
