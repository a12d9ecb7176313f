// SPDX-License-Identifier: Apache-2.0
#include "client/engine/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum slot_state { SLOT_FREE, SLOT_WANTED, SLOT_UNDER_WAY, SLOT_DONE };

struct slot {
	enum slot_state state;
	struct place place;
	uint64_t age;   /* when it was asked for */
	uint8_t *bytes; /* owned; place.length when done, NULL where it
	                 * failed */
};

struct worker {
	struct ahead *ahead;
	struct store *store; /* owned */
	pthread_t thread;
};

struct ahead {
	struct store *store; /* borrowed */
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t work, done;
	struct slot slot[AHEAD_MAX];
	uint64_t asked;
	bool ending;
	unsigned idle, nworkers;
	struct worker worker[AHEAD_THREADS];
};

/* One request: the slots that it serves, by offset, and their bytes. */
struct span {
	struct place place;
	struct slot *slot[AHEAD_MAX];
	size_t n;
};

struct ahead *
ahead_new(struct store *store)
{
	struct ahead *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->store = store;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->work, NULL);
	(void)pthread_cond_init(&a->done, NULL);
	return a;
}

static void
clear(struct slot *s)
{
	free(s->bytes);
	*s = (struct slot){ 0 };
}

/* The wanted slot that was asked for first, or NULL. */
static struct slot *
first_wanted(struct ahead *a)
{
	struct slot *first = NULL;

	for (size_t i = 0; i < AHEAD_MAX; i++) {
		struct slot *s = &a->slot[i];

		if (s->state == SLOT_WANTED &&
		    (first == NULL || s->age < first->age))
			first = s;
	}
	return first;
}

/* The wanted slot nearest behind end in its object, or NULL. */
static struct slot *
next_near(struct ahead *a, const struct place *span)
{
	uint32_t end = span->offset + span->length;
	struct slot *near = NULL;

	for (size_t i = 0; i < AHEAD_MAX; i++) {
		struct slot *s = &a->slot[i];
		const struct place *p = &s->place;

		if (s->state == SLOT_WANTED &&
		    memcmp(p->object, span->object, ID_LEN) == 0 &&
		    p->offset >= end && p->offset - end <= AHEAD_GAP_MAX &&
		    p->offset - span->offset + p->length <= AHEAD_RANGE_MAX &&
		    (near == NULL || p->offset < near->place.offset))
			near = s;
	}
	return near;
}

/* Takes what one request gets out of the queue. */
static void
begin_span(struct ahead *a, struct slot *first, struct span *out)
{
	out->place = first->place;
	out->n = 0;
	for (struct slot *s = first; s != NULL;
	    s = next_near(a, &out->place)) {
		s->state = SLOT_UNDER_WAY;
		out->slot[out->n++] = s;
		out->place.length = s->place.offset - out->place.offset +
		    s->place.length;
	}
}

/* A slot under way is its worker's: without the lock. */
static void
share_out(const struct span *span, const uint8_t *bytes)
{
	for (size_t i = 0; i < span->n; i++) {
		struct slot *s = span->slot[i];

		s->bytes = malloc(s->place.length);
		if (s->bytes != NULL)
			memcpy(s->bytes, bytes +
			    (s->place.offset - span->place.offset),
			    s->place.length);
	}
}

static void
fetch_span(struct store *store, const struct span *span)
{
	uint8_t *bytes = malloc(span->place.length);
	struct fault f;

	if (bytes != NULL && store->ops->get(store, span->place.object,
	    span->place.offset, span->place.length, bytes, &f) == 0)
		share_out(span, bytes);
	free(bytes);
}

static void *
run(void *arg)
{
	struct worker *w = arg;
	struct ahead *a = w->ahead;
	struct span span;

	(void)pthread_mutex_lock(&a->lock);
	while (!a->ending) {
		struct slot *s = first_wanted(a);

		if (s == NULL) {
			a->idle++;
			(void)pthread_cond_wait(&a->work, &a->lock);
			a->idle--;
			continue;
		}
		begin_span(a, s, &span);
		(void)pthread_mutex_unlock(&a->lock);
		fetch_span(w->store, &span);
		(void)pthread_mutex_lock(&a->lock);
		for (size_t i = 0; i < span.n; i++)
			span.slot[i]->state = SLOT_DONE;
		(void)pthread_cond_broadcast(&a->done);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* One more, where nobody is waiting for work; without any, nothing is fetched
 * ahead. */
static void
start_worker(struct ahead *a)
{
	struct worker *w = &a->worker[a->nworkers];
	struct fault f;

	if (a->nworkers == AHEAD_THREADS ||
	    a->store->ops->dup(a->store, &w->store, &f) != 0)
		return;
	w->ahead = a;
	if (pthread_create(&w->thread, NULL, run, w) == 0)
		a->nworkers++;
	else
		store_close(w->store);
}

static struct slot *
find(struct ahead *a, const struct place *p)
{
	for (size_t i = 0; i < AHEAD_MAX; i++) {
		struct slot *s = &a->slot[i];

		if (s->state != SLOT_FREE &&
		    memcmp(&s->place, p, sizeof(*p)) == 0)
			return s;
	}
	return NULL;
}

/* A free slot, or the oldest of those that were done and never taken. */
static struct slot *
room(struct ahead *a)
{
	struct slot *old = NULL;

	for (size_t i = 0; i < AHEAD_MAX; i++) {
		struct slot *s = &a->slot[i];

		if (s->state == SLOT_FREE)
			return s;
		if (s->state == SLOT_DONE && (old == NULL || s->age < old->age))
			old = s;
	}
	if (old != NULL)
		clear(old);
	return old;
}

void
ahead_want(struct ahead *a, const struct place *place, size_t n)
{
	(void)pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < n; i++) {
		struct slot *s =
		    find(a, &place[i]) == NULL ? room(a) : NULL;

		if (s == NULL)
			continue;
		s->state = SLOT_WANTED;
		s->place = place[i];
		s->age = a->asked++;
	}
	if (a->idle == 0)
		start_worker(a);
	(void)pthread_cond_broadcast(&a->work);
	(void)pthread_mutex_unlock(&a->lock);
}

bool
ahead_take(struct ahead *a, const struct place *place, uint8_t *out)
{
	struct slot *s;
	bool have = false;

	(void)pthread_mutex_lock(&a->lock);
	s = find(a, place);
	while (s != NULL && s->state == SLOT_UNDER_WAY)
		(void)pthread_cond_wait(&a->done, &a->lock);
	if (s != NULL) {
		have = s->bytes != NULL;
		if (have)
			memcpy(out, s->bytes, place->length);
		clear(s);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return have;
}

void
ahead_free(struct ahead *a)
{
	if (a == NULL)
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->ending = true;
	(void)pthread_cond_broadcast(&a->work);
	(void)pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->nworkers; i++) {
		(void)pthread_join(a->worker[i].thread, NULL);
		store_close(a->worker[i].store);
	}
	for (size_t i = 0; i < AHEAD_MAX; i++)
		clear(&a->slot[i]);
	(void)pthread_cond_destroy(&a->work);
	(void)pthread_cond_destroy(&a->done);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}
