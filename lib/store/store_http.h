// SPDX-License-Identifier: Apache-2.0
/* A depot over HTTPS: spec/40-depot.md. */
#ifndef SKERRY_STORE_STORE_HTTP_H
#define SKERRY_STORE_STORE_HTTP_H

#include "net/http.h"
#include "store/store.h"

struct store_http_config {
	struct http_peer peer;
	uint8_t prefix[ID_LEN];
	const char *capability; /* token; borrowed */
	unsigned retries;       /* of a request that got no answer, or 5xx */
};

/* What config points to must outlive the store and its dups. */
int store_http_open(const struct store_http_config *config,
    struct store **out, struct fault *f) must_check;

#endif
