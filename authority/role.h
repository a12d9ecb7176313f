// SPDX-License-Identifier: Apache-2.0
/*
 * How every role starts, in this order: close what it was not given, drop ids,
 * read its boot message, open what it needs, confine itself, check that what
 * must fail does, say that it is ready, loop.
 */
#ifndef SKERRY_AUTHORITY_ROLE_H
#define SKERRY_AUTHORITY_ROLE_H

#include <stdbool.h>
#include <stddef.h>

#include "authority/link.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"

enum role {
	ROLE_KEYS,
	ROLE_LEDGER,
	ROLE_FRONT,
	ROLE_COURIER, /* only where there are witnesses */
	ROLE_COUNT,
};

/* Descriptors that the parent puts in place before it executes the role. */
enum role_fd {
	ROLE_FD_BOOT = 3,   /* pipe: the boot message, then end of file */
	ROLE_FD_STATUS = 4, /* pipe: one byte when ready, then closed */

	ROLE_FD_KEYS_READ = 5, /* keys, ledger: pipe from the other */
	ROLE_FD_KEYS_WRITE = 6,

	ROLE_FD_LISTEN = 5,  /* front: TCP */
	ROLE_FD_METRICS = 6, /* front: TCP of loopback, or closed */

	ROLE_FD_LINK = 7,    /* front, ledger: socket to the other */
	ROLE_FD_COURIER = 8, /* ledger: socket to the courier … */
	ROLE_FD_ASKED = 5,   /* … and its other end */
};

#define ROLE_BOOT_MAX 8388608

/* "keys", "ledger", "front", "courier". */
const char *role_name(enum role r);

/* Runs the process: name as role_name() has it, ids "" or "uid:gid", parent the
 * process id that must be alive.  Returns the exit status. */
int role_run(const char *name, const char *ids, const char *parent);

/* Appends the boot message and closes its pipe. */
int role_boot_read(struct buf *out, struct fault *f) must_check;

/* Fields of it: u32 length and bytes. */
void role_boot_put(struct wr *w, struct bytes b);
struct bytes role_boot_field(struct rd *r);
/* A copy as text; NULL when out of memory or where the reader has failed. */
char *role_boot_text(struct rd *r);

/* Landlock (n folders and what is below them stay usable), no TCP from here,
 * seccomp, and the check of all that.  FAULT_INTERNAL, FAULT_IO. */
int role_confine(enum role r, const char *const *dir, size_t n,
    struct fault *f) must_check;

/* What is left to a role beyond that, for code that is not ours. */
struct role_reach {
	const char *const *path; /* what is below stays usable, and devices */
	size_t n;
	bool read; /* paths are to read only */
	bool module;  /* the system calls of a PKCS#11 module */
	bool sockets; /* those of sockets, too: a daemon or the network */
	bool tcp;
};

#define ROLE_PATHS_MAX 16

/* As role_confine().  FAULT_CONFIG: a path is not there. */
int role_confine_to(enum role r, const struct role_reach *reach,
    struct fault *f) must_check;

/* Tells the parent. */
int role_ready(struct fault *f) must_check;

/* Waits until a descriptor can be read (-1: none), or so many milliseconds are
 * over (-1: for ever).  FAULT_INTERRUPTED when the parent wants the role to
 * end. */
int role_wait(int fd, int ms, struct fault *f) must_check;

#endif
