// SPDX-License-Identifier: Apache-2.0
/* What the front and the ledger say to each other: bytes of a request and of
 * its answer, not looked into by the front.  spec/50-authority.md, Roles. */
#ifndef SKERRY_AUTHORITY_REQUEST_H
#define SKERRY_AUTHORITY_REQUEST_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "net/httpsig.h"

#define REQUEST_PATH_MAX 64   /* characters */
#define REQUEST_PUBLISHED "/v1/requests" /* GET, by anybody */
#define REQUEST_BODY_MAX 65536 /* REQUEST_MAX of spec/00 */

struct request {
	char path[REQUEST_PATH_MAX + 1];
	struct httpsig_fields sig; /* "" where a header was not sent */
	struct bytes body;         /* borrowed */
};

/* FAULT_LIMIT, FAULT_MEMORY. */
int request_write(const struct request *q, struct buf *out) must_check;

/* out->body borrows from in.  FAULT_MALFORMED. */
int request_read(struct bytes in, struct request *out) must_check;

/* What every answer says of log and clock, for the operator's metrics. */
struct request_log {
	uint64_t size, appends; /* entries; appends of this process */
	int64_t shown;          /* when the checkpoint was published, or 0 */
	uint64_t ahead;         /* seconds: of the clock, pace_ahead() */
};

/* An answer is its HTTP status and its JSON. */
struct request_answer {
	unsigned status;
	struct request_log log;
	struct bytes json; /* borrowed */
};

int request_answer_write(const struct request_answer *a,
    struct buf *out) must_check;
int request_answer_read(struct bytes in, struct request_answer *out)
	must_check;

#endif
