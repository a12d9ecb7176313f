// SPDX-License-Identifier: Apache-2.0
#include "depot/reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>
#include <microhttpd.h>

#include "base/trouble.h"
#include "depot/hex.h"

static void
decide(struct reply *r, unsigned status, struct MHD_Response *response,
    uint64_t bytes)
{
	r->decided = true;
	r->response = response;
	r->status = status;
	r->bytes = bytes;
}

void
reply_field(struct reply *r, const char *name, const char *value)
{
	if (r->response != NULL)
		(void)MHD_add_response_header(r->response, name, value);
}

void
reply_body(struct reply *r, unsigned status, const char *type, const void *p,
    size_t n)
{
	if (r->decided)
		return;
	/* MHD copies it; its parameter lacks const. */
	decide(r, status,
	    MHD_create_response_from_buffer(n, (void *)(uintptr_t)p,
		MHD_RESPMEM_MUST_COPY), n);
	reply_field(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

void
reply_empty(struct reply *r, unsigned status)
{
	if (!r->decided)
		decide(r, status,
		    MHD_create_response_from_buffer(0, NULL,
			MHD_RESPMEM_PERSISTENT), 0);
}

/* A part of a file that is being sent. */
struct part {
	struct store_name name;
	int fd;
	uint64_t first, len;
};

/* Nothing can be answered any more; the operator hears of it. */
static void
tell(const struct part *part, ssize_t n)
{
	char p[HEX_ID_LEN + 1], o[HEX_ID_LEN + 1];
	struct fault f;
	int rc = n < 0 ? fault_sys(&f, FAULT_IO, errno, "read") :
			 fault_set(&f, FAULT_IO, "is shorter than it was");

	hex_id_format(part->name.prefix, p);
	hex_id_format(part->name.id, o);
	(void)fault_add(&f, rc, "%s/%s", p, o);
	trouble_fault("store", &f);
}

static ssize_t
read_part(void *cls, uint64_t pos, char *buf, size_t max)
{
	const struct part *part = cls;
	uint64_t left = part->len - pos;
	ssize_t n;

	do
		n = pread(part->fd, buf, left < max ? (size_t)left : max,
		    (off_t)(part->first + pos));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	tell(part, n);
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void
free_part(void *cls)
{
	struct part *part = cls;

	(void)close(part->fd);
	free(part);
}

static struct MHD_Response *
respond_part(const struct store_name *name, int fd, uint64_t first,
    uint64_t len)
{
	struct part *part = malloc(sizeof(*part));
	struct MHD_Response *response = NULL;

	if (part != NULL) {
		*part = (struct part){ *name, fd, first, len };
		response = MHD_create_response_from_callback(len,
		    len < REPLY_BLOCK ? (size_t)len : REPLY_BLOCK, read_part,
		    part, free_part);
	}
	if (response == NULL) {
		(void)close(fd);
		free(part);
	}
	return response;
}

void
reply_file(struct reply *r, unsigned status, const struct store_name *name,
    int fd, uint64_t first, uint64_t len)
{
	if (r->decided) {
		(void)close(fd);
		return;
	}
	if (len == 0) {
		(void)close(fd);
		reply_empty(r, status);
	} else {
		decide(r, status, respond_part(name, fd, first, len), len);
	}
	reply_field(r, MHD_HTTP_HEADER_CONTENT_TYPE,
	    "application/octet-stream");
}

static const struct {
	const char *text;
	unsigned status;
} codes[] = {
#define X(name, text, status) { text, status },
	REPLY_TABLE(X)
#undef X
};

void
reply_error(struct reply *r, enum reply_code code, unsigned status,
    const char *text)
{
	char body[512];
	json_t *j;
	size_t n;

	if (r->decided)
		return;
	j = json_pack("{s:{s:s, s:s}}", "error", "code", codes[code].text,
	    "text", text);
	if (j == NULL) {
		decide(r, 0, NULL, 0);
		return;
	}
	n = json_dumpb(j, body, sizeof(body), JSON_COMPACT);
	json_decref(j);
	if (n > sizeof(body))
		n = 0;
	reply_body(r, status == 0 ? codes[code].status : status,
	    "application/json", body, n);
	if (codes[code].status == MHD_HTTP_UNAUTHORIZED)
		reply_field(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
}

bool
reply_fault(struct reply *r, int rc)
{
	switch (rc) {
	case FAULT_NOT_FOUND:
		reply_error(r, REPLY_NOT_FOUND, 0, "there is no such object");
		return false;
	case FAULT_EXISTS:
		reply_error(r, REPLY_EXISTS, 0,
		    "the object exists with other bytes");
		return false;
	case FAULT_CONFLICT:
		reply_error(r, REPLY_CONFLICT, 0,
		    "a head of this number or above is stored");
		return false;
	case FAULT_LIMIT:
		reply_error(r, REPLY_QUOTA, 0, "the quota is used up");
		return false;
	case FAULT_MALFORMED:
	case FAULT_VERSION:
		reply_error(r, REPLY_MALFORMED, 0,
		    "the head is not in a known format");
		return false;
	case FAULT_MISSING:
		reply_error(r, REPLY_BUSY, 0,
		    "the object was deleted meanwhile: try again");
		return false;
	case FAULT_SPACE:
		reply_error(r, REPLY_FULL, 0, "the depot is full");
		return true;
	case FAULT_MEMORY:
		reply_error(r, REPLY_BUSY, 0, "try again later");
		return true;
	default:
		reply_error(r, REPLY_INTERNAL, 0, "the depot has a fault");
		return true;
	}
}

void
reply_gate(struct reply *r, enum gate_answer answer)
{
	switch (answer) {
	case GATE_EXPIRED:
		reply_error(r, REPLY_EXPIRED, 0,
		    "the capability is not good at this time");
		break;
	case GATE_DENIED:
		reply_error(r, REPLY_DENIED, 0,
		    "the capability does not allow this here");
		break;
	default:
		reply_error(r, REPLY_UNAUTHENTICATED, 0,
		    "a valid capability is needed");
		break;
	}
}

void
reply_wipe(struct reply *r)
{
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	r->response = NULL;
}
