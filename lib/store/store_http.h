// SPDX-License-Identifier: Apache-2.0
/* A depot over HTTPS: spec/40-depot.md. */
#ifndef SKERRY_STORE_STORE_HTTP_H
#define SKERRY_STORE_STORE_HTTP_H

#include <stddef.h>

#include "net/http.h"
#include "store/store.h"

#define STORE_TOKEN_MAX 2048 /* characters */

struct store_http_config {
	struct http_peer peer;
	uint8_t prefix[ID_LEN];
	const char *capability; /* token; borrowed */
	unsigned retries;       /* of a request that got no answer, or 5xx;
	                         * fewer while the wire received nothing */

	/* NULL, or asked for a token where the depot says that stale has
	 * expired: at most once a request, by any thread. */
	int (*renew)(void *arg, const char *stale, char *out, size_t size,
	    struct fault *f);
	void *renew_arg;

	/* NULL, or told why a request is being sent again, by any thread. */
	void (*again)(const struct fault *why);
};

/* What config points to must outlive the store and its dups. */
int store_http_open(const struct store_http_config *config,
    struct store **out, struct fault *f) must_check;

#endif
