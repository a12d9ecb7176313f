// SPDX-License-Identifier: Apache-2.0
/* Answers: the codes of spec/40-depot.md and the bodies that carry them. */
#ifndef SKERRY_DEPOT_REPLY_H
#define SKERRY_DEPOT_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "depot/gate.h"
#include "depot/store.h"

struct MHD_Response;

#define REPLY_TABLE(X)                                \
	X(MALFORMED, "malformed", 400)                \
	X(UNAUTHENTICATED, "unauthenticated", 401)    \
	X(EXPIRED, "expired", 401)                    \
	X(DENIED, "denied", 403)                      \
	X(NOT_FOUND, "not-found", 404)                \
	X(EXISTS, "exists", 412)                      \
	X(CONFLICT, "conflict", 409)                  \
	X(TOO_LARGE, "too-large", 413)                \
	X(QUOTA, "quota", 507)                        \
	X(FULL, "full", 507)                          \
	X(BUSY, "busy", 503)                          \
	X(INTERNAL, "internal", 500)

enum reply_code {
#define X(name, text, status) REPLY_##name,
	REPLY_TABLE(X)
#undef X
};

/* So much of a file is read at a time.  The server's own reader takes 4 KiB,
 * and makes a TLS record of each. */
#define REPLY_BLOCK 65536u

struct reply {
	bool decided;
	struct MHD_Response *response; /* NULL: none yet, or out of memory */
	unsigned status;
	uint64_t bytes; /* of the body */
};

/* All of these replace nothing: the first decision stands.  Out of memory, it
 * has no response, and the connection is to be closed. */

/* An error with its code's status, or another where status is not 0. */
void reply_error(struct reply *r, enum reply_code code, unsigned status,
    const char *text);

/* What a store's fault means to the client.  True when the operator should
 * hear of it. */
bool reply_fault(struct reply *r, int rc);

/* For any answer but GATE_OPEN. */
void reply_gate(struct reply *r, enum gate_answer answer);

/* No body. */
void reply_empty(struct reply *r, unsigned status);

/* Copies the body. */
void reply_body(struct reply *r, unsigned status, const char *type,
    const void *p, size_t n);

/* Part of an object's file; the descriptor is the reply's from here on.  Should
 * it fail while it is sent, the log says so, and the connection is cut. */
void reply_file(struct reply *r, unsigned status,
    const struct store_name *name, int fd, uint64_t first, uint64_t len);

void reply_field(struct reply *r, const char *name, const char *value);

/* Frees a response that was not sent. */
void reply_wipe(struct reply *r);

#endif
