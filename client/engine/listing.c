// SPDX-License-Identifier: Apache-2.0
#include "client/engine/listing.h"

#include "object/key.h"

/* One entry below the folder, or the folder itself. */
static int
one(struct tour *t, const struct tour_item *it, struct bytes key,
    bool recursive, const struct listing_sink *sink)
{
	size_t skip = key.n == 0 ? 0 : key.n + 1;
	struct fault f;
	int rc;

	if (it->key.n == key.n)
		return it->e->type == ENTRY_FOLDER ? 0 :
		    sink->entry(sink->arg, it->key, it->e);
	/* Where a folder's own node was lost, what is below it comes up. */
	if (!recursive && key_depth(it->key) != key_depth(key) + 1)
		return 0;
	rc = sink->entry(sink->arg,
	    bytes_of(it->key.p + skip, it->key.n - skip), it->e);
	if (rc == 0 && !recursive && it->e->type == ENTRY_FOLDER)
		rc = tour_skip_below(t, &f);
	return rc;
}

int
listing_run(struct reader *r, struct bytes key, bool recursive,
    const struct listing_sink *sink, struct fault *f)
{
	const atomic_bool *stop = r->space->ses->stop;
	struct tour *t defer(tour_closep) = NULL;
	struct tour_item it = { 0 };
	struct fault why = { 0 };
	bool lost = false;
	int rc = tour_open(r, key, &t, f);

	if (rc != 0)
		return rc;
	while ((rc = tour_next(t, &it, &why)) > 0) {
		if (stop != NULL && atomic_load(stop))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		if (rc == TOUR_LOST) {
			lost = true;
			sink->lost(sink->arg, it.key, &why);
			continue;
		}
		rc = one(t, &it, key, recursive, sink);
		if (rc != 0)
			return fault_set(f, rc, "%s", fault_text(rc));
	}
	if (rc != 0) {
		*f = why;
		return rc;
	}
	return lost ? fault_set(f, FAULT_PARTIAL,
	    "a part of the tree cannot be read") : 0;
}
