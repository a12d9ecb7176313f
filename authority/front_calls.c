// SPDX-License-Identifier: Apache-2.0
#include "authority/front_calls.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"

#define LOOK_MS 1000 /* for those whose time is up */

/* A place; it is free while who is NULL. */
struct call {
	void *who;
	uint64_t number; /* of the packet; the place is its remainder */
	int64_t until;
	bool sent;
	struct buf ask; /* until it is sent */
};

struct front_calls {
	struct link link;
	int ms, wake;
	front_calls_done *done;
	pthread_t thread;

	pthread_mutex_t lock; /* of what follows */
	bool ending;
	uint64_t number;
	size_t free[FRONT_CALLS_MAX], nfree;
	size_t queue[FRONT_CALLS_MAX], first, queued; /* to be sent */
	struct call call[FRONT_CALLS_MAX];
};

/* A place is free again before its answer is handed over. */
static void
end(struct front_calls *c, size_t i, int rc, struct buf *answer)
{
	struct buf none defer(buf_wipe) = buf_init(0);
	struct call *x = &c->call[i];
	void *who = x->who;

	buf_wipe(&x->ask);
	x->who = NULL;
	c->free[c->nfree++] = i;
	(void)pthread_mutex_unlock(&c->lock);
	c->done(who, rc, answer != NULL ? answer : &none);
	(void)pthread_mutex_lock(&c->lock);
}

/* An answer, or word that the ledger has died: it read what was sent, or the
 * next one will, for nobody. */
static void
hear(struct front_calls *c, uint64_t number, struct buf *answer)
{
	size_t i = number % FRONT_CALLS_MAX;

	if (number != LINK_LOST) {
		if (c->call[i].who != NULL && c->call[i].number == number)
			end(c, i, 0, answer);
		return;
	}
	for (i = 0; i < FRONT_CALLS_MAX; i++)
		if (c->call[i].who != NULL && c->call[i].sent)
			end(c, i, FAULT_AUTHORITY, NULL);
}

static void
hear_all(struct front_calls *c)
{
	for (;;) {
		struct buf answer defer(buf_wipe) = buf_init(c->link.max);
		uint64_t number;

		if (link_take(&c->link, &number, &answer) != 0)
			return;
		hear(c, number, &answer);
	}
}

/* As long as the link has room.  One whose time was up meanwhile is gone. */
static void
send_all(struct front_calls *c)
{
	while (c->queued > 0) {
		size_t i = c->queue[c->first];
		struct call *x = &c->call[i];

		if (x->who != NULL && !x->sent) {
			int rc = link_offer(&c->link, x->number,
			    buf_bytes(&x->ask));

			if (rc == FAULT_SPACE)
				return;
			x->sent = true;
			buf_wipe(&x->ask);
			if (rc != 0)
				end(c, i, FAULT_AUTHORITY, NULL);
		}
		c->first = (c->first + 1) % FRONT_CALLS_MAX;
		c->queued--;
	}
}

static void
expire(struct front_calls *c, int64_t now)
{
	for (size_t i = 0; i < FRONT_CALLS_MAX; i++)
		if (c->call[i].who != NULL && c->call[i].until <= now)
			end(c, i, FAULT_AUTHORITY, NULL);
}

static void *
run(void *arg)
{
	struct front_calls *c = arg;
	int64_t look = clock_ms() + LOOK_MS;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->ending) {
		struct pollfd p[] = {
			{ .fd = c->wake, .events = POLLIN },
			{ .fd = c->link.rfd, .events = POLLIN },
		};
		uint64_t scrap;

		if (c->queued > 0)
			p[1].events |= POLLOUT;
		(void)pthread_mutex_unlock(&c->lock);
		(void)poll(p, ARRAY_LEN(p), LOOK_MS);
		if (p[0].revents != 0 &&
		    read(c->wake, &scrap, sizeof(scrap)) < 0)
			scrap = 0; /* it was not ready after all */
		(void)pthread_mutex_lock(&c->lock);
		hear_all(c);
		send_all(c);
		if (clock_ms() < look)
			continue;
		look = clock_ms() + LOOK_MS;
		expire(c, clock_ms());
	}
	expire(c, INT64_MAX);
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

struct front_calls *
front_calls_new(struct link link, int ms, front_calls_done *done)
{
	struct front_calls *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->link = link;
	c->ms = ms;
	c->done = done;
	/* Other numbers than those of a process that had the link before. */
	c->number = link.call >> 16;
	for (size_t i = 0; i < FRONT_CALLS_MAX; i++)
		c->free[c->nfree++] = i;
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake < 0 || pthread_mutex_init(&c->lock, NULL) != 0 ||
	    pthread_create(&c->thread, NULL, run, c) != 0) {
		if (c->wake >= 0)
			(void)close(c->wake);
		free(c);
		return NULL;
	}
	return c;
}

static void
wake(struct front_calls *c)
{
	const uint64_t one = 1;
	ssize_t n = write(c->wake, &one, sizeof(one));

	(void)n; /* full is awake, too */
}

int
front_calls_put(struct front_calls *c, struct buf *ask, void *who)
{
	struct call *x;
	size_t i;
	bool first;

	(void)pthread_mutex_lock(&c->lock);
	if (c->nfree == 0 || c->queued == FRONT_CALLS_MAX || c->ending) {
		(void)pthread_mutex_unlock(&c->lock);
		return FAULT_LIMIT;
	}
	i = c->free[--c->nfree];
	x = &c->call[i];
	*x = (struct call){ .who = who, .until = clock_ms() + c->ms,
		.number = ++c->number * FRONT_CALLS_MAX + i, .ask = *ask };
	*ask = buf_init(ask->max);
	first = c->queued == 0;
	c->queue[(c->first + c->queued++) % FRONT_CALLS_MAX] = i;
	(void)pthread_mutex_unlock(&c->lock);
	if (first)
		wake(c);
	return 0;
}

void
front_calls_end(struct front_calls *c)
{
	bool ended;

	(void)pthread_mutex_lock(&c->lock);
	ended = c->ending;
	c->ending = true;
	(void)pthread_mutex_unlock(&c->lock);
	if (ended)
		return;
	wake(c);
	(void)pthread_join(c->thread, NULL);
}

void
front_calls_free(struct front_calls *c)
{
	if (c == NULL)
		return;
	front_calls_end(c);
	(void)pthread_mutex_destroy(&c->lock);
	(void)close(c->wake);
	free(c);
}
