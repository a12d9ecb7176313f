// SPDX-License-Identifier: Apache-2.0
/* One request, from its target to its answer. */
#ifndef SKERRY_DEPOT_REQUEST_H
#define SKERRY_DEPOT_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "depot/digest.h"
#include "depot/metrics.h"
#include "depot/path.h"
#include "depot/pool.h"
#include "depot/reply.h"
#include "depot/store.h"

struct MHD_Connection;

/* What requests work with; the same for all. */
struct request_site {
	struct store *store;
	struct gate *gate;
	struct metrics *metrics;
	uint64_t quota; /* the operator's, for each prefix; 0: none */
	atomic_bool draining;
};

/* Header fields that mean something here; NULL where absent.  The values live
 * as long as the request. */
struct request_fields {
	const char *authorization;
	const char *content_digest;
	const char *content_length;
	const char *if_none_match;
	const char *range;
	const char *transfer_encoding;
	const char *want_repr_digest;
	bool repeated; /* one of them came twice */
};

struct request_op;
struct front;

/*
 * Invariants:
 *  1. Until reply is decided, op is what is being done.
 *  2. upload is not NULL only between put_begin and put_commit or put_abort.
 *  3. Only one thread has the request: the connection's, or, while it is
 *     suspended, one of the pool's.
 */
struct request {
	struct pool_job job; /* first */
	struct request_site *site;
	struct front *front; /* that has it; the front's own */
	struct MHD_Connection *conn;
	struct path path;
	int path_rc;
	const struct request_op *op;
	struct request_fields fields;
	bool begun;     /* the head was looked at */
	bool opened;    /* op's begin was done, by whichever thread */
	bool receiving; /* the body may come */
	uint64_t begun_at; /* monotonic nanoseconds */
	bool admitted;  /* the capability is good for it */
	uint64_t quota;
	enum metrics_verb verb;
	uint64_t length, received; /* of the body */
	struct request *next_open, *waiting; /* opening.h */
	struct store_upload *upload;
	bool summed; /* want and sum are set: there is a body */
	struct digest want; /* as the client said */
	struct digest_sum sum;
	uint8_t head[STORE_HEAD_LEN];
	struct reply reply;
};

/* NULL when out of memory.  target: as on the request line. */
struct request *request_new(struct request_site *site,
    struct MHD_Connection *conn, const char *target);

/* Headers are in: checks them.  Decides the reply where the request is
 * refused. */
void request_begin(struct request *r, const char *method);

/* Starts an upload, where it is one, once; or decides the reply. */
void request_open(struct request *r);

/* Whether request_open may wait for the disk. */
bool request_opens_slowly(const struct request *r);

/* A piece of the body. */
void request_body(struct request *r, const void *p, size_t n);

/* Whether request_finish may wait for the disk. */
bool request_is_slow(const struct request *r);

/* The body is in: does it, and decides the reply. */
void request_finish(struct request *r);

/* Decides that nothing is begun any more. */
void request_stopping(struct request *r);

/* Undoes what was not finished; counts; frees.  whole: the answer was sent. */
void request_end(struct request *r, bool whole);

#endif
