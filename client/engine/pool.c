// SPDX-License-Identifier: Apache-2.0
#include "client/engine/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypt/secret.h"

enum { SLAB_EMPTY, SLAB_READY, SLAB_BUSY, SLAB_DONE };

struct pool {
	struct pool_done done;
	struct effort *effort;
	pthread_mutex_t lock; /* over the states, stop */
	pthread_cond_t ready, finished;
	bool stop;

	struct slab *slab; /* ring */
	size_t slabs, tail, under_way;

	pthread_t *thread;
	struct stow **stow;
	unsigned threads;
};

struct worker {
	struct pool *p;
	struct stow *stow;
};

/* Runs of data pieces between holes go to the stow as one batch. */
static void
work_on(struct stow *stow, struct slab *s)
{
	struct bytes part[STOW_PIECES];
	uint8_t id[STOW_PIECES][CHUNK_ID_LEN];
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!s->piece[i].hole)
			part[n++] = bytes_of(s->p + s->piece[i].offset,
			    s->piece[i].length);
	s->fault = (struct fault){ 0 };
	if (n != 0 && stow_pieces(stow, SEAL_DATA, part, n, id, &s->fault) != 0)
		return;
	n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (!s->piece[i].hole)
			memcpy(s->piece[i].id, id[n++], CHUNK_ID_LEN);
}

/* With the lock held: the oldest slab that waits for a worker. */
static struct slab *
oldest_ready(struct pool *p)
{
	for (size_t i = 0; i < p->under_way; i++) {
		struct slab *s = &p->slab[(p->tail + i) % p->slabs];

		if (s->state == SLAB_READY)
			return s;
	}
	return NULL;
}

static void *
run(void *arg)
{
	struct worker w = *(struct worker *)arg;
	struct pool *p = w.p;

	free(arg);
	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct slab *s = oldest_ready(p);

		if (s == NULL) {
			(void)pthread_cond_wait(&p->ready, &p->lock);
			continue;
		}
		s->state = SLAB_BUSY;
		(void)pthread_mutex_unlock(&p->lock);
		work_on(w.stow, s);
		(void)pthread_mutex_lock(&p->lock);
		s->state = SLAB_DONE;
		(void)pthread_cond_signal(&p->finished);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int
start(struct pool *p, struct space *sp, struct packer *packer,
    struct fresh *fresh, unsigned workers, struct fault *f)
{
	for (; p->threads < workers; p->threads++) {
		struct worker *w = malloc(sizeof(*w));
		int rc;

		if (w == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		rc = stow_new(sp, packer, fresh, &p->stow[p->threads], f);
		if (rc != 0) {
			free(w);
			return rc;
		}
		w->p = p;
		w->stow = p->stow[p->threads];
		rc = pthread_create(&p->thread[p->threads], NULL, run, w);
		if (rc != 0) {
			free(w);
			stow_free(p->stow[p->threads]);
			return fault_sys(f, FAULT_MEMORY, rc,
			    "starting a thread");
		}
	}
	return 0;
}

static int
make_slabs(struct pool *p, struct fault *f)
{
	for (size_t i = 0; i < p->slabs; i++) {
		void *m = mmap(NULL, SLAB_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (m == MAP_FAILED)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		(void)madvise(m, SLAB_SIZE, MADV_HUGEPAGE);
		p->slab[i].p = m;
	}
	return 0;
}

int
pool_new(struct space *sp, struct packer *packer, struct fresh *fresh,
    unsigned workers, struct pool_done done, struct pool **out,
    struct fault *f)
{
	struct pool *p defer(pool_freep) = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->ready, NULL);
	(void)pthread_cond_init(&p->finished, NULL);
	p->done = done;
	p->effort = packer_effort(packer);
	p->slab = calloc(workers + 2, sizeof(*p->slab));
	p->thread = calloc(workers, sizeof(*p->thread));
	p->stow = calloc(workers, sizeof(*p->stow));
	if (p->slab == NULL || p->thread == NULL || p->stow == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	p->slabs = workers + 2;
	rc = make_slabs(p, f);
	if (rc == 0)
		rc = start(p, sp, packer, fresh, workers, f);
	if (rc != 0)
		return rc;
	*out = take(p);
	return 0;
}

struct slab *
pool_slab(struct pool *p)
{
	return &p->slab[(p->tail + p->under_way) % p->slabs];
}

size_t
pool_under_way(const struct pool *p)
{
	return p->under_way;
}

int
pool_reap(struct pool *p, struct fault *f)
{
	struct slab *s = &p->slab[p->tail];
	int rc;

	if (p->under_way == 0)
		return 0;
	(void)pthread_mutex_lock(&p->lock);
	while (s->state != SLAB_DONE) {
		effort_reader_waits(p->effort);
		(void)pthread_cond_wait(&p->finished, &p->lock);
	}
	s->state = SLAB_EMPTY;
	p->tail = (p->tail + 1) % p->slabs;
	p->under_way--;
	(void)pthread_mutex_unlock(&p->lock);
	if (s->fault.code != 0) {
		*f = s->fault;
		return f->code;
	}
	rc = p->done.done(p->done.arg, s);
	s->n = 0;
	s->used = 0;
	return rc;
}

int
pool_submit(struct pool *p, struct fault *f)
{
	struct slab *s = pool_slab(p);

	if (s->n == 0)
		return 0;
	(void)pthread_mutex_lock(&p->lock);
	s->state = SLAB_READY;
	p->under_way++;
	(void)pthread_cond_signal(&p->ready);
	(void)pthread_mutex_unlock(&p->lock);
	while (p->under_way == p->slabs) {
		int rc = pool_reap(p, f);

		if (rc != 0)
			return rc;
	}
	return 0;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->ready);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads; i++) {
		(void)pthread_join(p->thread[i], NULL);
		stow_free(p->stow[i]);
	}
	for (size_t i = 0; i < p->slabs; i++)
		if (p->slab[i].p != NULL) {
			secret_wipe(p->slab[i].p, p->slab[i].used);
			(void)munmap(p->slab[i].p, SLAB_SIZE);
		}
	free(p->slab);
	free(p->thread);
	free(p->stow);
	(void)pthread_cond_destroy(&p->ready);
	(void)pthread_cond_destroy(&p->finished);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void
pool_freep(struct pool **p)
{
	pool_free(*p);
}
