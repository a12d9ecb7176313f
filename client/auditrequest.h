// SPDX-License-Identifier: Apache-2.0
/*
 * What governments and others demanded of an authority, by its log, and whether
 * the authority publishes it as it has to: spec/60-log.md, Requests.
 */
#ifndef SKERRY_CLIENT_AUDITREQUEST_H
#define SKERRY_CLIENT_AUDITREQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/audititem.h"
#include "client/logread.h"

/* Numbers are in the ids of alarms: never renumber. */
#define AUDITREQUEST_TABLE(X)                                                 \
	X(LEFT_OUT, 1, "the authority does not list it")                      \
	X(FALSE, 2, "the authority opens it to something else")               \
	X(DATE, 3, "listed with another date than its own")                   \
	X(LATE, 4, "the date of its text has passed, and it is not published") \
	X(OTHER, 5, "listed, and is no request")                              \
	X(ORDER, 6, "does not follow the state before it")

enum auditrequest_why {
#define X(name, number, text) AUDITREQUEST_##name = (number),
	AUDITREQUEST_TABLE(X)
#undef X
};

/* Never NULL. */
const char *auditrequest_text(enum auditrequest_why why);

struct auditrequest_alarm {
	enum auditrequest_why why;
	bool has_before;
	uint64_t index, before; /* ORDER: the state before, if there is one */
	const struct answer_request *shown; /* as listed; LEFT_OUT: NULL */
};

struct auditrequest {
	/* In. */
	struct logread *read; /* its tree is set */
	uint64_t size;        /* of that */
	const struct audititems *items; /* with the requests that were read */
	int64_t now;
	/* May read from the log. */
	void (*alarm)(void *arg, const struct auditrequest_alarm *x);
	void *arg;
	/* Out. */
	size_t n;     /* entries of requests */
	size_t texts; /* of them opened, and good */
};

/* Holds the authority's list against the log; each alarm is told.  As
 * logread_requests and logread_entries. */
int auditrequest_check(struct auditrequest *a, struct fault *f) must_check;

#endif
