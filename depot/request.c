// SPDX-License-Identifier: Apache-2.0
/* Requests of spec/40-depot.md: the table of what there is, and what is common
 * to all.  What each does to the store is in serve.c. */
#include "depot/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <microhttpd.h>

#include "base/logline.h"
#include "depot/gate.h"
#include "depot/serve.h"

static const struct request_op ops[] = {
	{ PATH_OBJECT, "PUT", CAPABILITY_PUT, METRICS_PUT, true,
	    serve_put_begin, serve_put },
	{ PATH_OBJECT, "GET", CAPABILITY_GET, METRICS_GET, false, NULL,
	    serve_get },
	{ PATH_OBJECT, "HEAD", CAPABILITY_GET, METRICS_HEAD, true, NULL,
	    serve_stat },
	{ PATH_OBJECT, "DELETE", CAPABILITY_DELETE, METRICS_DELETE, true, NULL,
	    serve_delete },
	{ PATH_LIST, "GET", CAPABILITY_LIST, METRICS_LIST, true, NULL,
	    serve_list },
	{ PATH_HEAD, "PUT", CAPABILITY_PUT, METRICS_PUT, true,
	    serve_head_put_begin, serve_head_put },
	{ PATH_HEAD, "GET", CAPABILITY_GET, METRICS_GET, false, NULL,
	    serve_head_get },
	{ PATH_HEAD, "HEAD", CAPABILITY_GET, METRICS_HEAD, false, NULL,
	    serve_head_get },
	{ PATH_HEALTHZ, "GET", 0, METRICS_HEALTH, false, NULL, serve_healthz },
	{ PATH_HEALTHZ, "HEAD", 0, METRICS_HEALTH, false, NULL,
	    serve_healthz },
};

struct request *
request_new(struct request_site *site, struct MHD_Connection *conn,
    const char *target)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->site = site;
	r->conn = conn;
	r->verb = METRICS_OTHER;
	r->path_rc = path_parse(bytes_of(target, strlen(target)), &r->path);
	return r;
}

static enum MHD_Result
take_field(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct request_fields *f = cls;
	const struct {
		const char *name;
		const char **place;
	} known[] = {
		{ "Authorization", &f->authorization },
		{ "Content-Digest", &f->content_digest },
		{ "Content-Length", &f->content_length },
		{ "If-None-Match", &f->if_none_match },
		{ "Range", &f->range },
		{ "Transfer-Encoding", &f->transfer_encoding },
		{ "Want-Repr-Digest", &f->want_repr_digest },
	};

	(void)kind;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(known[i].name, name) != 0)
			continue;
		if (*known[i].place != NULL)
			f->repeated = true;
		*known[i].place = value == NULL ? "" : value;
	}
	return MHD_YES;
}

static const struct request_op *
find_op(const struct request *r, const char *method)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (ops[i].kind == r->path.kind &&
		    strcmp(ops[i].method, method) == 0)
			return &ops[i];
	return NULL;
}

/* A body whose length is not known counts as endless. */
static uint64_t
body_length(const struct request_fields *f)
{
	const char *s = f->content_length;
	uint64_t v = 0;

	if (f->transfer_encoding != NULL)
		return UINT64_MAX;
	for (; s != NULL && *s >= '0' && *s <= '9'; s++) {
		if (v > UINT64_MAX / 10 - 1)
			return UINT64_MAX;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	return s != NULL && *s != '\0' ? UINT64_MAX : v;
}

/* The capability, and what it leaves of the quota. */
static void
check_capability(struct request *r)
{
	enum gate_answer answer;
	uint64_t quota = 0;

	answer = gate_check(r->site->gate, r->fields.authorization,
	    r->op->capability, r->path.prefix, (int64_t)time(NULL), &quota);
	if (answer != GATE_OPEN) {
		reply_gate(&r->reply, answer);
		return;
	}
	if (r->site->quota != 0 && (quota == 0 || quota > r->site->quota))
		quota = r->site->quota;
	r->admitted = true;
	r->quota = quota;
}

static bool
check_form(struct request *r, const char *method)
{
	if (r->path_rc == FAULT_NOT_FOUND)
		reply_error(&r->reply, REPLY_NOT_FOUND, 0,
		    "there is no such path");
	else if (r->path_rc != 0)
		reply_error(&r->reply, REPLY_MALFORMED, 0,
		    "the path is not in the form of version 1");
	else if ((r->op = find_op(r, method)) == NULL)
		reply_error(&r->reply, REPLY_MALFORMED,
		    MHD_HTTP_METHOD_NOT_ALLOWED,
		    "the method is not one of this path");
	else if (r->fields.repeated)
		reply_error(&r->reply, REPLY_MALFORMED, 0,
		    "a header field came twice");
	else if (r->op->begin == NULL && r->length != 0)
		reply_error(&r->reply, REPLY_MALFORMED, 0,
		    "this request has no body");
	return !r->reply.decided;
}

void
request_stopping(struct request *r)
{
	reply_error(&r->reply, REPLY_BUSY, 0, "the depot is stopping");
}

void
request_begin(struct request *r, const char *method)
{
	r->begun = true;
	r->begun_at = tally_begin(&r->site->metrics->tally);
	(void)MHD_get_connection_values(r->conn, MHD_HEADER_KIND, take_field,
	    &r->fields);
	r->length = body_length(&r->fields);
	if (!check_form(r, method))
		return;
	r->verb = r->op->verb;
	if (r->op->capability == 0)
		return;
	if (atomic_load(&r->site->draining)) {
		request_stopping(r);
		return;
	}
	check_capability(r);
}

bool
request_opens_slowly(const struct request *r)
{
	const struct store *s = r->site->store;

	return !r->reply.decided && !r->opened && r->op->begin != NULL &&
	    r->path.kind == PATH_OBJECT &&
	    !s->ops->put_ready(r->site->store, r->path.prefix);
}

void
request_open(struct request *r)
{
	if (!r->reply.decided && !r->opened && r->op->begin != NULL)
		r->op->begin(r, r->quota);
	r->opened = true;
}

void
request_body(struct request *r, const void *p, size_t n)
{
	r->received += n;
	atomic_fetch_add(&r->site->metrics->bytes_in, n);
	if (!r->reply.decided)
		serve_body(r, p, n);
}

bool
request_is_slow(const struct request *r)
{
	return r->op != NULL && r->op->slow;
}

void
request_finish(struct request *r)
{
	if (!r->reply.decided && r->op != NULL)
		r->op->finish(r);
}

void
request_end(struct request *r, bool whole)
{
	struct metrics *m = r->site->metrics;

	if (r->upload != NULL)
		r->site->store->ops->put_abort(r->upload);
	digest_sum_wipe(&r->sum);
	if (r->begun) {
		if (whole)
			atomic_fetch_add(&m->bytes_out, r->reply.bytes);
		tally_end(&m->tally, r->verb, whole ? r->reply.status : 0,
		    r->begun_at);
	}
	reply_wipe(&r->reply);
	free(r);
}
