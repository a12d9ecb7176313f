// SPDX-License-Identifier: Apache-2.0
#include "serve/scrape.h"

#include <string.h>

#include <microhttpd.h>

#define CONNECTIONS 16
#define IDLE_SECONDS 10
#define TEXT_MAX 65536
#define METRICS_TYPE "text/plain; version=0.0.4"

static enum MHD_Result
reply(struct MHD_Connection *conn, unsigned status, const char *type,
    struct bytes body)
{
	/* MHD copies it; its parameter lacks const. */
	struct MHD_Response *r = MHD_create_response_from_buffer(body.n,
	    (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;

	if (r == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW,
		    "GET, HEAD");
	ok = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result
reply_text(struct MHD_Connection *conn, unsigned status, const char *text)
{
	return reply(conn, status, "text/plain",
	    bytes_of(text, strlen(text)));
}

static enum MHD_Result
metrics(const struct scrape *s, struct MHD_Connection *conn)
{
	struct buf text defer(buf_wipe) = buf_init(TEXT_MAX);
	struct expose e = { .server = s->server, .out = &text };

	s->expose(s->ctx, &e);
	return e.rc != 0 ? MHD_NO :
	    reply(conn, MHD_HTTP_OK, METRICS_TYPE, buf_bytes(&text));
}

static enum MHD_Result
answer(const struct scrape *s, struct MHD_Connection *conn, const char *url,
    const char *method)
{
	bool health = strcmp(url, "/healthz") == 0;

	if (!health && strcmp(url, "/metrics") != 0)
		return reply_text(conn, MHD_HTTP_NOT_FOUND,
		    "there are /metrics and /healthz only\n");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return reply_text(conn, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "the method is not GET\n");
	if (!health)
		return metrics(s, conn);
	return atomic_load(s->draining) ?
	    reply_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, "draining") :
	    reply_text(conn, MHD_HTTP_OK, "ok");
}

/* Once for the header, once for each piece of a body, which is skipped, and
 * once for the end. */
static enum MHD_Result
on_request(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **context)
{
	static const char begun;

	(void)version;
	(void)data;
	if (*context != NULL && *size == 0)
		return answer(cls, conn, url, method);
	*context = (void *)(uintptr_t)&begun;
	*size = 0;
	return MHD_YES;
}

struct MHD_Daemon *
scrape_start(int fd, const struct scrape *s)
{
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC,
	    0, NULL, NULL, on_request, (void *)(uintptr_t)s,
	    MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
	    MHD_OPTION_END);
}
