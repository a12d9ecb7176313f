// SPDX-License-Identifier: Apache-2.0
/*
 * Many chunks by several threads: gathers wants into batches, sorts each by
 * where they lie, joins neighbours into one request, opens and verifies, and
 * hands the content to the caller's sink.  spec/20-pack.md.
 */
#ifndef SKERRY_CLIENT_ENGINE_FETCH_H
#define SKERRY_CLIENT_ENGINE_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/engine/reader.h"
#include "object/index.h"

#define FETCH_BATCH_WANTS 1024u
#define FETCH_BATCH_BYTES 8388608u /* of sealings in a batch, roughly */
#define FETCH_RANGE_MAX 4194304u   /* bytes of one request */
#define FETCH_GAP_MAX 65536u       /* bytes fetched for nothing between two */
#define FETCH_THREADS_MAX 8u

struct fetch_want {
	struct index_entry e;
	void *what;  /* the caller's */
	uint64_t at; /* the caller's */
};

/*
 * Called by any thread, once for each want: with one, or with n of one `what`
 * of which each begins, by `at`, where the one before ends.  With rc 0, data[i]
 * has w[i]'s verified bytes until it returns, and may be changed; else n is 1,
 * data is NULL and f says what happened to that object.  What it returns (0 or
 * a FAULT_*) ends the whole fetch if it is not 0; f may then be set again.
 * What is lost is looked for elsewhere, unless `exact`.
 */
struct fetch_sink {
	int (*chunks)(void *arg, const struct fetch_want *const *w,
	    struct iovec *data, size_t n, int rc, struct fault *f);
	void *arg;
	bool exact; /* that sealing, and no other of the chunk */
};

struct fetch;

/* Starts the threads, each with a reader of commit (borrowed).  threads 0: as
 * many as processors, 2..FETCH_THREADS_MAX.  FAULT_MEMORY, FAULT_DEPOT. */
int fetch_new(struct space *sp, const struct commit *commit,
    struct fetch_sink sink, unsigned threads, struct fetch **out,
    struct fault *f) must_check;

/* Wants one chunk.  A failure is that which ended the fetch; the sink is told
 * of the want in any case. */
int fetch_add(struct fetch *ft, const struct index_entry *e, void *what,
    uint64_t at) must_check;

/* Hands over what was gathered. */
void fetch_flush(struct fetch *ft);

/* Waits until every want was given to the sink.  0, or what ended it. */
int fetch_wait(struct fetch *ft, struct fault *f) must_check;

/* Requests made so far. */
uint64_t fetch_requests(struct fetch *ft);

/* Waits, ends the threads, frees. */
void fetch_free(struct fetch *ft);
void fetch_freep(struct fetch **ft);

/* Only the chunk's own object is at fault, so that others can go on. */
bool fetch_is_local(int rc);

/* Of those, what is gone or altered, and not what a later release wrote. */
static inline bool
fetch_is_lost(int rc)
{
	return rc == FAULT_MISSING || rc == FAULT_TAMPERED ||
	    rc == FAULT_MALFORMED;
}

/* A reader of the space by the index and dedup key of a commit, which it
 * borrows. */
int fetch_reader(struct space *sp, const struct commit *commit,
    struct reader **out, struct fault *f) must_check;

#endif
