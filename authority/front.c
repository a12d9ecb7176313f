// SPDX-License-Identifier: Apache-2.0
#include "authority/front.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "authority/config.h"
#include "authority/front_calls.h"
#include "authority/front_log.h"
#include "authority/gauge.h"
#include "authority/link.h"
#include "authority/request.h"
#include "authority/role.h"
#include "base/fd.h"
#include "base/logline.h"
#include "base/rd.h"
#include "net/sock.h"
#include "serve/door.h"
#include "serve/framing.h"
#include "serve/scrape.h"
#include "serve/watch.h"

#define ANSWER_MS 15000  /* that a request may wait for the ledger */
#define DRAIN_MS 20000
#define QUIET_MS 300     /* without a request, when draining, is the end */
#define CONNECTION_MEMORY 16384
#define RETRY_AFTER "5"  /* seconds */

struct front {
	struct front_calls *calls; /* at the ledger */
	unsigned threads;
	atomic_bool draining;
	struct gauge gauge;
	int log; /* folder of the log's public files */
	struct watch_rule rule;
	struct watch *watch; /* of the connections */
	struct door *door;
	struct MHD_Daemon *https[CONFIG_THREADS_MAX]; /* each a thread */
	size_t nhttps;
	struct scrape scrape;
	struct MHD_Daemon *metrics; /* its */
};

/* One request, from its headers to its end. */
struct visit {
	uint64_t begun;
	struct buf body;
	bool too_long;
	bool asked;               /* the ledger; it has answered when … */
	struct MHD_Connection *c; /* … this goes on */
	int rc;
	struct buf answer;
	char error[256]; /* the front's own answer */
	char path[REQUEST_PATH_MAX + 1];
	unsigned status;
};

/* body lasts as long as the visit. */
static enum MHD_Result
reply(struct front *fr, struct MHD_Connection *c, struct visit *v,
    unsigned status, struct bytes body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(body.n,
	    (void *)body.p, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result ok;

	if (r == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		(void)MHD_add_response_header(r, "Retry-After", RETRY_AFTER);
	if (fr->draining)
		(void)MHD_add_response_header(r, "Connection", "close");
	v->status = status;
	ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

/* Errors of the front itself; text has nothing that JSON would escape. */
static enum MHD_Result
reply_error(struct front *fr, struct MHD_Connection *c, struct visit *v,
    unsigned status, int code, const char *text)
{
	int n = snprintf(v->error, sizeof(v->error),
	    "{\"error\":{\"code\":\"%s\",\"text\":\"%s\"},\"now\":%lld}",
	    fault_name(code), text, (long long)time(NULL));

	return reply(fr, c, v, status, bytes_of(v->error, (size_t)n));
}

struct fields {
	struct httpsig_fields *sig;
	bool seen[3];
	bool repeated; /* one of them came twice */
};

/* A header that is longer than any good one is left empty, which the ledger
 * refuses. */
static enum MHD_Result
take_field(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct fields *f = cls;
	const struct {
		const char *name;
		char *out;
	} known[] = {
		{ "Content-Digest", f->sig->digest },
		{ "Signature-Input", f->sig->input },
		{ "Signature", f->sig->signature },
	};
	size_t n = value == NULL ? 0 : strlen(value);

	(void)kind;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(known[i].name, name) != 0)
			continue;
		f->repeated |= f->seen[i];
		f->seen[i] = true;
		if (n != 0 && n < HTTPSIG_FIELD_MAX)
			memcpy(known[i].out, value, n + 1);
	}
	return MHD_YES;
}

/* What the query may have, and has. */
struct query {
	const char *known; /* NULL: nothing */
	const char *value;
	bool bad;
};

static enum MHD_Result
take_argument(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct query *q = cls;

	(void)kind;
	q->bad |= q->known == NULL || strcmp(name, q->known) != 0 ||
	    q->value != NULL || value == NULL || value[0] == '\0';
	q->value = value;
	return MHD_YES;
}

static struct query
query(struct MHD_Connection *c, const char *known)
{
	struct query q = { .known = known };

	(void)MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND,
	    take_argument, &q);
	return q;
}

/* On the thread of the calls.  What is done with the visit after it goes on is
 * done by another. */
static void
on_answer(void *who, int rc, struct buf *answer)
{
	struct visit *v = who;

	v->rc = rc;
	v->answer = *answer;
	*answer = buf_init(0);
	MHD_resume_connection(v->c);
}

/* The connection rests until the ledger has answered. */
static enum MHD_Result
forward(struct front *fr, struct visit *v)
{
	struct buf ask defer(buf_wipe) = buf_init(LINK_SOCKET_MAX - 8);
	struct request q = { .body = buf_bytes(&v->body) };
	struct fields fields = { .sig = &q.sig };
	int rc;

	(void)MHD_get_connection_values(v->c, MHD_HEADER_KIND, take_field,
	    &fields);
	if (fields.repeated)
		return reply_error(fr, v->c, v, MHD_HTTP_BAD_REQUEST,
		    FAULT_MALFORMED, "a header field came twice");
	memcpy(q.path, v->path, sizeof(q.path));
	rc = request_write(&q, &ask);
	buf_wipe(&v->body);
	v->asked = true;
	door_note(v->c, WATCH_OURS);
	MHD_suspend_connection(v->c);
	if (rc == 0)
		rc = front_calls_put(fr->calls, &ask, v);
	if (rc != 0) {
		v->rc = rc;
		MHD_resume_connection(v->c);
	}
	return MHD_YES;
}

/* Good requests are signed, but for that of what is published. */
static bool
vouched_for(const struct visit *v, unsigned status)
{
	return status == MHD_HTTP_OK && strcmp(v->path, REQUEST_PUBLISHED) != 0;
}

static enum MHD_Result
answer(struct front *fr, struct MHD_Connection *c, struct visit *v)
{
	struct request_answer a;
	int rc = v->rc;

	if (rc == 0)
		rc = request_answer_read(buf_bytes(&v->answer), &a);
	door_note(c, rc == 0 && vouched_for(v, a.status) ?
	        WATCH_MOVING : WATCH_STRANGER);
	if (rc != 0)
		return reply_error(fr, c, v, MHD_HTTP_SERVICE_UNAVAILABLE,
		    FAULT_AUTHORITY, rc == FAULT_LIMIT ?
		    "too many requests are under way; try again" :
		    "try again");
	gauge_log(&fr->gauge, &a.log);
	return reply(fr, c, v, a.status, a.json);
}

/* A file of the log, to whoever asks. */
static enum MHD_Result
serve_log(struct front *fr, struct MHD_Connection *c, struct visit *v,
    const char *method)
{
	struct MHD_Response *r = NULL;
	enum MHD_Result ok;
	int rc;

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return reply_error(fr, c, v, MHD_HTTP_BAD_REQUEST, FAULT_USAGE,
		    "this request is GET");
	rc = front_log_response(fr->log, v->path, &r);
	if (rc == FAULT_NOT_FOUND)
		return reply_error(fr, c, v, MHD_HTTP_NOT_FOUND, rc,
		    "no such file of the log");
	if (rc != 0)
		return reply_error(fr, c, v, MHD_HTTP_SERVICE_UNAVAILABLE, rc,
		    "the log's file cannot be read now; try again");
	if (fr->draining)
		(void)MHD_add_response_header(r, "Connection", "close");
	v->status = MHD_HTTP_OK;
	ok = MHD_queue_response(c, v->status, r);
	MHD_destroy_response(r);
	return ok;
}

/* The list of requests, to whoever asks; its body is the query's argument. */
static enum MHD_Result
published(struct front *fr, struct MHD_Connection *c, struct visit *v,
    const char *method)
{
	const struct query q = query(c, "from");

	if (strcmp(method, "GET") != 0)
		return reply_error(fr, c, v, MHD_HTTP_BAD_REQUEST, FAULT_USAGE,
		    "this request is GET");
	if (q.bad)
		return reply_error(fr, c, v, MHD_HTTP_BAD_REQUEST, FAULT_USAGE,
		    "the query may have one argument, from");
	v->body.n = 0;
	if (q.value != NULL && buf_append(&v->body, q.value,
	        strlen(q.value)) != 0)
		return MHD_NO;
	v->c = c;
	return forward(fr, v);
}

static enum MHD_Result
healthz(struct front *fr, struct MHD_Connection *c, struct visit *v)
{
	if (fr->draining)
		return reply(fr, c, v, MHD_HTTP_SERVICE_UNAVAILABLE,
		    bytes_of("draining", 8));
	return reply(fr, c, v, MHD_HTTP_OK, bytes_of("ok", 2));
}

static struct visit *
visit_new(struct front *fr, const char *url)
{
	struct visit *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->body = buf_init(REQUEST_BODY_MAX);
	v->answer = buf_init(0);
	(void)snprintf(v->path, sizeof(v->path), "%s",
	    strlen(url) <= REQUEST_PATH_MAX ? url : "/");
	v->begun = tally_begin(&fr->gauge.tally);
	return v;
}

/* Such a body is refused before it is sent. */
static bool
announced_much_too_long(struct MHD_Connection *c)
{
	const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
	    "Content-Length");

	return v != NULL && strtoull(v, NULL, 10) > SOCK_DRAIN_MAX;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	struct front *fr = arg;
	struct visit *v = *state;

	(void)version;
	if (v != NULL && v->asked)
		return answer(fr, c, v);
	if (v == NULL) {
		v = *state = visit_new(fr, url);
		if (v == NULL)
			return MHD_NO;
		door_note(c, WATCH_STRANGER);
		if (!framing_ok(c))
			return MHD_NO;
		if (announced_much_too_long(c))
			return reply_error(fr, c, v, MHD_HTTP_BAD_REQUEST,
			    FAULT_LIMIT, "the body is too long");
		return MHD_YES;
	}
	if (*n != 0) {
		if (!v->too_long)
			v->too_long = buf_append(&v->body, data, *n) != 0;
		*n = 0;
		return MHD_YES;
	}
	if (v->too_long)
		return reply_error(fr, c, v, MHD_HTTP_BAD_REQUEST, FAULT_LIMIT,
		    "the body is too long");
	if (strcmp(v->path, "/healthz") == 0 && strcmp(method, "GET") == 0)
		return healthz(fr, c, v);
	if (strncmp(v->path, FRONT_LOG_PREFIX, strlen(FRONT_LOG_PREFIX)) == 0)
		return serve_log(fr, c, v, method);
	if (strcmp(v->path, REQUEST_PUBLISHED) == 0)
		return published(fr, c, v, method);
	if (strcmp(method, "POST") != 0)
		return reply_error(fr, c, v, MHD_HTTP_BAD_REQUEST, FAULT_USAGE,
		    "requests are POST");
	if (query(c, NULL).bad)
		return reply_error(fr, c, v, MHD_HTTP_BAD_REQUEST, FAULT_USAGE,
		    "this request has no query");
	v->c = c;
	return forward(fr, v);
}

static void
on_end(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct front *fr = arg;
	struct visit *v = *state;

	door_note(c, WATCH_QUIET);
	if (v == NULL)
		return;
	tally_end(&fr->gauge.tally, gauge_kind(v->path),
	    why == MHD_REQUEST_TERMINATED_COMPLETED_OK ? v->status : 0,
	    v->begun);
	buf_wipe(&v->body);
	buf_wipe(&v->answer);
	free(v);
	*state = NULL;
}

/* Messages of the library name clients. */
static void
on_log(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

/* By epoll it would try a TLS handshake that lacks bytes without a pause
 * (0.9.75). */
static struct MHD_Daemon *
start_thread(struct front *fr, const char *certificate, const char *key)
{
	return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS |
	        MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET |
	        MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
	    0, NULL, NULL, on_request, fr, MHD_OPTION_EXTERNAL_LOGGER, on_log,
	    NULL, MHD_OPTION_NOTIFY_CONNECTION, door_connection,
	    fr->watch,
	    MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY,
	    key, MHD_OPTION_HTTPS_PRIORITIES, SOCK_TLS,
	    MHD_OPTION_NOTIFY_COMPLETED, on_end, fr,
	    /* The watch has limits and times. */
	    MHD_OPTION_CONNECTION_LIMIT, INT_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, 0U,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_END);
}

static int
serve(struct front *fr, const char *certificate, const char *key,
    struct fault *f)
{
	fr->calls = front_calls_new(link_init(ROLE_FD_LINK, ROLE_FD_LINK,
	    LINK_SOCKET_MAX), ANSWER_MS, on_answer);
	fr->watch = watch_new(&fr->rule, fr->threads, &fr->gauge.tally.watch);
	if (fr->calls == NULL || fr->watch == NULL)
		return fault_set(f, FAULT_MEMORY, "front: calls");
	for (; fr->nhttps < fr->threads; fr->nhttps++) {
		struct MHD_Daemon *d = start_thread(fr, certificate, key);

		if (d == NULL)
			return fault_set(f, FAULT_CONFIG, "front: HTTPS does "
			    "not start (certificate or private key?)");
		fr->https[fr->nhttps] = d;
	}
	if (door_open(ROLE_FD_LISTEN, fr->https, fr->watch, NULL, &fr->door) !=
	    0)
		return fault_set(f, FAULT_MEMORY, "front: thread");
	if (fcntl(ROLE_FD_METRICS, F_GETFD) < 0)
		return 0;
	fr->scrape = (struct scrape){ "authority", gauge_expose, &fr->gauge,
		&fr->draining };
	fr->metrics = scrape_start(ROLE_FD_METRICS, &fr->scrape);
	if (fr->metrics == NULL)
		return fault_set(f, FAULT_CONFIG, "front: metrics");
	return 0;
}

static void
pause_ms(long ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* No new connections; requests under way are finished, and those that come on
 * open connections meanwhile are the last there. */
static void
drain(struct front *fr)
{
	int quiet = 0;

	fr->draining = true;
	door_close(fr->door);
	for (int ms = 0; ms < DRAIN_MS && quiet < QUIET_MS; ms += 20) {
		quiet = fr->gauge.tally.in_flight == 0 ? quiet + 20 : 0;
		pause_ms(20);
	}
	front_calls_end(fr->calls);
	for (size_t i = 0; i < fr->nhttps; i++)
		MHD_stop_daemon(fr->https[i]);
	if (fr->metrics != NULL)
		MHD_stop_daemon(fr->metrics);
	front_calls_free(fr->calls);
	watch_free(fr->watch);
}

/* Confines the process, starts threads. */
static int
start(struct front *fr, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(ROLE_BOOT_MAX);
	char *certificate, *key, *log, *public = NULL;
	struct role_reach reach = { .n = 1, .read = true };
	struct rd r;
	int rc = role_boot_read(&b, f);

	if (rc != 0)
		return rc;
	r = rd_from(b.p, b.n);
	fr->threads = rd_u32(&r);
	fr->rule.most = rd_u32(&r);
	fr->rule.most_per_address = rd_u32(&r);
	fr->rule.idle_seconds = rd_u32(&r);
	fr->rule.least_rate = rd_u32(&r);
	log = role_boot_text(&r);
	certificate = role_boot_text(&r);
	key = role_boot_text(&r);
	rc = rd_finish(&r);
	if (rc != 0 || log == NULL || certificate == NULL || key == NULL ||
	    fr->threads > CONFIG_THREADS_MAX)
		rc = fault_set(f, FAULT_INTERNAL, "front: boot message");
	if (rc == 0 && gnutls_global_init() != GNUTLS_E_SUCCESS)
		rc = fault_set(f, FAULT_INTERNAL, "front: TLS library");
	if (rc == 0)
		rc = front_log_open(log, &public, &fr->log, f);
	fd_raise(); /* a connection has one, a file of the log another */
	reach.path = (const char *const *)&public;
	if (rc == 0)
		rc = role_confine_to(ROLE_FRONT, &reach, f);
	if (rc == 0)
		rc = serve(fr, certificate, key, f);
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
	free(public);
	free(log);
	free(certificate);
	return rc;
}

int
front_main(struct fault *f)
{
	static struct front fr; /* threads have it to the end of the process */
	int rc = start(&fr, f);

	if (rc == 0)
		rc = role_ready(f);
	if (rc == 0)
		rc = role_wait(-1, -1, f);
	if (rc != FAULT_INTERRUPTED)
		return rc;
	drain(&fr);
	return 0;
}
