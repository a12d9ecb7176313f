// SPDX-License-Identifier: Apache-2.0
#include "depot/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/fault.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct pool_job *first, **tail; /* queues, by their first jobs */
	bool stopping;
	unsigned nthreads;
	pthread_t threads[];
};

/* Under lock. */
static void
append_queue(struct pool *p, struct pool_job *first)
{
	first->next_queue = NULL;
	*p->tail = first;
	p->tail = &first->next_queue;
}

/* Under lock. */
static void
append(struct pool *p, struct pool_job *job)
{
	struct pool_job *q = p->first;

	job->next = NULL;
	job->last = job;
	while (q != NULL && q->owner != job->owner)
		q = q->next_queue;
	if (q == NULL) {
		append_queue(p, job);
		return;
	}
	q->last->next = job;
	q->last = job;
}

/* The first of the queue whose turn it is; that goes to the end.  NULL: there
 * is none.  Under lock. */
static struct pool_job *
next_job(struct pool *p)
{
	struct pool_job *job = p->first;

	if (job == NULL)
		return NULL;
	p->first = job->next_queue;
	if (p->first == NULL)
		p->tail = &p->first;
	if (job->next != NULL) {
		job->next->last = job->last;
		append_queue(p, job->next);
	}
	return job;
}

static void *
work(void *arg)
{
	struct pool *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		struct pool_job *job = next_job(p);

		if (job == NULL && p->stopping)
			break;
		if (job == NULL) {
			(void)pthread_cond_wait(&p->wake, &p->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&p->lock);
		job->run(job);
		(void)pthread_mutex_lock(&p->lock);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

int
pool_start(unsigned nthreads, struct pool **out)
{
	struct pool *p = calloc(1,
	    sizeof(*p) + nthreads * sizeof(p->threads[0]));

	if (p == NULL)
		return FAULT_MEMORY;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->wake, NULL);
	p->tail = &p->first;
	for (; p->nthreads < nthreads; p->nthreads++)
		if (pthread_create(&p->threads[p->nthreads], NULL, work, p) !=
		    0) {
			pool_stop(p);
			pool_free(p);
			return FAULT_MEMORY;
		}
	*out = p;
	return 0;
}

bool
pool_submit(struct pool *p, struct pool_job *job)
{
	bool taken;

	(void)pthread_mutex_lock(&p->lock);
	taken = !p->stopping;
	if (taken) {
		append(p, job);
		(void)pthread_cond_signal(&p->wake);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return taken;
}

void
pool_stop(struct pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stopping = true;
	(void)pthread_cond_broadcast(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->nthreads; i++)
		(void)pthread_join(p->threads[i], NULL);
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
