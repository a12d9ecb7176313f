// SPDX-License-Identifier: Apache-2.0
/*
 * Structured log lines on stderr: one JSON object a line, written by a single
 * write(2), so that lines of several threads do not mix.  A line is built on
 * the caller's stack and nothing is allocated:
 *
 *	struct logline l = logline_begin(LOGLINE_INFO, "ready");
 *
 *	logline_u64(&l, "port", port);
 *	logline_end(&l);
 *
 * Never give it a secret, a client's address, or what names a user.
 */
#ifndef SKERRY_BASE_LOGLINE_H
#define SKERRY_BASE_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define LOGLINE_MAX 4096 /* bytes of a line with its newline */

enum logline_level {
	LOGLINE_DEBUG,
	LOGLINE_INFO,
	LOGLINE_WARN,
	LOGLINE_ERROR,
};

struct logline {
	size_t n;            /* bytes in text */
	bool cut;            /* a field did not fit and was left out */
	char text[LOGLINE_MAX];
};

/* Starts a line: time in RFC 3339 UTC with milliseconds, level, event. */
struct logline logline_begin(enum logline_level level, const char *event);

/* Append a field.  One that does not fit is left out as a whole, and the line
 * then has "cut":true.  Bytes that are not UTF-8 become U+FFFD. */
void logline_str(struct logline *l, const char *key, const char *value);
void logline_u64(struct logline *l, const char *key, uint64_t value);
void logline_i64(struct logline *l, const char *key, int64_t value);
void logline_bool(struct logline *l, const char *key, bool value);
void logline_hex(struct logline *l, const char *key, const void *p, size_t n);

/* Fields "code" (fault_name) and "text". */
void logline_fault(struct logline *l, const struct fault *f);

/* Closes the object; text is then the line with its newline, and a NUL. */
void logline_close(struct logline *l);

/* Closes the object and writes it to stderr. */
void logline_end(struct logline *l);

#endif
