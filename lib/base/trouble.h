// SPDX-License-Identifier: Apache-2.0
/*
 * Lines of the log about what may happen again and again, as long as a disk is
 * full or a stranger likes.  Of each kind there is a line when it begins, one a
 * minute while it goes on, with how often it happened since the last ("times"),
 * and one when a minute has passed without it ("over", and "times" in all).
 * The log is one for a process, and so is this.  Any thread.
 */
#ifndef SKERRY_BASE_TROUBLE_H
#define SKERRY_BASE_TROUBLE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/logline.h"

/* What makes a kind.  The texts are there for good. */
struct trouble {
	const char *event;
	const char *whose; /* a field's name, or NULL */
	unsigned number;   /* its value */
	int code;          /* FAULT_*, or 0 */
};

/* It happened.  True: *out is begun, and to be given what else there is to say
 * and ended.  False: it is counted. */
bool trouble_begin(const struct trouble *t, enum logline_level level,
    struct logline *out) must_check;

/* The line of such a fault, if there is to be one. */
void trouble_fault(const char *event, const struct fault *f);

/* Says what is over; to be called now and then. */
void trouble_tick(void);

#endif
