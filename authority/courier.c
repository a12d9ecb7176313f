// SPDX-License-Identifier: Apache-2.0
#include "authority/courier.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority/link.h"
#include "authority/posting.h"
#include "authority/role.h"
#include "base/rd.h"
#include "net/http.h"
#include "tlog/line.h"

#define PATH "/add-checkpoint"

/* A witness, and the thread that talks to it.  A slow one gets the newest
 * checkpoint when it is done with the one before, and no other waits for it. */
struct witness {
	pthread_t thread;
	struct courier *courier;
	uint8_t number;
	char *name, *url, *ca, *path; /* url without its path */
	struct http *http;
	struct http_wire wire;

	/* What follows is the lock's. */
	bool due;
	uint64_t call;
	struct buf body;
};

struct courier {
	struct link link;
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned n;
	struct witness witness[POSTING_WITNESSES_MAX];
};

static void
answer(struct witness *w, uint64_t call, const struct posting_answer *a)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_SOCKET_MAX);

	/* A ledger that is gone asks again. */
	if (posting_answer_write(a, &b) == 0)
		(void)!link_answer(&w->courier->link, call, buf_bytes(&b));
}

static void
failed(struct witness *w, uint64_t call, const char *why)
{
	struct posting_answer a = { .witness = w->number,
		.kind = POSTING_FAILED };
	char text[512];
	int n = snprintf(text, sizeof(text), "%s: %s", w->name, why);

	a.text = bytes_of(text, n < (int)sizeof(text) ? (size_t)n :
	                                                sizeof(text) - 1);
	answer(w, call, &a);
}

/* 409 has the size of the tree that it cosigned last, and a newline. */
static bool
other_size(const struct http_answer *ans, uint64_t *out)
{
	const char *end = strchr(ans->error, '\n');

	return ans->status == 409 && end != NULL && end[1] == '\0' &&
	    line_u64(bytes_of(ans->error, (size_t)(end - ans->error)), out) ==
	    0;
}

static void
post(struct witness *w, uint64_t call, struct bytes body)
{
	uint8_t got[POSTING_TEXT_MAX];
	const struct http_request q = { .method = "POST", .path = w->path,
		.body = body, .out = got, .out_max = sizeof(got),
		.errors_apart = true };
	struct posting_answer a = { .witness = w->number,
		.kind = POSTING_LINES };
	struct http_answer ans;
	struct fault f = { 0 };
	char text[64];

	if (http_do(w->http, &q, &ans, &f) != 0) {
		failed(w, call, f.text);
	} else if (ans.status == 200) {
		a.text = bytes_of(got, ans.n);
		answer(w, call, &a);
	} else if (other_size(&ans, &a.size)) {
		a.kind = POSTING_SIZE;
		answer(w, call, &a);
	} else {
		(void)snprintf(text, sizeof(text), "status %u", ans.status);
		failed(w, call, text);
	}
}

static void *
work(void *arg)
{
	struct witness *w = arg;
	struct courier *c = w->courier;

	(void)pthread_mutex_lock(&c->lock);
	for (;;) {
		struct buf body;
		uint64_t call;

		while (!w->due)
			(void)pthread_cond_wait(&c->more, &c->lock);
		body = w->body;
		w->body = buf_init(SUBMIT_MAX);
		call = w->call;
		w->due = false;
		(void)pthread_mutex_unlock(&c->lock);
		post(w, call, buf_bytes(&body));
		buf_wipe(&body);
		(void)pthread_mutex_lock(&c->lock);
	}
	return NULL;
}

static int
hand_out(struct courier *c, uint64_t call, const struct posting *p)
{
	int rc = 0;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		const struct submit s = { .old = p->one[i].old,
			.proof = p->one[i].proof, .checkpoint = p->note };
		struct witness *w = &c->witness[p->one[i].witness];

		if (p->one[i].witness >= c->n)
			continue;
		w->body.n = 0;
		rc = submit_format(&s, &w->body);
		w->call = call;
		w->due = rc == 0;
	}
	(void)pthread_cond_broadcast(&c->more);
	(void)pthread_mutex_unlock(&c->lock);
	return rc;
}

/* The path of a url goes before that of the request. */
static int
split(struct witness *w)
{
	char *slash = strchr(w->url + strlen("https://"), '/');

	if (asprintf(&w->path, "%s" PATH, slash != NULL ? slash : "") < 0) {
		w->path = NULL;
		return FAULT_MEMORY;
	}
	if (slash != NULL)
		*slash = '\0';
	return 0;
}

static int
boot(struct courier *c, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(ROLE_BOOT_MAX);
	struct rd r;
	int rc = role_boot_read(&b, f);

	if (rc != 0)
		return rc;
	r = rd_from(b.p, b.n);
	c->n = rd_u32(&r);
	rd_require(&r, c->n >= 1 && c->n <= POSTING_WITNESSES_MAX);
	for (unsigned i = 0; !r.failed && i < c->n; i++) {
		struct witness *w = &c->witness[i];

		w->courier = c;
		w->number = (uint8_t)i;
		w->body = buf_init(SUBMIT_MAX);
		w->name = role_boot_text(&r);
		w->url = role_boot_text(&r);
		w->ca = role_boot_text(&r);
		if (w->name == NULL || w->url == NULL || w->ca == NULL ||
		    split(w) != 0)
			return fault_set(f, FAULT_INTERNAL, "courier: boot");
	}
	rc = rd_finish(&r);
	return rc == 0 ? 0 : fault_set(f, rc, "courier: boot message");
}

/* What names are looked up with. */
static int
confine(struct fault *f)
{
	static const char *const may[] = { "/etc/resolv.conf", "/etc/hosts",
		"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/host.conf" };
	const char *path[ARRAY_LEN(may)];
	struct role_reach reach = { .path = path, .read = true,
		.sockets = true, .tcp = true };

	for (size_t i = 0; i < ARRAY_LEN(may); i++)
		if (access(may[i], R_OK) == 0)
			path[reach.n++] = may[i];
	return role_confine_to(ROLE_COURIER, &reach, f);
}

static int
start(struct courier *c, struct fault *f)
{
	int rc = boot(c, f);

	c->link = link_init(ROLE_FD_ASKED, ROLE_FD_ASKED, LINK_SOCKET_MAX);
	for (unsigned i = 0; rc == 0 && i < c->n; i++) {
		struct witness *w = &c->witness[i];
		const struct http_peer peer = { .url = w->url, .ca = w->ca,
			.fault = FAULT_AUTHORITY, .wire = &w->wire,
			.seconds = HTTP_SMALL_SECONDS };

		rc = http_open(&peer, &w->http, f);
	}
	if (rc == 0)
		rc = confine(f);
	for (unsigned i = 0; rc == 0 && i < c->n; i++)
		if (pthread_create(&c->witness[i].thread, NULL, work,
		        &c->witness[i]) != 0)
			rc = fault_set(f, FAULT_MEMORY, "courier: thread");
	return rc == 0 ? role_ready(f) : rc;
}

int
courier_main(struct fault *f)
{
	/* Threads have it to the end of the process. */
	static struct courier c = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.more = PTHREAD_COND_INITIALIZER };
	int rc = start(&c, f);

	while (rc == 0) {
		struct buf b defer(buf_wipe) = buf_init(LINK_SOCKET_MAX);
		struct posting p;
		uint64_t call;

		rc = role_wait(c.link.rfd, -1, f);
		if (rc == 0)
			rc = link_take(&c.link, &call, &b);
		if (rc == FAULT_NOT_FOUND) {
			rc = 0;
			continue;
		}
		if (rc == 0)
			rc = posting_read(buf_bytes(&b), &p);
		if (rc == 0)
			rc = hand_out(&c, call, &p);
		if (rc != 0 && rc != FAULT_INTERRUPTED)
			(void)fault_set(f, rc, "courier: %s", fault_text(rc));
	}
	return rc == FAULT_INTERRUPTED ? 0 : rc;
}
