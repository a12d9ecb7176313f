// SPDX-License-Identifier: Apache-2.0
#include "client/engine/fetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/secret.h"
#include "net/text.h"

/* Of chunks that are opened together. */
#define PLAIN_MAX (2 * SEAL_OUT(CHUNK_MAX))

struct batch {
	struct batch *next;
	size_t n;
	uint64_t sealed;
	struct fetch_want want[FETCH_BATCH_WANTS];
};

struct worker {
	struct fetch *ft;
	pthread_t thread;
	bool started;
	struct reader *reader;
	uint8_t *range; /* FETCH_RANGE_MAX */
	uint8_t *plain; /* PLAIN_MAX */
	const struct fetch_want *order[FETCH_BATCH_WANTS];
	struct fault fault;
};

struct fetch {
	struct space *space;
	struct fetch_sink sink;
	struct batch *open; /* being gathered; the adder's */

	pthread_mutex_t lock; /* over all below */
	pthread_cond_t work, idle;
	struct batch *free, *head, **tail;
	size_t busy; /* batches handed over and not done */
	bool ending;
	int rc; /* what ended it */
	struct fault fault;
	uint64_t requests;

	unsigned nworkers, nbatches;
	struct worker *worker; /* owned, as batch */
	struct batch *batch;
};

bool
fetch_is_local(int rc)
{
	return rc == FAULT_MISSING || rc == FAULT_TAMPERED ||
	    rc == FAULT_MALFORMED || rc == FAULT_VERSION ||
	    rc == FAULT_NOT_FOUND || rc == FAULT_LIMIT;
}

int
fetch_reader(struct space *sp, const struct commit *commit,
    struct reader **out, struct fault *f)
{
	struct reader *r defer(reader_freep) = NULL;
	int rc = reader_new(sp, &r, f);

	if (rc != 0)
		return rc;
	r->commit = commit;
	if (!secret_equal(&commit->dedup, &sp->commit.dedup,
		sizeof(commit->dedup))) {
		seal_free(r->seal);
		r->seal = NULL;
		rc = seal_new(BULK_BEST, &commit->dedup, &r->seal);
		if (rc != 0)
			return fault_add(f, rc, "keys of the commit");
	}
	*out = take(r);
	return 0;
}

/* The first failure stays. */
static void
end_with(struct fetch *ft, int rc, const struct fault *f)
{
	pthread_mutex_lock(&ft->lock);
	if (ft->rc == 0) {
		ft->rc = rc;
		ft->fault = *f;
		ft->fault.code = rc;
	}
	pthread_mutex_unlock(&ft->lock);
}

static int
ended(struct fetch *ft)
{
	const atomic_bool *stop = ft->space->ses->stop;
	int rc;

	pthread_mutex_lock(&ft->lock);
	if (ft->rc == 0 && stop != NULL && atomic_load(stop))
		ft->rc = fault_set(&ft->fault, FAULT_INTERRUPTED,
		    "interrupted");
	rc = ft->rc;
	pthread_mutex_unlock(&ft->lock);
	return rc;
}

/* Of n wants from w[0] on. */
static void
tell(struct worker *wk, const struct fetch_want *const *w, struct iovec *data,
    size_t n, int rc)
{
	struct fetch *ft = wk->ft;
	struct fault f = wk->fault;
	int end;

	if (rc == 0)
		f = (struct fault){ 0 };
	end = ft->sink.chunks(ft->sink.arg, w, data, n, rc, &f);
	if (end == 0 && rc != 0 && !fetch_is_local(rc))
		end = rc;
	if (end != 0)
		end_with(ft, end, &f);
}

static int
by_place(const void *a, const void *b)
{
	const struct fetch_want *x = *(const struct fetch_want *const *)a;
	const struct fetch_want *y = *(const struct fetch_want *const *)b;
	int c = memcmp(x->e.place.object, y->e.place.object, ID_LEN);

	if (c != 0)
		return c;
	if (x->e.place.offset != y->e.place.offset)
		return x->e.place.offset < y->e.place.offset ? -1 : 1;
	return memcmp(x->e.id, y->e.id, CHUNK_ID_LEN);
}

static bool
same_object(const struct fetch_want *a, const struct fetch_want *b)
{
	return memcmp(a->e.place.object, b->e.place.object, ID_LEN) == 0;
}

/* One opening serves both. */
static bool
same_chunk(const struct fetch_want *a, const struct fetch_want *b)
{
	return same_object(a, b) && a->e.place.offset == b->e.place.offset &&
	    a->e.place.length == b->e.place.length &&
	    a->e.plain_len == b->e.plain_len && a->e.kind == b->e.kind &&
	    memcmp(a->e.id, b->e.id, CHUNK_ID_LEN) == 0 &&
	    secret_equal(&a->e.key, &b->e.key, sizeof(a->e.key));
}

/* Names the object, whatever the store said. */
static int
name_object(struct worker *w, const uint8_t *object, int rc)
{
	char hex[2 * ID_LEN + 1];

	text_hex(object, ID_LEN, hex, sizeof(hex));
	return fault_add(&w->fault, rc, "object %s", hex);
}

static int
get(struct worker *w, const uint8_t *object, uint64_t from, size_t len)
{
	struct store *s = w->reader->store;
	int rc = ended(w->ft);

	w->fault = (struct fault){ 0 };
	if (rc != 0)
		return fault_set(&w->fault, rc, "%s", fault_text(rc));
	pthread_mutex_lock(&w->ft->lock);
	w->ft->requests++;
	pthread_mutex_unlock(&w->ft->lock);
	rc = s->ops->get(s, object, from, len, w->range, &w->fault);
	if (rc == FAULT_MISSING || rc == FAULT_MALFORMED ||
	    rc == FAULT_TAMPERED)
		(void)name_object(w, object, fault_set(&w->fault, rc, "%s",
		    fault_text(rc)));
	return rc;
}

/* Tells of order[i] and of those that want the same chunk; returns the first
 * that does not. */
static size_t
tell_same(struct worker *w, size_t i, size_t j, const struct iovec *data,
    int rc)
{
	const struct fetch_want *x = w->order[i];

	do {
		struct iovec one = data != NULL ? *data : (struct iovec){ 0 };

		tell(w, w->order + i, data != NULL ? &one : NULL, 1, rc);
	} while (++i < j && same_chunk(x, w->order[i]));
	return i;
}

/* Tells of what cannot be read where order[i] wants it, as wk->fault says, or
 * of the same from elsewhere, for which out has room; returns as tell_same. */
static size_t
tell_lost(struct worker *w, size_t i, size_t j, uint8_t *out, int rc)
{
	const struct index_entry *e = &w->order[i]->e;
	struct iovec data = { out, e->plain_len };
	struct fault f = { 0 };
	int again;

	if (!fetch_is_lost(rc) || w->ft->sink.exact ||
	    e->plain_len > CHUNK_MAX)
		return tell_same(w, i, j, NULL, rc);
	again = reader_elsewhere(w->reader, e, out, &f);
	if (again == FAULT_NOT_FOUND)
		return tell_same(w, i, j, NULL, rc);
	w->fault = f;
	return tell_same(w, i, j, again == 0 ? &data : NULL, again);
}

/* How many of x, the first of which is what order[i] wants, are one file's
 * bytes that follow each other, and are wanted once. */
static size_t
run_of(const struct worker *w, size_t i, size_t j,
    const struct seal_opening *x, size_t n)
{
	const struct fetch_want *const *o = w->order + i;
	size_t k = 0;

	while (k < n && x[k].rc == 0 &&
	    (k == 0 || (o[k]->what == o[0]->what &&
		o[k]->at == o[k - 1]->at + o[k - 1]->e.plain_len)) &&
	    (i + k + 1 == j || !same_chunk(o[k], o[k + 1])))
		k++;
	return k;
}

/* Tells of what x wanted, order[i..j) in part; returns the first that is not
 * of it. */
static size_t
tell_opened(struct worker *w, size_t i, size_t j, const struct seal_opening *x,
    size_t n)
{
	struct iovec data[SEAL_OPENINGS];

	for (size_t k = 0; k < n; k++)
		data[k] = (struct iovec){ x[k].out +
			(x[k].rc == 0 ? x[k].content.p - x[k].out : 0),
			x[k].e->plain_len };
	for (size_t k = 0, run; k < n; k += run) {
		run = run_of(w, i, j, x + k, n - k);
		if (run != 0) {
			tell(w, w->order + i, data + k, run, 0);
			i += run;
			continue;
		}
		run = 1;
		w->fault = (struct fault){ 0 };
		if (x[k].rc == 0) {
			i = tell_same(w, i, j, &data[k], 0);
			continue;
		}
		(void)name_object(w, x[k].e->place.object, x[k].rc);
		i = tell_lost(w, i, j, x[k].out, x[k].rc);
	}
	return i;
}

/* Chunks from order[i] on that are opened together, out of range, which begins
 * at from; returns how many. */
static size_t
gather(struct worker *w, size_t i, size_t j, uint64_t from,
    struct seal_opening x[static SEAL_OPENINGS])
{
	size_t n = 0, used = 0;

	for (; i < j && n < SEAL_OPENINGS; i++) {
		const struct index_entry *e = &w->order[i]->e;
		size_t room = SEAL_OUT(e->plain_len);

		if (n != 0 && same_chunk(w->order[i - 1], w->order[i]))
			continue;
		if (e->plain_len > CHUNK_MAX)
			room = 0; /* it is refused */
		if (room > PLAIN_MAX - used)
			break;
		x[n++] = (struct seal_opening){ .e = e,
			.sealed = bytes_of(w->range + (e->place.offset - from),
			    e->place.length), .out = w->plain + used };
		used += room;
	}
	return n;
}

/* Wants order[i..j) of one object, of which range has the bytes from `from`
 * on; rc: what getting them gave. */
static void
open_range(struct worker *w, size_t i, size_t j, uint64_t from, int rc)
{
	struct seal_opening x[SEAL_OPENINGS];

	while (rc != 0 && i < j)
		i = tell_lost(w, i, j, w->plain, rc);
	while (i < j) {
		size_t n = gather(w, i, j, from, x);

		seal_open_chunks(w->reader->seal, x, n);
		i = tell_opened(w, i, j, x, n);
	}
}

static uint64_t
end_of(const struct fetch_want *x)
{
	return (uint64_t)x->e.place.offset + x->e.place.length;
}

/* One request for order[i..] as far as it is worth it; returns its end. */
static size_t
do_range(struct worker *w, size_t i, size_t n)
{
	const struct fetch_want *x = w->order[i];
	uint64_t from = x->e.place.offset, to = end_of(x);
	size_t j = i + 1;
	int rc;

	for (; j < n; j++) {
		const struct fetch_want *y = w->order[j];
		uint64_t end = end_of(y) > to ? end_of(y) : to;

		if (!same_object(x, y) ||
		    y->e.place.offset > to + FETCH_GAP_MAX ||
		    end - from > FETCH_RANGE_MAX)
			break;
		to = end;
	}
	rc = get(w, x->e.place.object, from, to - from);
	if (rc != FAULT_MISSING || same_chunk(x, w->order[j - 1])) {
		open_range(w, i, j, from, rc);
		return j;
	}
	/* The object may be cut short: what lies before the cut is whole. */
	while (i < j) {
		size_t k = i + 1;

		x = w->order[i];
		while (k < j && same_chunk(x, w->order[k]))
			k++;
		rc = get(w, x->e.place.object, x->e.place.offset,
		    x->e.place.length);
		open_range(w, i, k, x->e.place.offset, rc);
		i = k;
	}
	return j;
}

static void
do_batch(struct worker *w, struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		w->order[i] = &b->want[i];
	qsort(w->order, b->n, sizeof(w->order[0]), by_place);
	for (size_t i = 0; i < b->n;)
		i = do_range(w, i, b->n);
	secret_wipe(b->want, b->n * sizeof(b->want[0]));
	b->n = 0;
	b->sealed = 0;
}

static void *
run(void *arg)
{
	struct worker *w = arg;
	struct fetch *ft = w->ft;
	struct batch *b;

	pthread_mutex_lock(&ft->lock);
	for (;;) {
		while (ft->head == NULL && !ft->ending)
			pthread_cond_wait(&ft->work, &ft->lock);
		b = ft->head;
		if (b == NULL)
			break;
		ft->head = b->next;
		if (ft->head == NULL)
			ft->tail = &ft->head;
		pthread_mutex_unlock(&ft->lock);
		do_batch(w, b);
		pthread_mutex_lock(&ft->lock);
		b->next = ft->free;
		ft->free = b;
		ft->busy--;
		pthread_cond_broadcast(&ft->idle);
	}
	pthread_mutex_unlock(&ft->lock);
	return NULL;
}

static unsigned
thread_count(unsigned threads)
{
	long n = threads != 0 ? (long)threads : sysconf(_SC_NPROCESSORS_ONLN);

	if (threads == 0 && n < 2)
		n = 2;
	return n > (long)FETCH_THREADS_MAX ? FETCH_THREADS_MAX : (unsigned)n;
}

static int
start_worker(struct fetch *ft, struct worker *w, const struct commit *commit,
    struct fault *f)
{
	int rc = fetch_reader(ft->space, commit, &w->reader, f);

	if (rc != 0)
		return rc;
	w->ft = ft;
	w->range = malloc(FETCH_RANGE_MAX);
	w->plain = malloc(PLAIN_MAX);
	if (w->range == NULL || w->plain == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a fetch");
	rc = pthread_create(&w->thread, NULL, run, w);
	if (rc != 0)
		return fault_sys(f, FAULT_MEMORY, rc, "thread");
	w->started = true;
	return 0;
}

int
fetch_new(struct space *sp, const struct commit *commit,
    struct fetch_sink sink, unsigned threads, struct fetch **out,
    struct fault *f)
{
	struct fetch *ft defer(fetch_freep) = calloc(1, sizeof(*ft));
	unsigned n = thread_count(threads);
	int rc;

	if (ft == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a fetch");
	ft->space = sp;
	ft->sink = sink;
	ft->tail = &ft->head;
	pthread_mutex_init(&ft->lock, NULL);
	pthread_cond_init(&ft->work, NULL);
	pthread_cond_init(&ft->idle, NULL);
	ft->batch = calloc(n + 2, sizeof(*ft->batch));
	ft->worker = calloc(n, sizeof(*ft->worker));
	if (ft->batch == NULL || ft->worker == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a fetch");
	for (unsigned i = 0; i < n + 2; i++) {
		ft->batch[i].next = ft->free;
		ft->free = &ft->batch[i];
	}
	for (; ft->nworkers < n; ft->nworkers++) {
		rc = start_worker(ft, &ft->worker[ft->nworkers], commit, f);
		if (rc != 0) {
			ft->nworkers++;
			return rc;
		}
	}
	*out = take(ft);
	return 0;
}

static struct batch *
free_batch(struct fetch *ft)
{
	struct batch *b;

	pthread_mutex_lock(&ft->lock);
	while (ft->free == NULL)
		pthread_cond_wait(&ft->idle, &ft->lock);
	b = ft->free;
	ft->free = b->next;
	pthread_mutex_unlock(&ft->lock);
	return b;
}

int
fetch_add(struct fetch *ft, const struct index_entry *e, void *what,
    uint64_t at)
{
	struct batch *b;

	if (ft->open == NULL)
		ft->open = free_batch(ft);
	b = ft->open;
	b->want[b->n++] = (struct fetch_want){ *e, what, at };
	b->sealed += e->place.length;
	if (b->n == FETCH_BATCH_WANTS || b->sealed >= FETCH_BATCH_BYTES)
		fetch_flush(ft);
	return ended(ft);
}

void
fetch_flush(struct fetch *ft)
{
	struct batch *b = ft->open;

	if (b == NULL)
		return;
	ft->open = NULL;
	b->next = NULL;
	pthread_mutex_lock(&ft->lock);
	*ft->tail = b;
	ft->tail = &b->next;
	ft->busy++;
	pthread_cond_signal(&ft->work);
	pthread_mutex_unlock(&ft->lock);
}

int
fetch_wait(struct fetch *ft, struct fault *f)
{
	int rc;

	fetch_flush(ft);
	pthread_mutex_lock(&ft->lock);
	while (ft->busy != 0)
		pthread_cond_wait(&ft->idle, &ft->lock);
	rc = ft->rc;
	if (rc != 0)
		*f = ft->fault;
	pthread_mutex_unlock(&ft->lock);
	return rc;
}

uint64_t
fetch_requests(struct fetch *ft)
{
	uint64_t n;

	pthread_mutex_lock(&ft->lock);
	n = ft->requests;
	pthread_mutex_unlock(&ft->lock);
	return n;
}

void
fetch_free(struct fetch *ft)
{
	if (ft == NULL)
		return;
	fetch_flush(ft);
	pthread_mutex_lock(&ft->lock);
	ft->ending = true;
	pthread_cond_broadcast(&ft->work);
	pthread_mutex_unlock(&ft->lock);
	for (unsigned i = 0; i < ft->nworkers; i++) {
		struct worker *w = &ft->worker[i];

		if (w->started)
			pthread_join(w->thread, NULL);
		reader_free(w->reader);
		free(w->range);
		free(w->plain);
	}
	free(ft->worker);
	free(ft->batch);
	pthread_cond_destroy(&ft->work);
	pthread_cond_destroy(&ft->idle);
	pthread_mutex_destroy(&ft->lock);
	free(ft);
}

void
fetch_freep(struct fetch **ft)
{
	fetch_free(*ft);
}
