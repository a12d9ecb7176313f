// SPDX-License-Identifier: Apache-2.0
#include "serve/lobby.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <microhttpd.h>

#define AT_ONCE 64

struct lobby {
	int poll;
	pthread_mutex_t lock; /* of the fields below, and of all guests */
	struct guest *first;  /* of those that wait */
	bool closed;
};

struct lobby *
lobby_new(void)
{
	struct lobby *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->poll = epoll_create1(EPOLL_CLOEXEC);
	if (l->poll < 0) {
		free(l);
		return NULL;
	}
	(void)pthread_mutex_init(&l->lock, NULL);
	return l;
}

void
lobby_free(struct lobby *l)
{
	if (l == NULL)
		return;
	(void)close(l->poll);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

int
lobby_fd(const struct lobby *l)
{
	return l->poll;
}

/* Under lock. */
static void
enter(struct lobby *l, struct guest *g)
{
	g->waits = true;
	g->next = l->first;
	g->prev = &l->first;
	if (g->next != NULL)
		g->next->prev = &g->next;
	l->first = g;
	MHD_suspend_connection(g->conn);
}

/* Under lock; g may be gone as soon as that ends. */
static void
leave(struct guest *g)
{
	g->waits = false;
	*g->prev = g->next;
	if (g->next != NULL)
		g->next->prev = g->prev;
	MHD_resume_connection(g->conn);
}

void
lobby_wait(struct lobby *l, struct guest *g)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP |
		    EPOLLONESHOT, .data.ptr = g };
	int op = g->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	(void)pthread_mutex_lock(&l->lock);
	if (!l->closed && !g->waits) {
		enter(l, g);
		/* Last: what came meanwhile is told at once. */
		g->known = epoll_ctl(l->poll, op, g->fd, &e) == 0;
		if (!g->known)
			leave(g);
	}
	(void)pthread_mutex_unlock(&l->lock);
}

void
lobby_wake(struct lobby *l)
{
	struct epoll_event e[AT_ONCE];
	int n = epoll_wait(l->poll, e, AT_ONCE, 0);

	(void)pthread_mutex_lock(&l->lock);
	for (int i = 0; i < n; i++) {
		struct guest *g = e[i].data.ptr;

		if (g->waits)
			leave(g);
	}
	(void)pthread_mutex_unlock(&l->lock);
}

void
lobby_close(struct lobby *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->closed = true;
	while (l->first != NULL)
		leave(l->first);
	(void)pthread_mutex_unlock(&l->lock);
}
