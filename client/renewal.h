// SPDX-License-Identifier: Apache-2.0
/*
 * A command that outlives its capability asks for another: the depot says that
 * the token has expired, one thread asks the authority, and all go on with what
 * it gave.  Nothing else of that answer is used: keys, head and chain stay as
 * the session found them.
 */
#ifndef SKERRY_CLIENT_RENEWAL_H
#define SKERRY_CLIENT_RENEWAL_H

#include <pthread.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

struct lease;
struct session;

struct renewal {
	struct session *ses;       /* borrowed */
	const struct lease *lease; /* borrowed: what is being outlived */
	pthread_mutex_t lock;
	char *token; /* secret memory; NULL before the first one */
	struct fault why; /* code 0, or what every further one is told */
};

/* ses and lease must outlive it. */
void renewal_init(struct renewal *r, struct session *ses,
    const struct lease *lease);
void renewal_wipe(struct renewal *r);

/*
 * For store_http_config: arg is a struct renewal.  out: a token that is not
 * stale.  FAULT_EXPIRED where the space has another depot by now;
 * FAULT_AUTHORITY, FAULT_DENIED and the like from the authority.
 */
int renewal_token(void *arg, const char *stale, char *out, size_t size,
    struct fault *f) must_check;

#endif
