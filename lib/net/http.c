// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl with everything that its environment could change switched off: no
 * proxy, no redirect, no other certificate authority than the peer's.  The
 * sockets are opened and closed here, so that the kernel's own count of bytes
 * can be read from each: what TLS and HTTP add is in it.
 */
#include "net/http.h"

#include <ctype.h>
#include <errno.h>
#include <curl/curl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypt/records.h"

#define CONNECT_MS 10000L
#define SLOW_SECONDS 30L
#define BUFFER_BYTES (512L * 1024)
#define SOCKETS_MAX 8 /* one connection, and what happy eyeballs tries */
#define URL_MAX 2048
#define ERROR_READ_MAX 65536 /* of an error's body, to keep the connection */
#define HEAD_MAX 65536 /* header lines, also those behind a chunked body,
			* all of which the library keeps */

struct socket_count {
	curl_socket_t fd; /* -1: free */
	uint64_t sent, received; /* already in the wire's count */
};

struct transfer {
	struct http *h;
	const struct http_request *req;
	struct http_answer *ans;
	size_t body_at; /* bytes of the body that are sent */
	size_t head_n;
	size_t error_n; /* bytes of an error's body */
	bool overflow;
	bool cut; /* of an error, enough is known */
};

struct http {
	struct http_peer peer;
	CURL *easy;
	struct socket_count socket[SOCKETS_MAX];
	char error[CURL_ERROR_SIZE];
	int exhausted; /* errno of a socket that this process cannot have */
};

static void
count_socket(struct http *h, struct socket_count *s)
{
	struct tcp_info ti = { 0 };
	socklen_t n = sizeof(ti);

	if (s->fd < 0 ||
	    getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &ti, &n) != 0)
		return;
	/* bytes_sent has what was sent again too: that crossed the wire. */
	if (ti.tcpi_bytes_sent > s->sent) {
		atomic_fetch_add(&h->peer.wire->sent,
		    ti.tcpi_bytes_sent - s->sent);
		s->sent = ti.tcpi_bytes_sent;
	}
	if (ti.tcpi_bytes_received > s->received) {
		atomic_fetch_add(&h->peer.wire->received,
		    ti.tcpi_bytes_received - s->received);
		s->received = ti.tcpi_bytes_received;
	}
}

static void
count_all(struct http *h)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		count_socket(h, &h->socket[i]);
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct http *h = arg;
	curl_socket_t fd;

	(void)purpose;
	fd = socket(addr->family, addr->socktype | SOCK_CLOEXEC,
	    addr->protocol);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			h->exhausted = errno;
		return CURL_SOCKET_BAD;
	}
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		if (h->socket[i].fd >= 0)
			continue;
		h->socket[i] = (struct socket_count){ .fd = fd };
		break;
	}
	return fd;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	struct http *h = arg;

	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		if (h->socket[i].fd != fd)
			continue;
		count_socket(h, &h->socket[i]);
		h->socket[i].fd = -1;
	}
	return close(fd);
}

static size_t
on_read(char *p, size_t size, size_t nitems, void *arg)
{
	struct transfer *t = arg;
	size_t left = t->req->body.n - t->body_at;
	size_t n = size * nitems < left ? size * nitems : left;

	if (n != 0)
		memcpy(p, t->req->body.p + t->body_at, n);
	t->body_at += n;
	return n;
}

static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct transfer *t = arg;

	if (origin != SEEK_SET || offset < 0 ||
	    (uint64_t)offset > t->req->body.n)
		return CURL_SEEKFUNC_FAIL;
	t->body_at = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t
on_write(char *p, size_t size, size_t nitems, void *arg)
{
	struct transfer *t = arg;
	size_t n = size * nitems;
	long status = 0;

	(void)curl_easy_getinfo(t->h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (t->req->errors_apart && status >= 400) {
		size_t at = t->error_n < HTTP_ERROR_MAX ? t->error_n :
							  HTTP_ERROR_MAX;
		size_t room = HTTP_ERROR_MAX - at;

		memcpy(t->ans->error + at, p, n < room ? n : room);
		t->error_n += n;
		t->cut = t->error_n > ERROR_READ_MAX;
		return t->cut ? CURL_WRITEFUNC_ERROR : n;
	}
	if (n > t->req->out_max - t->ans->n) {
		t->overflow = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (n != 0)
		memcpy(t->req->out + t->ans->n, p, n);
	t->ans->n += n;
	return n;
}

/* The value of the header line if it has this name, blanks trimmed, into out;
 * left alone where it is longer than out. */
static void
header_value(const char *line, size_t n, const char *name, char *out,
    size_t out_size)
{
	size_t len = strlen(name);

	if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0)
		return;
	line += len + 1;
	n -= len + 1;
	while (n > 0 && isspace((unsigned char)*line))
		line++, n--;
	while (n > 0 && isspace((unsigned char)line[n - 1]))
		n--;
	if (n >= out_size)
		return;
	memcpy(out, line, n);
	out[n] = '\0';
}

static size_t
on_header(char *p, size_t size, size_t nitems, void *arg)
{
	struct transfer *t = arg;
	size_t n = size * nitems;
	char date[64] = "";
	time_t when;

	t->head_n += n;
	if (t->head_n > HEAD_MAX)
		return 0;
	header_value(p, n, "Repr-Digest", t->ans->digest,
	    sizeof(t->ans->digest));
	header_value(p, n, "Date", date, sizeof(date));
	when = date[0] == '\0' ? -1 : curl_getdate(date, NULL);
	if (when > 0)
		t->ans->date = when;
	return n;
}

static int
on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow,
    curl_off_t ultotal, curl_off_t ulnow)
{
	const struct http *h = arg;

	(void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
	return h->peer.stop != NULL && atomic_load(h->peer.stop);
}

static void
global_init(void)
{
	records_accelerate();
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* What holds for every request of the handle. */
static CURLcode
set_fixed(struct http *h)
{
	struct curl_blob ca = {
		.data = (void *)(uintptr_t)h->peer.ca,
		.len = strlen(h->peer.ca),
		.flags = CURL_BLOB_NOCOPY,
	};
	CURLcode rc = CURLE_OK;

#define SET(option, value)                                             \
	do {                                                           \
		if (rc == CURLE_OK)                                    \
			rc = curl_easy_setopt(h->easy, option, value); \
	} while (0)
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	SET(CURLOPT_CAINFO_BLOB, &ca);
	SET(CURLOPT_CAINFO, NULL);
	/* The system's folder would be believed beside the blob. */
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 30L);
	SET(CURLOPT_TCP_KEEPINTVL, 10L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	SET(CURLOPT_TIMEOUT, (long)h->peer.seconds);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
	SET(CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
	SET(CURLOPT_ERRORBUFFER, h->error);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(CURLOPT_OPENSOCKETDATA, h);
	SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
	SET(CURLOPT_CLOSESOCKETDATA, h);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, h);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_SEEKFUNCTION, on_seek);
	SET(CURLOPT_WRITEFUNCTION, on_write);
	SET(CURLOPT_HEADERFUNCTION, on_header);
#undef SET
	return rc;
}

int
http_open(const struct http_peer *peer, struct http **out, struct fault *f)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *h defer(http_closep) = calloc(1, sizeof(*h));
	CURLcode rc;

	if (h == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	(void)pthread_once(&once, global_init);
	h->peer = *peer;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		h->socket[i].fd = -1;
	h->easy = curl_easy_init();
	if (h->easy == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = set_fixed(h);
	if (rc != CURLE_OK)
		return fault_set(f, FAULT_INTERNAL, "%s: libcurl: %s",
		    peer->url, curl_easy_strerror(rc));
	*out = take(h);
	return 0;
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	if (h->easy != NULL)
		curl_easy_cleanup(h->easy);
	free(h);
}

void
http_closep(struct http **h)
{
	http_close(*h);
}

const char *
http_url(const struct http *h)
{
	return h->peer.url;
}

static CURLcode
set_method(struct http *h, struct transfer *t)
{
	const struct http_request *req = t->req;
	bool put = strcmp(req->method, "PUT") == 0;
	bool post = strcmp(req->method, "POST") == 0;
	bool head = strcmp(req->method, "HEAD") == 0;
	CURLcode rc;

	/* Undoes what the request before has set. */
	rc = curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST,
		    put || post || head ? NULL : req->method);
	if (rc == CURLE_OK && head)
		rc = curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
	if (rc == CURLE_OK && put) {
		rc = curl_easy_setopt(h->easy, CURLOPT_UPLOAD, 1L);
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(h->easy,
			    CURLOPT_INFILESIZE_LARGE, (curl_off_t)req->body.n);
	}
	if (rc == CURLE_OK && post) {
		rc = curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS,
			    NULL);
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(h->easy,
			    CURLOPT_POSTFIELDSIZE_LARGE,
			    (curl_off_t)req->body.n);
	}
	return rc;
}

static CURLcode
set_request(struct http *h, struct transfer *t, const char *url,
    struct curl_slist *headers)
{
	CURLcode rc = set_method(h, t);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h->easy, CURLOPT_URL, url);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h->easy, CURLOPT_READDATA, t);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h->easy, CURLOPT_SEEKDATA, t);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, t);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, t);
	return rc;
}

/* Who the peer is, for messages. */
static const char *
role(const struct http *h)
{
	return h->peer.fault == FAULT_DEPOT ? "depot" : "authority";
}

static int
fault_of(const struct http *h, const struct transfer *t, CURLcode rc,
    struct fault *f)
{
	const char *why = h->error[0] != '\0' ? h->error :
						curl_easy_strerror(rc);

	switch (rc) {
	case CURLE_OK:
		return 0;
	case CURLE_ABORTED_BY_CALLBACK:
		return fault_set(f, FAULT_INTERRUPTED, "interrupted");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return fault_set(f, FAULT_TRUST, "%s %s: %s", role(h),
		    h->peer.url, why);
	case CURLE_SSL_CACERT_BADFILE:
		return fault_set(f, FAULT_CONFIG,
		    "%s %s: its certificate authority is not valid PEM",
		    role(h), h->peer.url);
	case CURLE_OUT_OF_MEMORY:
		return fault_set(f, FAULT_MEMORY, "%s %s: out of memory",
		    role(h), h->peer.url);
	case CURLE_WRITE_ERROR:
		if (t->cut)
			return 0;
		if (t->head_n > HEAD_MAX)
			return fault_set(f, FAULT_LIMIT,
			    "%s %s: answer with a head of more than %u bytes",
			    role(h), h->peer.url, HEAD_MAX);
		if (t->overflow)
			return fault_set(f, FAULT_LIMIT,
			    "%s %s: answer of more than %zu bytes", role(h),
			    h->peer.url, t->req->out_max);
		break;
	case CURLE_URL_MALFORMAT:
		return fault_set(f, FAULT_CONFIG, "%s %s: %s", role(h),
		    h->peer.url, why);
	default:
		break;
	}
	/* The library says that the peer cannot be reached. */
	if (h->exhausted != 0)
		return fault_sys(f, FAULT_IO, h->exhausted,
		    "%s %s: no descriptor for a connection (ulimit -n)",
		    role(h), h->peer.url);
	return fault_set(f, h->peer.fault, "%s %s: %s", role(h),
	    h->peer.url, why);
}

static void
slist_freep(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static int
append_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return FAULT_MEMORY;
	*list = longer;
	return 0;
}

int
http_do(struct http *h, const struct http_request *req,
    struct http_answer *ans, struct fault *f)
{
	struct curl_slist *headers defer(slist_freep) = NULL;
	struct http_answer got = { 0 };
	struct transfer t = { .h = h, .req = req, .ans = &got };
	char url[URL_MAX];
	CURLcode rc;
	long status = 0;
	int n, bad;

	if (h->peer.stop != NULL && atomic_load(h->peer.stop))
		return fault_set(f, FAULT_INTERRUPTED, "interrupted");
	n = snprintf(url, sizeof(url), "%s%s", h->peer.url, req->path);
	if (n < 0 || (size_t)n >= sizeof(url))
		return fault_set(f, FAULT_LIMIT, "%s: too long an address",
		    h->peer.url);
	/* Waiting for "100 Continue" costs a round trip for each object. */
	bad = append_header(&headers, "Expect:");
	for (const char *const *p = req->headers;
	     bad == 0 && p != NULL && *p != NULL; p++)
		bad = append_header(&headers, *p);
	if (bad != 0)
		return fault_set(f, bad, "out of memory");

	h->error[0] = '\0';
	h->exhausted = 0;
	rc = set_request(h, &t, url, headers);
	if (rc == CURLE_OK) {
		atomic_fetch_add(&h->peer.wire->requests, 1);
		rc = curl_easy_perform(h->easy);
		count_all(h);
	}
	(void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	bad = fault_of(h, &t, rc, f);
	if (bad != 0)
		return bad;
	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	got.status = (unsigned)status;
	*ans = got;
	return 0;
}
