// SPDX-License-Identifier: Apache-2.0
#include "depot/front.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/logline.h"
#include "depot/blocks.h"
#include "serve/door.h"
#include "depot/intake.h"
#include "serve/lobby.h"
#include "depot/opening.h"
#include "depot/outlet.h"
#include "net/sock.h"
#include "serve/framing.h"
#include "serve/scrape.h"

/* Of a connection.  Half of it receives a body: a whole TLS record of 16 KiB
 * and the head before it, or each record would be taken in two pieces. */
#define POOL_LEN ((size_t)40 << 10)
#define STEP_MS 20

struct front {
	struct request_site *site;
	struct MHD_Daemon **https; /* owned; each a network thread */
	size_t nhttps;
	struct door *door;
	struct watch *watch; /* of the connections */
	struct lobby *lobby;
	struct blocks *blocks; /* for what connections receive */
	struct scrape scrape;
	struct MHD_Daemon *metrics; /* its; NULL: none */
	struct pool *pool;
	struct opening opening; /* of prefixes */
};

/* A connection. */
struct line {
	struct lobby *lobby;
	struct guest guest;      /* of it */
	struct watched *watched; /* the watch's */
	/* Owned; NULL: it reads, sends by itself. */
	struct intake *intake;
	struct outlet *outlet;
};

/* A callback of the intake. */
static void
on_wait(void *arg)
{
	struct line *line = arg;

	lobby_wait(line->lobby, &line->guest);
}

static void
on_connection(void *cls, struct MHD_Connection *conn, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	int fd = MHD_get_connection_info(conn,
	    MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	gnutls_session_t tls = MHD_get_connection_info(conn,
	    MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
	struct front *front = cls;
	struct line *line = *context;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		watch_drop(front->watch, fd);
		if (line != NULL) {
			intake_free(line->intake);
			outlet_free(line->outlet);
		}
		free(line);
		return;
	}
	*context = line = calloc(1, sizeof(*line));
	if (line == NULL)
		return;
	line->lobby = front->lobby;
	line->guest = (struct guest){ .conn = conn, .fd = fd };
	line->watched = watch_find(front->watch, fd);
	line->intake = intake_new(tls, fd, front->blocks, on_wait, line);
	line->outlet = outlet_new(tls, fd);
}

/* NULL when out of memory. */
static struct line *
line_of(struct MHD_Connection *conn)
{
	return MHD_get_connection_info(conn,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* What the connection is at. */
static void
note(struct MHD_Connection *conn, enum watch_phase phase)
{
	const struct line *line = line_of(conn);

	if (line != NULL)
		watch_note(line->watched, phase);
}

static void
note_request(const struct request *r)
{
	note(r->conn, r->admitted ? WATCH_MOVING : WATCH_STRANGER);
}

static void *
on_target(void *cls, const char *target, struct MHD_Connection *conn)
{
	struct front *front = cls;
	struct request *r = request_new(front->site, conn, target);

	if (r != NULL)
		r->front = front;
	return r;
}

/* In a pool's thread. */
static void
on_job(struct pool_job *job)
{
	struct request *r = (struct request *)job;

	request_finish(r);
	MHD_resume_connection(r->conn);
}

/* Its prefix is open, or cannot be: the callbacks of all that waited come
 * again. */
static void
end_opening(struct front *front, struct request *r)
{
	struct request *next, *w = opening_end(&front->opening, r);

	MHD_resume_connection(r->conn);
	for (; w != NULL; w = next) {
		next = w->next_open;
		MHD_resume_connection(w->conn);
	}
}

/* In a pool's thread. */
static void
on_open(struct pool_job *job)
{
	struct request *r = (struct request *)job;

	request_open(r);
	end_opening(r->front, r);
}

/* Prefixes take turns; their ids are random. */
static bool
submit(struct front *front, struct request *r,
    void (*run)(struct pool_job *job))
{
	r->job.run = run;
	memcpy(&r->job.owner, r->path.prefix, sizeof(r->job.owner));
	return pool_submit(front->pool, &r->job);
}

/* The connection's callback comes again when the job is done. */
static void
begin_job(struct front *front, struct request *r)
{
	note(r->conn, WATCH_OURS);
	MHD_suspend_connection(r->conn);
	if (submit(front, r, on_job))
		return;
	request_stopping(r);
	MHD_resume_connection(r->conn);
}

/* Likewise. */
static void
begin_opening(struct front *front, struct request *r)
{
	note(r->conn, WATCH_OURS);
	MHD_suspend_connection(r->conn);
	if (!opening_begin(&front->opening, r))
		return;
	if (submit(front, r, on_open))
		return;
	request_stopping(r);
	end_opening(front, r);
}

static enum MHD_Result
answer(struct request *r, const char *method)
{
	const struct line *line = line_of(r->conn);

	note_request(r);
	if (r->reply.response == NULL)
		return MHD_NO;
	if (line != NULL && r->reply.bytes != 0 && strcmp(method, "HEAD") != 0)
		outlet_join(line->outlet);
	if (atomic_load(&r->site->draining))
		reply_field(&r->reply, MHD_HTTP_HEADER_CONNECTION, "close");
	return MHD_queue_response(r->conn, r->reply.status,
	    r->reply.response);
}

static enum MHD_Result
begin(struct front *front, struct request *r, const char *method)
{
	if (!r->begun)
		request_begin(r, method);
	if (request_opens_slowly(r)) {
		begin_opening(front, r);
		return MHD_YES;
	}
	request_open(r);
	note_request(r);
	r->receiving = true;
	if (r->length <= SOCK_DRAIN_MAX || !r->reply.decided)
		return MHD_YES;
	/* The server skips the body of a PUT that is answered early; that of
	 * others it would take for the next request. */
	return strcmp(method, "PUT") == 0 ? answer(r, method) : MHD_NO;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **con_cls)
{
	struct front *front = cls;
	struct request *r = *con_cls;

	(void)url;
	(void)version;
	if (r == NULL || (!r->begun && !framing_ok(conn)))
		return MHD_NO;
	if (!r->receiving)
		return begin(front, r, method);
	if (*size != 0) {
		request_body(r, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (!r->reply.decided && request_is_slow(r)) {
		begin_job(front, r);
		return MHD_YES;
	}
	request_finish(r);
	return answer(r, method);
}

static void
on_end(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode how)
{
	(void)cls;
	note(conn, WATCH_QUIET);
	if (*con_cls != NULL)
		request_end(*con_cls,
		    how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	*con_cls = NULL;
}

/* Paths have no percent signs: they are left for path_parse to refuse. */
static size_t
on_unescape(void *cls, struct MHD_Connection *conn, char *s)
{
	(void)cls;
	(void)conn;
	return strlen(s);
}

static struct MHD_Daemon *
start_thread(struct front *front, const struct front_options *o)
{
	return MHD_start_daemon(
	    MHD_USE_TLS | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
		MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, on_request, front,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, front,
	    MHD_OPTION_HTTPS_MEM_CERT, o->cert,
	    MHD_OPTION_HTTPS_MEM_KEY, o->key,
	    MHD_OPTION_HTTPS_PRIORITIES, SOCK_TLS,
	    /* The watch has limits and times. */
	    MHD_OPTION_CONNECTION_LIMIT, INT_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, 0u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_LEN,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, front,
	    MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
	    MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_END);
}

static int
start_https(struct front *front, const struct front_options *o,
    struct fault *f)
{
	front->https = calloc(o->threads, sizeof(struct MHD_Daemon *));
	if (front->https == NULL)
		return fault_set(f, FAULT_MEMORY, "threads");
	for (; front->nhttps < o->threads; front->nhttps++) {
		struct MHD_Daemon *d = start_thread(front, o);

		if (d == NULL)
			return fault_set(f, FAULT_CONFIG, "HTTPS cannot start: "
			    "do cert and key belong together?");
		front->https[front->nhttps] = d;
	}
	return 0;
}

static int
start_metrics(struct front *front, int fd, struct fault *f)
{
	front->scrape = (struct scrape){ "depot", metrics_expose,
		front->site->metrics, &front->site->draining };
	front->metrics = scrape_start(fd, &front->scrape);
	return front->metrics != NULL ? 0 :
	    fault_set(f, FAULT_INTERNAL, "metrics cannot start");
}

int
front_start(struct request_site *site, const struct front_options *o,
    struct front **out, struct fault *f)
{
	struct front *front = calloc(1, sizeof(*front));
	int rc;

	if (front == NULL) {
		(void)close(o->listen_fd);
		return fault_set(f, FAULT_MEMORY, "front");
	}
	front->site = site;
	(void)pthread_mutex_init(&front->opening.lock, NULL);
	front->blocks = blocks_new();
	front->watch = watch_new(&o->rule, o->threads,
	    &site->metrics->tally.watch);
	front->lobby = lobby_new();
	rc = FAULT_MEMORY;
	if (front->blocks != NULL && front->watch != NULL &&
	    front->lobby != NULL)
		rc = pool_start(o->disk_threads, &front->pool);
	if (rc != 0)
		rc = fault_set(f, rc, "threads");
	else
		rc = start_https(front, o, f);
	if (rc == 0 && o->metrics_fd >= 0)
		rc = start_metrics(front, o->metrics_fd, f);
	if (rc == 0 && door_open(o->listen_fd, front->https, front->watch,
		front->lobby, &front->door) != 0)
		rc = fault_set(f, FAULT_MEMORY, "thread");
	if (rc != 0) {
		front_stop(front);
		return rc;
	}
	*out = front;
	return 0;
}

unsigned
front_drain(struct front *front, unsigned seconds, const sigset_t *stop)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
	unsigned long steps = seconds * 1000ul / STEP_MS;
	long long left;

	atomic_store(&front->site->draining, true);
	door_close(take(front->door));
	lobby_close(front->lobby);
	do
		left = atomic_load(&front->site->metrics->tally.in_flight);
	while (left > 0 && steps-- > 0 && sigtimedwait(stop, NULL, &step) < 0);
	return left > 0 ? (unsigned)left : 0;
}

void
front_stop(struct front *front)
{
	door_close(front->door);
	if (front->lobby != NULL)
		lobby_close(front->lobby);
	/* The pool first: it resumes the connections that it holds.  Others
	 * may still ask it for work. */
	pool_stop(front->pool);
	for (size_t i = 0; i < front->nhttps; i++)
		MHD_stop_daemon(front->https[i]);
	if (front->metrics != NULL)
		MHD_stop_daemon(front->metrics);
	pool_free(front->pool);
	blocks_free(front->blocks);
	watch_free(front->watch);
	lobby_free(front->lobby);
	(void)pthread_mutex_destroy(&front->opening.lock);
	free(front->https);
	free(front);
}
