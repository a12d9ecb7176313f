// SPDX-License-Identifier: Apache-2.0
/*
 * A cut is a shutdown of the socket: the thread that has the connection sees
 * its end and closes it, and what was acknowledged is still sent.  What a
 * client took of an answer is what it acknowledged, as the kernel counts it:
 * bytes in buffers on this side are no progress.
 */
#include "serve/watch.h"

#include <linux/tcp.h> /* the C library's has less */
#include <netinet/in.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PHASE_BITS 2
#define PHASE(word) ((enum watch_phase)((word) & ((1u << PHASE_BITS) - 1)))
#define NETWORK_LEN 8 /* of an IPv6 address */
#define NEW_MS 2000   /* time enough for a handshake and a first request */

struct address {
	struct in6_addr net;
	unsigned n; /* connections */
};

struct watched {
	/* The phase, and above it how many there were: two of a kind that
	 * follow each other between two ticks are told apart. */
	atomic_uint at;
	atomic_bool known; /* had a request with a good request */
	atomic_uint *busy; /* of its thread, which has counted it if … */
	bool counted;      /* … this; of the thread that notes and drops */
	int fd; /* for good */

	/* The rest is the watch's, under its lock. */
	struct address *address;
	unsigned seen;  /* at, as of the last tick */
	uint64_t since; /* when that was new, or its last good window began */
	uint64_t moved; /* bytes, as of since */
	bool cut;
};

struct watch {
	struct watch_rule rule;
	struct watch_count *count;
	pthread_mutex_t lock; /* of the fields below */
	void *addresses;      /* struct address, a tree of tsearch */
	struct watched **by_fd;
	size_t nfds;
	unsigned n; /* connections */
	unsigned turn; /* the thread that comes next */

	unsigned threads;
	atomic_uint *busy; /* of each, connections that are at something */
};

struct watch *
watch_new(const struct watch_rule *rule, unsigned threads,
    struct watch_count *count)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->busy = calloc(threads, sizeof(*w->busy));
	if (w->busy == NULL) {
		free(w);
		return NULL;
	}
	w->threads = threads;
	w->rule = *rule;
	w->count = count;
	(void)pthread_mutex_init(&w->lock, NULL);
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_destroy(&w->lock);
	free(w->by_fd);
	free(w->busy);
	free(w);
}

bool
watch_full(struct watch *w)
{
	bool full;

	(void)pthread_mutex_lock(&w->lock);
	full = w->n >= w->rule.most;
	(void)pthread_mutex_unlock(&w->lock);
	return full;
}

static int
compare_nets(const void *a, const void *b)
{
	return memcmp(&((const struct address *)a)->net,
	    &((const struct address *)b)->net, sizeof(struct in6_addr));
}

/* IPv4 as the IPv6 that maps it; IPv6 without what a host can choose. */
static struct in6_addr
net_of(const struct sockaddr *addr)
{
	struct in6_addr net = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)addr;

		memcpy(net.s6_addr + 12, &in->sin_addr, sizeof(in->sin_addr));
	} else if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)addr;

		net = in->sin6_addr;
		if (!IN6_IS_ADDR_V4MAPPED(&net))
			memset(net.s6_addr + NETWORK_LEN, 0,
			    sizeof(net) - NETWORK_LEN);
	}
	return net;
}

/* Under lock. */
static int
address_take(struct watch *w, const struct sockaddr *addr,
    struct address **out)
{
	struct address key = { .net = net_of(addr) }, *a;
	struct address **found = tfind(&key, &w->addresses, compare_nets);

	if (found != NULL) {
		a = *found;
		if (a->n >= w->rule.most_per_address)
			return FAULT_LIMIT;
	} else {
		a = malloc(sizeof(*a));
		if (a == NULL)
			return FAULT_MEMORY;
		*a = key;
		if (tsearch(a, &w->addresses, compare_nets) == NULL) {
			free(a);
			return FAULT_MEMORY;
		}
	}
	a->n++;
	*out = a;
	return 0;
}

/* Under lock. */
static void
address_give(struct watch *w, struct address *a)
{
	if (--a->n != 0)
		return;
	(void)tdelete(a, &w->addresses, compare_nets);
	free(a);
}

/* Room for that descriptor in the table.  Under lock. */
static int
make_place(struct watch *w, size_t fd)
{
	size_t n = w->nfds < 64 ? 64 : w->nfds;
	struct watched **p;

	if (fd < w->nfds)
		return 0;
	while (n <= fd)
		n *= 2;
	p = realloc(w->by_fd, n * sizeof(*p));
	if (p == NULL)
		return FAULT_MEMORY;
	memset(p + w->nfds, 0, (n - w->nfds) * sizeof(*p));
	w->by_fd = p;
	w->nfds = n;
	return 0;
}

/* Under lock. */
static unsigned
least_busy(struct watch *w)
{
	unsigned best = w->turn++ % w->threads;

	for (unsigned i = 0, k = best; i < w->threads; i++) {
		if (atomic_load(&w->busy[k]) < atomic_load(&w->busy[best]))
			best = k;
		k = k + 1 < w->threads ? k + 1 : 0;
	}
	return best;
}

static void
count_busy(struct watched *c, bool busy)
{
	if (busy == c->counted)
		return;
	c->counted = busy;
	if (busy)
		atomic_fetch_add(c->busy, 1);
	else
		atomic_fetch_sub(c->busy, 1);
}

/* Under lock. */
static int
add(struct watch *w, size_t fd, const struct sockaddr *addr, uint64_t now,
    unsigned *thread)
{
	struct watched *c;
	int rc = make_place(w, fd);

	if (rc != 0)
		return rc;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return FAULT_MEMORY;
	rc = address_take(w, addr, &c->address);
	if (rc != 0) {
		free(c);
		return rc;
	}
	c->since = now;
	*thread = least_busy(w);
	c->busy = &w->busy[*thread];
	count_busy(c, true);
	c->fd = (int)fd;
	w->by_fd[fd] = c;
	w->n++;
	return 0;
}

int
watch_add(struct watch *w, int fd, const struct sockaddr *addr, uint64_t now,
    unsigned *thread)
{
	int rc;

	(void)pthread_mutex_lock(&w->lock);
	rc = add(w, (size_t)fd, addr, now, thread);
	(void)pthread_mutex_unlock(&w->lock);
	if (rc == FAULT_LIMIT)
		atomic_fetch_add(&w->count->cuts[WATCH_CUT_ADDRESS], 1);
	if (rc == 0)
		atomic_fetch_add(&w->count->connections, 1);
	return rc;
}

struct watched *
watch_find(struct watch *w, int fd)
{
	struct watched *c;

	(void)pthread_mutex_lock(&w->lock);
	c = w->by_fd[fd];
	(void)pthread_mutex_unlock(&w->lock);
	return c;
}

void
watch_drop(struct watch *w, int fd)
{
	struct watched *c;

	(void)pthread_mutex_lock(&w->lock);
	c = w->by_fd[fd];
	if (c != NULL) {
		w->by_fd[fd] = NULL;
		w->n--;
		address_give(w, c->address);
		count_busy(c, false);
		atomic_fetch_sub(&w->count->connections, 1);
	}
	(void)pthread_mutex_unlock(&w->lock);
	free(c);
}

void
watch_note(struct watched *c, enum watch_phase phase)
{
	unsigned at = atomic_load_explicit(&c->at, memory_order_relaxed);

	if (PHASE(at) == phase)
		return;
	at = ((at >> PHASE_BITS) + 1) << PHASE_BITS | phase;
	atomic_store_explicit(&c->at, at, memory_order_relaxed);
	if (phase == WATCH_MOVING)
		atomic_store_explicit(&c->known, true, memory_order_relaxed);
	count_busy(c, phase != WATCH_QUIET);
}

enum watch_phase
watch_phase(const struct watched *c)
{
	return PHASE(atomic_load_explicit(&c->at, memory_order_relaxed));
}

int
watch_fd(const struct watched *c)
{
	return c->fd;
}

/* Bytes that the client sent and took; false where it cannot be known. */
static bool
bytes_moved(int fd, uint64_t *out)
{
	struct tcp_info ti = { 0 };
	socklen_t n = sizeof(ti);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &n) != 0)
		return false;
	*out = ti.tcpi_bytes_acked + ti.tcpi_bytes_received;
	return true;
}

/* A whole time is over.  Under lock. */
static bool
too_slow(const struct watch *w, struct watched *c, int fd, uint64_t now)
{
	uint64_t least = (uint64_t)w->rule.least_rate * w->rule.idle_seconds;
	uint64_t moved;

	switch (PHASE(c->seen)) {
	case WATCH_OURS:
		return false;
	case WATCH_MOVING:
		if (!bytes_moved(fd, &moved))
			return false;
		if (moved - c->moved < least || moved == c->moved)
			return true;
		c->moved = moved;
		c->since = now;
		return false;
	default:
		return true;
	}
}

/* Under lock. */
static void
cut(struct watch *w, struct watched *c, int fd, enum watch_cut why)
{
	c->cut = true;
	atomic_fetch_add(&w->count->cuts[why], 1);
	(void)shutdown(fd, SHUT_RDWR);
}

/* Under lock. */
static void
look(struct watch *w, struct watched *c, int fd, uint64_t now)
{
	unsigned at = atomic_load_explicit(&c->at, memory_order_relaxed);
	bool quiet = PHASE(at) == WATCH_QUIET;

	if (at != c->seen) {
		c->seen = at;
		c->since = now;
		if (!bytes_moved(fd, &c->moved))
			c->moved = 0;
	} else if (now - c->since >= w->rule.idle_seconds * UINT64_C(1000) &&
	    too_slow(w, c, fd, now)) {
		cut(w, c, fd, quiet ? WATCH_CUT_IDLE : WATCH_CUT_SLOW);
	}
}

void
watch_tick(struct watch *w, uint64_t now)
{
	(void)pthread_mutex_lock(&w->lock);
	for (size_t fd = 0; fd < w->nfds; fd++) {
		struct watched *c = w->by_fd[fd];

		if (c != NULL && !c->cut)
			look(w, c, (int)fd, now);
	}
	(void)pthread_mutex_unlock(&w->lock);
}

/* Whether it may be cut to make room.  Under lock. */
static bool
may_go(const struct watched *c, uint64_t now)
{
	unsigned at = atomic_load_explicit(&c->at, memory_order_relaxed);

	return !c->cut && at == c->seen && now - c->since >= NEW_MS &&
	    (PHASE(at) == WATCH_QUIET || PHASE(at) == WATCH_STRANGER);
}

/* Whether a should go before b. */
static bool
goes_first(const struct watched *a, const struct watched *b)
{
	bool known_a = atomic_load_explicit(&a->known, memory_order_relaxed);
	bool known_b = atomic_load_explicit(&b->known, memory_order_relaxed);

	return known_a != known_b ? known_b : a->since < b->since;
}

/* Whether it is a stranger's, and will be one that may go. */
static bool
will_go(const struct watched *c)
{
	unsigned at = atomic_load_explicit(&c->at, memory_order_relaxed);

	return !atomic_load_explicit(&c->known, memory_order_relaxed) &&
	    (PHASE(at) == WATCH_QUIET || PHASE(at) == WATCH_STRANGER);
}

bool
watch_shed(struct watch *w, uint64_t now)
{
	size_t first = SIZE_MAX;
	bool going = false, strangers = false;

	(void)pthread_mutex_lock(&w->lock);
	for (size_t fd = 0; fd < w->nfds && !going; fd++) {
		const struct watched *c = w->by_fd[fd];

		going = c != NULL && c->cut;
		strangers |= c != NULL && will_go(c);
		if (c != NULL && may_go(c, now) && (first == SIZE_MAX ||
			goes_first(c, w->by_fd[first])))
			first = fd;
	}
	/* Those that are too new go soon: nobody else for them. */
	if (first != SIZE_MAX && strangers && !will_go(w->by_fd[first]))
		first = SIZE_MAX;
	if (!going && first != SIZE_MAX)
		cut(w, w->by_fd[first], (int)first, WATCH_CUT_FULL);
	(void)pthread_mutex_unlock(&w->lock);
	return going || first != SIZE_MAX;
}

void
watch_expose(struct watch_count *count, struct expose *e)
{
	static const char *const cuts[WATCH_CUTS] = { "idle", "slow", "full",
		"address" };

	expose_gauge(e, "connections", "Connections that are open.",
	    atomic_load(&count->connections));
	expose_head(e, "cut_total", "counter",
	    "Connections that were ended or refused, by reason.");
	for (size_t i = 0; i < WATCH_CUTS; i++)
		expose_sample(e, "cut_total{why=\"%s\"} %llu", cuts[i],
		    atomic_load(&count->cuts[i]));
}
