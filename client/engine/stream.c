// SPDX-License-Identifier: Apache-2.0
/*
 * A ring of SLOTS chunks.  The writer takes them in order; threads fill them
 * ahead of it, each taking the next chunk that nobody has.
 */
#include "client/engine/stream.h"

#include <pthread.h>
#include <stdlib.h>

#include "client/engine/fetch.h"
#include "client/engine/tour.h"
#include "object/list.h"

#define THREADS 3u
#define SLOTS 6u
#define ZEROS 65536u

struct slot {
	struct index_entry e;
	uint8_t *data; /* owned; CHUNK_MAX */
	bool ready;
	int rc;
	struct fault fault;
};

struct stream {
	struct space *space;
	const struct stream_sink *sink;
	struct reader *reader; /* the writer's */
	struct buf list;

	pthread_mutex_t lock; /* over all below */
	pthread_cond_t cond;
	bool ending;
	struct slot slot[SLOTS];
	uint64_t first, next, last; /* to write, to fetch, to plan */

	struct worker {
		struct stream *s;
		struct reader *reader;
		pthread_t thread;
		bool started;
	} worker[THREADS];
};

static void *
run(void *arg)
{
	struct worker *w = arg;
	struct stream *s = w->s;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		struct slot *x;
		int rc;

		while (s->next == s->last && !s->ending)
			pthread_cond_wait(&s->cond, &s->lock);
		if (s->ending)
			break;
		x = &s->slot[s->next++ % SLOTS];
		pthread_mutex_unlock(&s->lock);
		x->fault = (struct fault){ 0 };
		rc = reader_chunk(w->reader, &x->e, x->data, &x->fault);
		pthread_mutex_lock(&s->lock);
		x->rc = rc;
		x->ready = true;
		pthread_cond_broadcast(&s->cond);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static int
start(struct stream *s, const struct commit *commit, struct fault *f)
{
	for (size_t i = 0; i < SLOTS; i++) {
		s->slot[i].data = malloc(CHUNK_MAX);
		if (s->slot[i].data == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	for (size_t i = 0; i < THREADS; i++) {
		struct worker *w = &s->worker[i];
		int rc = fetch_reader(s->space, commit, &w->reader, f);

		if (rc != 0)
			return rc;
		w->s = s;
		rc = pthread_create(&w->thread, NULL, run, w);
		if (rc != 0)
			return fault_sys(f, FAULT_MEMORY, rc, "thread");
		w->started = true;
	}
	return 0;
}

static void
finish(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < THREADS; i++) {
		if (s->worker[i].started)
			pthread_join(s->worker[i].thread, NULL);
		reader_free(s->worker[i].reader);
	}
	for (size_t i = 0; i < SLOTS; i++)
		free(s->slot[i].data);
	reader_free(s->reader);
	buf_wipe(&s->list);
	pthread_cond_destroy(&s->cond);
	pthread_mutex_destroy(&s->lock);
}

/* Wants chunks ahead of the writer as far as there are slots. */
static int
plan(struct stream *s, struct list_iter *ahead, struct fault *f)
{
	struct list_item item;
	struct index_entry e;
	int rc;

	while (s->last - s->first < SLOTS &&
	    (rc = list_next(ahead, &item)) == 1) {
		if (item.hole)
			continue;
		rc = reader_find(s->reader, item.id, &e, f);
		if (rc == FAULT_NOT_FOUND)
			return fault_set(f, FAULT_MISSING, "the index does not "
			    "have a chunk that the tree names");
		if (rc != 0)
			return rc;
		if (e.kind != SEAL_DATA || e.plain_len != item.length)
			return fault_set(f, FAULT_MALFORMED, "index and tree "
			    "say different things of a chunk");
		s->slot[s->last % SLOTS].e = e;
		s->slot[s->last % SLOTS].ready = false;
		pthread_mutex_lock(&s->lock);
		s->last++;
		pthread_cond_broadcast(&s->cond);
		pthread_mutex_unlock(&s->lock);
	}
	return 0;
}

static bool
stopped(const struct stream *s)
{
	const atomic_bool *stop = s->space->ses->stop;

	return stop != NULL && atomic_load(stop);
}

static int
give_hole(struct stream *s, uint64_t n, struct fault *f)
{
	static const uint8_t zeros[ZEROS];
	int rc = 0;

	while (rc == 0 && n > 0) {
		size_t k = n < ZEROS ? (size_t)n : ZEROS;

		if (stopped(s))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		rc = s->sink->data(s->sink->arg, zeros, k, f);
		n -= k;
	}
	return rc;
}

static int
give_chunk(struct stream *s, struct fault *f)
{
	struct slot *x = &s->slot[s->first % SLOTS];
	int rc;

	pthread_mutex_lock(&s->lock);
	while (!x->ready)
		pthread_cond_wait(&s->cond, &s->lock);
	rc = x->rc;
	pthread_mutex_unlock(&s->lock);
	if (rc != 0) {
		*f = x->fault;
		return rc;
	}
	if (stopped(s))
		return fault_set(f, FAULT_INTERRUPTED, "interrupted");
	rc = s->sink->data(s->sink->arg, x->data, x->e.plain_len, f);
	s->first++;
	return rc;
}

static int
give_all(struct stream *s, struct fault *f)
{
	struct list_iter it = list_begin(buf_bytes(&s->list), 0);
	struct list_iter ahead = it;
	struct list_item item;
	int rc;

	while ((rc = list_next(&it, &item)) == 1) {
		rc = plan(s, &ahead, f);
		if (rc == 0)
			rc = item.hole ? give_hole(s, item.length, f) :
			                 give_chunk(s, f);
		if (rc != 0)
			return rc;
	}
	return rc == 0 ? 0 : fault_set(f, rc, "a bad content list");
}

static int
read_list(struct stream *s, struct bytes key, struct fault *f)
{
	struct tour *t defer(tour_closep) = NULL;
	struct tour_item it;
	int rc;

	if (key.n == 0)
		return fault_set(f, FAULT_USAGE, "is a folder");
	rc = tour_open(s->reader, key, &t, f);
	if (rc == 0)
		rc = tour_next(t, &it, f);
	if (rc < 0)
		return rc;
	if (rc != TOUR_ENTRY)
		return f->code != 0 ? f->code :
		    fault_set(f, FAULT_MALFORMED, "cannot be read");
	if (it.e->type != ENTRY_FILE)
		return fault_set(f, FAULT_USAGE, "is not a file");
	return reader_list(s->reader, it.e, &s->list, f);
}

int
stream_run(struct space *sp, const struct commit *commit, struct bytes key,
    const struct stream_sink *sink, struct fault *f)
{
	struct stream s = { .space = sp, .sink = sink };
	int rc;

	s.list = buf_init((size_t)1 << 30);
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.cond, NULL);
	rc = fetch_reader(sp, commit, &s.reader, f);
	if (rc == 0)
		rc = read_list(&s, key, f);
	if (rc == 0)
		rc = start(&s, commit, f);
	if (rc == 0)
		rc = give_all(&s, f);
	finish(&s);
	return rc;
}
