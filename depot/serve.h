// SPDX-License-Identifier: Apache-2.0
/* What each request does to the store.  A begin function checks the fields and
 * may start an upload; a finish function always decides the reply. */
#ifndef SKERRY_DEPOT_SERVE_H
#define SKERRY_DEPOT_SERVE_H

#include "depot/request.h"
#include "net/capability.h"

struct request_op {
	enum path_kind kind;
	const char *method;
	unsigned capability; /* enum capability_verb; 0: none needed */
	enum metrics_verb verb;
	bool slow; /* finish waits for the disk */
	void (*begin)(struct request *r, uint64_t quota); /* NULL: no body */
	void (*finish)(struct request *r);
};

void serve_put_begin(struct request *r, uint64_t quota);
void serve_put(struct request *r);
void serve_head_put_begin(struct request *r, uint64_t quota);
void serve_head_put(struct request *r);
void serve_body(struct request *r, const void *p, size_t n);

void serve_get(struct request *r);
void serve_stat(struct request *r); /* HEAD of an object */
void serve_delete(struct request *r);
void serve_list(struct request *r);
void serve_head_get(struct request *r);
void serve_healthz(struct request *r);

#endif
