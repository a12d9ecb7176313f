// SPDX-License-Identifier: Apache-2.0
#include "depot/metrics.h"

void
metrics_expose(void *arg, struct expose *e)
{
	static const char *const verbs[METRICS_VERBS] = { "get", "head", "put",
		"delete", "list", "health", "other" };
	static const struct tally_kinds kinds = { "verb", verbs,
		METRICS_VERBS };
	struct metrics *m = arg;

	tally_expose(&m->tally, &kinds, e);
	expose_counter(e, "received_bytes_total", "Bytes of request bodies.",
	    atomic_load(&m->bytes_in));
	expose_counter(e, "sent_bytes_total", "Bytes of answered bodies.",
	    atomic_load(&m->bytes_out));
	expose_counter(e, "objects_created_total", "Objects made durable.",
	    atomic_load(&m->objects_created));
	expose_counter(e, "deletes_total", "Deletions made durable.",
	    atomic_load(&m->objects_deleted));
}
