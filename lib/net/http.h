// SPDX-License-Identifier: Apache-2.0
/*
 * One HTTPS peer, over libcurl: TLS 1.3, only the given certificate authority,
 * keep-alive, and a count of what really crossed the wire.  A struct http
 * belongs to one thread.
 */
#ifndef SKERRY_NET_HTTP_H
#define SKERRY_NET_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

/* Shared by any number of struct http; all counts only grow. */
struct http_wire {
	atomic_uint_fast64_t requests;
	atomic_uint_fast64_t sent, received; /* TCP payload: TLS and all */
};

struct http_peer {
	const char *url;  /* https://host[:port], no path; borrowed */
	const char *ca;   /* PEM; borrowed */
	int fault;        /* not reached: FAULT_DEPOT or FAULT_AUTHORITY */
	struct http_wire *wire;   /* borrowed */
	const atomic_bool *stop;  /* true: give up with FAULT_INTERRUPTED */
	unsigned seconds; /* that a request may take in all; 0: as long as it
	                   * goes on */
};

/* For peers of small answers: one that comes byte by byte would take days. */
#define HTTP_SMALL_SECONDS 120

struct http;

/* peer's pointers must outlive the handle.  FAULT_MEMORY, FAULT_INTERNAL. */
int http_open(const struct http_peer *peer, struct http **out,
    struct fault *f) must_check;
void http_close(struct http *h);
void http_closep(struct http **h);

struct http_request {
	const char *method, *path;  /* path begins with a slash */
	const char *const *headers; /* "Name: value", NULL last; or NULL */
	struct bytes body;          /* sent if method is PUT or POST */
	uint8_t *out;               /* the answer's body goes here … */
	size_t out_max;             /* … and a longer one is FAULT_LIMIT */
	bool errors_apart; /* body of a status from 400 on: not to out, but
	                    * its first bytes to answer.error; a long one
	                    * is not read to its end */
};

#define HTTP_ERROR_MAX 1024

struct http_answer {
	unsigned status;
	size_t n;          /* bytes of body in out */
	int64_t date;      /* Date header, Unix seconds; 0 if none */
	char digest[128];  /* Repr-Digest; "" if none */
	char error[HTTP_ERROR_MAX + 1]; /* see errors_apart; "" if none */
};

/*
 * One request.  Any HTTP status is success here.  peer.fault where the peer
 * does not answer (name, connect, time-out, cut), FAULT_TRUST where its
 * certificate is not good, FAULT_INTERRUPTED, FAULT_LIMIT; FAULT_IO where this
 * process has no descriptor left.  Nothing is retried.
 */
int http_do(struct http *h, const struct http_request *req,
    struct http_answer *ans, struct fault *f) must_check;

/* The peer's address as given, for messages; borrowed. */
const char *http_url(const struct http *h);

#endif
