// SPDX-License-Identifier: Apache-2.0
/*
 * Errors.  A function that can fail returns 0 or a negative FAULT_*.  Code that
 * does I/O also takes a struct fault as its last parameter and leaves one line
 * there that names the thing at fault; each caller may put context in front.
 */
#ifndef SKERRY_BASE_FAULT_H
#define SKERRY_BASE_FAULT_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

/*
 * X(name, exit status, text).  The exit status is the same for every program
 * of the project, and is documented in skerry(1): never renumber.
 */
#define FAULT_TABLE(X)                                                         \
	X(INTERNAL, 1, "internal error")                                       \
	X(USAGE, 2, "wrong usage")                                             \
	X(CONFIG, 3, "bad configuration or local state")                       \
	X(NOT_FOUND, 4, "not found")                                           \
	X(DENIED, 5, "permission denied")                                      \
	X(SECRET, 6, "wrong recovery code, passphrase or key")                 \
	X(MALFORMED, 7, "data is not in the expected format")                  \
	X(VERSION, 8, "format version is not known to this release")           \
	X(TAMPERED, 9, "data was altered: authentication failed")              \
	X(MISSING, 10, "object is missing at the depot")                       \
	X(DEPOT, 11, "depot cannot be reached")                                \
	X(AUTHORITY, 12, "authority cannot be reached")                        \
	X(TRUST, 13, "peer is not the one that is trusted")                    \
	X(SPACE, 14, "no space left, or quota used up")                        \
	X(CLOCK, 15, "clocks differ too much")                                 \
	X(CONFLICT, 16, "changed by somebody else at the same time")           \
	X(PARTIAL, 17, "done, but some files were left out")                   \
	X(IO, 18, "input/output error")                                        \
	X(LIMIT, 19, "a limit was exceeded")                                   \
	X(MEMORY, 20, "out of memory")                                         \
	X(EXISTS, 21, "already exists")                                        \
	X(EXPIRED, 22, "lease or capability has expired")                      \
	X(ROLLBACK, 23, "an older state was shown than was seen before")       \
	X(CUSTODY, 24, "who holds the keys was changed without announcement")  \
	X(LOG, 25, "the public log of key releases does not hold")             \
	X(ALARM, 26, "the log has what no device of yours stands behind")      \
	X(INTERRUPTED, 130, "interrupted")

enum fault_code {
#define X(name, status, text) FAULT_##name = -(status),
	FAULT_TABLE(X)
#undef X
};

#define FAULT_TEXT_MAX 1024

struct fault {
	int code;                  /* FAULT_* or 0 */
	char text[FAULT_TEXT_MAX]; /* one line, no newline; "" if none */
};

/* Sets code and text (which replaces what was there); returns code. */
int fault_set(struct fault *f, int code, const char *fmt, ...)
	printf_like(3, 4);

/* As fault_set, and appends ": " and the text of errno err. */
int fault_sys(struct fault *f, int code, int err, const char *fmt, ...)
	printf_like(4, 5);

/*
 * Puts "fmt: " in front of the text that is there, or, where f holds no text
 * for this code yet, in front of the code's own text.  Returns code.
 */
int fault_add(struct fault *f, int code, const char *fmt, ...)
	printf_like(3, 4);

/* FAULT_SPACE for ENOSPC, EDQUOT; FAULT_NOT_FOUND, _DENIED, _EXISTS, _MEMORY,
 * FAULT_INTERRUPTED for EINTR; else FAULT_IO. */
int fault_from_errno(int err);

/* The exit status for 0 or a FAULT_*. */
int fault_exit(int code);

/* "TAMPERED" and the like; "OK" for 0; never NULL. */
const char *fault_name(int code);

/* The table's text; never NULL. */
const char *fault_text(int code);

#endif
