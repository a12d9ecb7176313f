// SPDX-License-Identifier: Apache-2.0
#include "client/engine/packer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine/journal.h"
#include "crypt/secret.h"
#include "object/pack.h"

enum slot_state { SLOT_FREE, SLOT_OPEN, SLOT_WAITING, SLOT_SENDING };

struct slot {
	enum slot_state state;
	struct pack pack;
	bool ready; /* pack has its buffer */
	bool last;  /* may be shorter than PACK_SIZE */
	unsigned reserved; /* rooms that are being filled */
	struct index_entry *entry; /* owned; of the chunks in pack */
	size_t n, cap;
};

struct packer {
	struct journal *journal;
	struct packer_stats *stats;
	struct effort effort;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t work;  /* a slot can be sent, or stop */
	pthread_cond_t freed; /* a slot became free, or failed */
	struct slot slot[PACKER_PACKS];
	struct slot *open; /* or NULL */
	bool stop;
	struct fault failed; /* .code 0: nothing has */

	pthread_t thread[PACKER_UPLOADS];
	struct store *store[PACKER_UPLOADS];
	size_t threads;
};

struct uploader {
	struct packer *p;
	struct store *store;
};

/* With the lock held. */
static struct slot *
in_state(struct packer *p, enum slot_state state)
{
	for (size_t i = 0; i < PACKER_PACKS; i++)
		if (p->slot[i].state == state)
			return &p->slot[i];
	return NULL;
}

/* With the lock held. */
static struct slot *
to_send(struct packer *p)
{
	for (size_t i = 0; i < PACKER_PACKS; i++)
		if (p->slot[i].state == SLOT_WAITING &&
		    p->slot[i].reserved == 0)
			return &p->slot[i];
	return NULL;
}

/* With the lock held: how many packs are on their way. */
static unsigned
under_way(const struct packer *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < PACKER_PACKS; i++)
		if (p->slot[i].state == SLOT_WAITING ||
		    p->slot[i].state == SLOT_SENDING)
			n++;
	return n;
}

/* With the lock held: the first failure counts. */
static void
fail(struct packer *p, int code, const struct fault *f)
{
	if (p->failed.code != 0)
		return;
	p->failed = *f;
	p->failed.code = code;
}

/* Without the lock: the slot is this thread's while it is SLOT_SENDING. */
static int
send_slot(struct packer *p, struct store *store, struct slot *s,
    struct fault *f)
{
	struct bytes data = pack_finish(&s->pack, s->last);
	int rc = store->ops->put(store, s->pack.id, data, f);

	if (rc != 0)
		return rc;
	atomic_fetch_add(&p->stats->objects, 1);
	atomic_fetch_add(&p->stats->bytes, data.n);
	if (p->journal != NULL && s->n != 0)
		journal_add(p->journal, s->entry, s->n);
	return 0;
}

static void *
upload(void *arg)
{
	struct uploader u = *(struct uploader *)arg;
	struct packer *p = u.p;

	free(arg);
	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		struct slot *s = to_send(p);
		struct fault f = { 0 };
		int rc = 0;

		if (s == NULL && p->stop)
			break;
		if (s == NULL) {
			(void)pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		s->state = SLOT_SENDING;
		if (p->failed.code == 0) {
			(void)pthread_mutex_unlock(&p->lock);
			rc = send_slot(p, u.store, s, &f);
			(void)pthread_mutex_lock(&p->lock);
		}
		if (rc != 0)
			fail(p, rc, &f);
		s->state = SLOT_FREE;
		if (under_way(p) == 0)
			effort_uploads_idle(&p->effort);
		(void)pthread_cond_broadcast(&p->freed);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int
start_threads(struct packer *p, struct store *store, struct fault *f)
{
	for (; p->threads < PACKER_UPLOADS; p->threads++) {
		struct uploader *u = malloc(sizeof(*u));
		int rc;

		if (u == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		rc = store->ops->dup(store, &p->store[p->threads], f);
		if (rc != 0) {
			free(u);
			return rc;
		}
		u->p = p;
		u->store = p->store[p->threads];
		rc = pthread_create(&p->thread[p->threads], NULL, upload, u);
		if (rc != 0) {
			free(u);
			store_close(p->store[p->threads]);
			return fault_sys(f, FAULT_MEMORY, rc,
			    "starting a thread");
		}
	}
	return 0;
}

int
packer_new(struct store *store, struct journal *journal,
    struct packer_stats *stats, enum effort_wish wish, struct packer **out,
    struct fault *f)
{
	struct packer *p defer(packer_freep) = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	p->journal = journal;
	p->stats = stats;
	effort_init(&p->effort, wish);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->work, NULL);
	(void)pthread_cond_init(&p->freed, NULL);
	rc = start_threads(p, store, f);
	if (rc != 0)
		return rc;
	*out = take(p);
	return 0;
}

struct effort *
packer_effort(struct packer *p)
{
	return &p->effort;
}

/* With the lock held: hands the open pack to the uploaders. */
static void
close_open(struct packer *p, bool last)
{
	p->open->last = last;
	p->open->state = SLOT_WAITING;
	if (p->open->reserved == 0)
		(void)pthread_cond_signal(&p->work);
	p->open = NULL;
}

/* With the lock held: an empty open pack, waiting for a buffer if need be. */
static int
open_slot(struct packer *p, struct fault *f)
{
	bool late = false;
	struct slot *s;
	int rc;

	while (p->open == NULL) {
		if (p->failed.code != 0)
			return 0; /* the caller looks */
		s = in_state(p, SLOT_FREE);
		if (s == NULL) {
			late = true;
			(void)pthread_cond_wait(&p->freed, &p->lock);
			continue;
		}
		if (late)
			effort_uploads_late(&p->effort);
		if (!s->ready) {
			rc = pack_init(&s->pack);
			if (rc != 0)
				return fault_set(f, rc, "out of memory");
			s->ready = true;
		} else {
			pack_begin(&s->pack);
		}
		s->n = 0;
		s->state = SLOT_OPEN;
		p->open = s;
	}
	return 0;
}

static int
note_entry(struct slot *s, const struct index_entry *e, struct fault *f)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 256 : 2 * s->cap;
		struct index_entry *n = malloc(cap * sizeof(*n));

		if (n == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		if (s->n != 0)
			memcpy(n, s->entry, s->n * sizeof(*n));
		secret_wipe(s->entry, s->n * sizeof(*n));
		free(s->entry);
		s->entry = n;
		s->cap = cap;
	}
	s->entry[s->n++] = *e;
	return 0;
}

/* With the lock held. */
static int
reserve(struct packer *p, uint32_t length, struct packer_room *out,
    struct fault *f)
{
	struct pack *k;
	int rc;

	/* Another thread may fill what was made free: look again. */
	for (;;) {
		rc = open_slot(p, f);
		if (rc != 0)
			return rc;
		if (p->failed.code != 0) {
			*f = p->failed;
			return f->code;
		}
		if (pack_room(&p->open->pack) >= length)
			break;
		close_open(p, false);
	}
	k = &p->open->pack;
	out->slot = p->open;
	out->slot->reserved++;
	out->p = pack_tail(k);
	out->place = pack_commit(k, length);
	return 0;
}

int
packer_reserve(struct packer *p, uint32_t length, struct packer_room *out,
    struct fault *f)
{
	int rc;

	(void)pthread_mutex_lock(&p->lock);
	rc = reserve(p, length, out, f);
	(void)pthread_mutex_unlock(&p->lock);
	return rc;
}

/* With the lock held. */
static void
release(struct packer *p, struct slot *s)
{
	if (--s->reserved == 0 && s->state == SLOT_WAITING)
		(void)pthread_cond_signal(&p->work);
}

int
packer_fill(struct packer *p, const struct packer_room *room,
    struct index_entry *e, struct fault *f)
{
	int rc = 0;

	(void)pthread_mutex_lock(&p->lock);
	if (e != NULL) {
		e->place = room->place;
		rc = note_entry(room->slot, e, f);
	}
	release(p, room->slot);
	(void)pthread_mutex_unlock(&p->lock);
	return rc;
}

void
packer_spoil(struct packer *p, const struct packer_room *room,
    const struct fault *f)
{
	(void)pthread_mutex_lock(&p->lock);
	fail(p, f->code, f);
	release(p, room->slot);
	(void)pthread_mutex_unlock(&p->lock);
}

int
packer_add(struct packer *p, struct bytes sealed, struct place *out,
    struct fault *f)
{
	struct packer_room room;
	int rc = packer_reserve(p, (uint32_t)sealed.n, &room, f);

	if (rc != 0)
		return rc;
	memcpy(room.p, sealed.p, sealed.n);
	*out = room.place;
	return packer_fill(p, &room, NULL, f);
}

int
packer_flush(struct packer *p, struct fault *f)
{
	int rc = 0;

	(void)pthread_mutex_lock(&p->lock);
	if (p->open != NULL && p->open->pack.n != 0)
		close_open(p, true);
	while (under_way(p) != 0)
		(void)pthread_cond_wait(&p->freed, &p->lock);
	if (p->failed.code != 0) {
		*f = p->failed;
		rc = f->code;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return rc;
}

void
packer_free(struct packer *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	for (size_t i = 0; i < PACKER_PACKS; i++)
		if (p->slot[i].state == SLOT_WAITING)
			p->slot[i].state = SLOT_FREE;
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->threads; i++) {
		(void)pthread_join(p->thread[i], NULL);
		store_close(p->store[i]);
	}
	for (size_t i = 0; i < PACKER_PACKS; i++) {
		if (p->slot[i].ready)
			pack_wipe(&p->slot[i].pack);
		if (p->slot[i].entry != NULL) {
			secret_wipe(p->slot[i].entry,
			    p->slot[i].cap * sizeof(*p->slot[i].entry));
			free(p->slot[i].entry);
		}
	}
	(void)pthread_cond_destroy(&p->work);
	(void)pthread_cond_destroy(&p->freed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void
packer_freep(struct packer **p)
{
	packer_free(*p);
}
