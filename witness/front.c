// SPDX-License-Identifier: Apache-2.0
#include "witness/front.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>

#include "base/trouble.h"
#include "net/sock.h"
#include "net/text.h"
#include "serve/door.h"
#include "serve/framing.h"
#include "serve/scrape.h"
#include "serve/tally.h"
#include "serve/watch.h"
#include "tlog/line.h"
#include "tlog/submit.h"

#define STEP_MS 20
#define TEXT "text/plain; charset=utf-8"

struct front {
	struct state *state;
	struct MHD_Daemon **http; /* owned; each a thread */
	size_t nhttp;
	struct door *door;
	struct watch *watch;      /* of the connections */
	struct tally tally;
	struct scrape scrape;
	struct MHD_Daemon *metrics; /* its; NULL: none */
	atomic_bool draining;
};

/* Of requests. */
enum kind {
	ADD_CHECKPOINT,
	CHECKPOINT,
	HEALTHZ,
	OTHER,
	KINDS,
};

struct request {
	struct front *front;
	struct MHD_Connection *conn;
	struct buf body;
	bool headed, large; /* headed: the header is in */
	uint64_t begun;
	enum kind kind;
	unsigned status; /* 0: none was answered */
};

static enum MHD_Result
reply(struct request *r, unsigned status, const char *type, struct bytes body)
{
	/* MHD copies it; its parameter lacks const. */
	struct MHD_Response *a = MHD_create_response_from_buffer(body.n,
	    (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;

	if (a == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(a, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(a, MHD_HTTP_HEADER_ALLOW,
		    r->kind == ADD_CHECKPOINT ? "POST" : "GET, HEAD");
	r->status = status;
	ok = MHD_queue_response(r->conn, status, a);
	MHD_destroy_response(a);
	return ok;
}

static enum MHD_Result
reply_text(struct request *r, unsigned status, const char *text)
{
	return reply(r, status, TEXT, bytes_of(text, strlen(text)));
}

static const char *
text_of(enum state_answer answer)
{
	switch (answer) {
	case STATE_MALFORMED:
		return "the body is no checkpoint to be added, or its old "
		    "size is above the new\n";
	case STATE_UNTRUSTED:
		return "no good signature of the log\n";
	case STATE_UNKNOWN:
		return "unknown log\n";
	case STATE_REFUSED:
		return "not consistent with what was cosigned\n";
	default:
		return "the witness has a fault\n";
	}
}

/* What is worth a line: a log that shows two faces, or a disk that fails. */
static void
tell(enum state_answer answer, const struct fault *f)
{
	static const struct trouble refused = { .event = "inconsistent" };
	struct logline l;

	if (answer == STATE_FAILED)
		trouble_fault("state", f);
	else if (answer == STATE_REFUSED &&
	    trouble_begin(&refused, LOGLINE_WARN, &l))
		logline_end(&l);
}

static enum MHD_Result
add_checkpoint(struct request *r)
{
	struct buf line defer(buf_wipe) = buf_init(NOTE_MAX);
	char size_text[LINE_U64_MAX + 1];
	struct fault f = { 0 };
	struct timespec now;
	enum state_answer answer;
	uint64_t size = 0;
	size_t n;

	if (r->large)
		return reply_text(r, MHD_HTTP_CONTENT_TOO_LARGE,
		    "the body is too large\n");
	(void)clock_gettime(CLOCK_REALTIME, &now);
	answer = state_add(r->front->state, buf_bytes(&r->body),
	    (uint64_t)now.tv_sec, &line, &size, &f);
	tell(answer, &f);
	if (answer == STATE_COSIGNED || answer == STATE_CONFLICT)
		door_note(r->conn, WATCH_MOVING);
	if (answer == STATE_COSIGNED)
		return reply(r, MHD_HTTP_OK, TEXT, buf_bytes(&line));
	if (answer != STATE_CONFLICT)
		return reply_text(r, answer, text_of(answer));
	n = line_u64_format(size, size_text);
	size_text[n] = '\n';
	return reply(r, MHD_HTTP_CONFLICT, "text/x.tlog.size",
	    bytes_of(size_text, n + 1));
}

/* "/<64 hex>/checkpoint" */
static int
parse_hash(const char *url, uint8_t out[static 32])
{
	if (strlen(url) != 65 + strlen("/checkpoint") || url[0] != '/' ||
	    strcmp(url + 65, "/checkpoint") != 0)
		return FAULT_NOT_FOUND;
	return text_hex_parse(url + 1, 64, out, 32);
}

static enum MHD_Result
checkpoint(struct request *r, const char *url)
{
	struct buf note defer(buf_wipe) = buf_init(NOTE_MAX);
	uint8_t hash[32] = { 0 };

	if (parse_hash(url, hash) != 0 ||
	    state_get(r->front->state, hash, &note) != 0)
		return reply_text(r, MHD_HTTP_NOT_FOUND,
		    "nothing was cosigned of a log of this hash\n");
	return reply(r, MHD_HTTP_OK, TEXT, buf_bytes(&note));
}

static enum kind
kind_of(const char *url)
{
	uint8_t hash[32];

	if (strcmp(url, "/add-checkpoint") == 0)
		return ADD_CHECKPOINT;
	if (strcmp(url, "/healthz") == 0)
		return HEALTHZ;
	return parse_hash(url, hash) == 0 ? CHECKPOINT : OTHER;
}

static enum MHD_Result
answer(struct request *r, const char *url, const char *method)
{
	bool reads = strcmp(method, "GET") == 0 ||
	    strcmp(method, "HEAD") == 0;

	r->kind = kind_of(url);
	if (r->kind == OTHER)
		return reply_text(r, MHD_HTTP_NOT_FOUND,
		    "there is no such path\n");
	if (r->kind == ADD_CHECKPOINT)
		return strcmp(method, "POST") == 0 ? add_checkpoint(r) :
		    reply_text(r, MHD_HTTP_METHOD_NOT_ALLOWED,
		        "the method is not POST\n");
	if (!reads)
		return reply_text(r, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "the method is not GET\n");
	if (r->kind == CHECKPOINT)
		return checkpoint(r, url);
	return atomic_load(&r->front->draining) ?
	    reply_text(r, MHD_HTTP_SERVICE_UNAVAILABLE, "draining") :
	    reply_text(r, MHD_HTTP_OK, "ok\n");
}

static void *
on_target(void *cls, const char *target, struct MHD_Connection *conn)
{
	struct request *r = calloc(1, sizeof(*r));
	struct front *front = cls;

	(void)target;
	if (r == NULL)
		return NULL;
	r->front = front;
	r->conn = conn;
	r->kind = OTHER;
	r->body = buf_init(SUBMIT_MAX);
	r->begun = tally_begin(&front->tally);
	return r;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **con_cls)
{
	struct request *r = *con_cls;

	(void)cls;
	(void)version;
	if (r == NULL)
		return MHD_NO;
	/* The first call comes before the body. */
	if (!r->headed) {
		r->headed = true;
		door_note(conn, WATCH_STRANGER);
		return framing_ok(conn) ? MHD_YES : MHD_NO;
	}
	if (*size != 0) {
		int rc = r->large ? 0 : buf_append(&r->body, data, *size);

		if (rc == FAULT_MEMORY)
			return MHD_NO;
		r->large = r->large || rc != 0;
		*size = 0;
		return MHD_YES;
	}
	return answer(r, url, method);
}

static void
on_end(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode how)
{
	struct request *r = *con_cls;

	(void)cls;
	door_note(conn, WATCH_QUIET);
	if (r == NULL)
		return;
	tally_end(&r->front->tally, r->kind,
	    how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? r->status : 0,
	    r->begun);
	buf_wipe(&r->body);
	free(r);
	*con_cls = NULL;
}

/* By epoll it would try a TLS handshake that lacks bytes without a pause
 * (0.9.75). */
static struct MHD_Daemon *
start_thread(struct front *front, const struct front_options *o)
{
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t)SOCK_TLS },
		{ MHD_OPTION_END, 0, NULL } };

	return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC |
	        MHD_USE_NO_LISTEN_SOCKET | (o->cert != NULL ? MHD_USE_TLS : 0),
	    0, NULL, NULL, on_request, front,
	    MHD_OPTION_NOTIFY_CONNECTION, door_connection, front->watch,
	    /* The watch has limits and times. */
	    MHD_OPTION_CONNECTION_LIMIT, INT_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, 0u,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, front,
	    MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_ARRAY, o->cert != NULL ? tls : tls + 3,
	    MHD_OPTION_END);
}

static void
expose(void *arg, struct expose *e)
{
	static const char *const names[KINDS] = { "/add-checkpoint",
		"/checkpoint", "/healthz", "other" };
	static const struct tally_kinds kinds = { "path", names, KINDS };
	struct front *front = arg;

	tally_expose(&front->tally, &kinds, e);
}

static int
start_metrics(struct front *front, int fd, struct fault *f)
{
	if (fd < 0)
		return 0;
	front->scrape = (struct scrape){ "witness", expose, front,
		&front->draining };
	front->metrics = scrape_start(fd, &front->scrape);
	return front->metrics != NULL ? 0 :
	    fault_set(f, FAULT_INTERNAL, "metrics cannot start");
}

static void
end(struct front *front)
{
	door_close(front->door);
	for (size_t i = 0; i < front->nhttp; i++)
		MHD_stop_daemon(front->http[i]);
	if (front->metrics != NULL)
		MHD_stop_daemon(front->metrics);
	watch_free(front->watch);
	free(front->http);
	free(front);
}

static int
start_threads(struct front *front, const struct front_options *o,
    struct fault *f)
{
	front->watch = watch_new(&o->rule, o->threads, &front->tally.watch);
	front->http = calloc(o->threads, sizeof(struct MHD_Daemon *));
	if (front->watch == NULL || front->http == NULL)
		return fault_set(f, FAULT_MEMORY, "front");
	for (; front->nhttp < o->threads; front->nhttp++) {
		struct MHD_Daemon *d = start_thread(front, o);

		if (d == NULL)
			return fault_set(f, FAULT_CONFIG, "HTTP cannot start");
		front->http[front->nhttp] = d;
	}
	return door_open(o->listen_fd, front->http, front->watch, NULL,
	    &front->door) == 0 ? 0 :
	    fault_set(f, FAULT_MEMORY, "thread");
}

int
front_start(struct state *s, const struct front_options *o,
    struct front **out, struct fault *f)
{
	struct front *front = calloc(1, sizeof(*front));
	int rc;

	if (front == NULL)
		return fault_set(f, FAULT_MEMORY, "front");
	front->state = s;
	rc = start_metrics(front, o->metrics_fd, f);
	if (rc == 0)
		rc = start_threads(front, o, f);
	if (rc != 0) {
		end(front);
		return rc;
	}
	*out = front;
	return 0;
}

void
front_stop(struct front *front, unsigned seconds)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
	unsigned steps = seconds * 1000 / STEP_MS;

	atomic_store(&front->draining, true);
	door_close(take(front->door));
	while (atomic_load(&front->tally.in_flight) > 0 && steps-- > 0)
		(void)nanosleep(&step, NULL);
	end(front);
}
