// SPDX-License-Identifier: Apache-2.0
#include "depot/serve.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <microhttpd.h>

#include "base/trouble.h"
#include "depot/dirfs.h"
#include "depot/hex.h"
#include "depot/range.h"

/* [depot] The log gets the store's words only: nothing of the caller. */
static void
refuse(struct request *r, int rc, const struct fault *f)
{
	if (reply_fault(&r->reply, rc))
		trouble_fault("store", f);
}

/* Nothing has to be there for what is stored: the store lacks a folder of its
 * own. */
static void
refuse_put(struct request *r, int rc, const struct fault *f)
{
	refuse(r, rc == FAULT_NOT_FOUND ? FAULT_IO : rc, f);
}

static struct store_name
name_of(const struct request *r)
{
	struct store_name name;

	memcpy(name.prefix, r->path.prefix, ID_LEN);
	memcpy(name.id, r->path.id, ID_LEN);
	return name;
}

/* Sends the client to the store itself, where the backend can. */
static bool
redirect(struct request *r, enum store_bulk what)
{
	struct store *s = r->site->store;
	struct store_name name = name_of(r);
	struct fault f;
	char *url;
	int rc;

	if (s->ops->redirect == NULL)
		return false;
	rc = s->ops->redirect(s, what, &name, &url, &f);
	if (rc != 0) {
		refuse(r, rc, &f);
		return true;
	}
	reply_empty(&r->reply, MHD_HTTP_TEMPORARY_REDIRECT);
	reply_field(&r->reply, MHD_HTTP_HEADER_LOCATION, url);
	free(url);
	return true;
}

/* Length and digest, as every body has them. */
static bool
check_body_fields(struct request *r)
{
	if (r->fields.content_length == NULL ||
	    r->fields.transfer_encoding != NULL)
		reply_error(&r->reply, REPLY_MALFORMED,
		    MHD_HTTP_LENGTH_REQUIRED, "Content-Length is needed");
	else if (r->fields.content_digest == NULL ||
	    digest_parse(r->fields.content_digest, &r->want) != 0)
		reply_error(&r->reply, REPLY_MALFORMED, 0,
		    "Content-Digest with one sha-256 or crc32c is needed");
	else if (digest_sum_init(&r->sum, r->want.kind) != 0)
		reply_error(&r->reply, REPLY_BUSY, 0, "try again later");
	else
		r->summed = true;
	return !r->reply.decided;
}

/* Whether the body is the one that the client meant; decides if not. */
static bool
check_digest(struct request *r)
{
	if (digest_sum_is(&r->sum, &r->want))
		return true;
	reply_error(&r->reply, REPLY_MALFORMED, 0,
	    "the body does not have its Content-Digest");
	return false;
}

void
serve_put_begin(struct request *r, uint64_t quota)
{
	struct store *s = r->site->store;
	struct store_name name = name_of(r);
	struct fault f;
	int rc;

	if (r->fields.if_none_match == NULL ||
	    strcmp(r->fields.if_none_match, "*") != 0) {
		reply_error(&r->reply, REPLY_MALFORMED,
		    MHD_HTTP_PRECONDITION_REQUIRED,
		    "If-None-Match: * is needed");
		return;
	}
	if (!check_body_fields(r))
		return;
	if (r->length > STORE_OBJECT_MAX) {
		reply_error(&r->reply, REPLY_TOO_LARGE, 0,
		    "an object has at most 67108864 bytes");
		return;
	}
	if (redirect(r, STORE_BULK_PUT))
		return;
	rc = s->ops->put_begin(s, &name, r->length, quota, &r->upload, &f);
	if (rc != 0)
		refuse_put(r, rc, &f);
}

void
serve_body(struct request *r, const void *p, size_t n)
{
	struct fault f;
	int rc;

	if (!r->summed)
		return;
	digest_sum_add(&r->sum, p, n);
	if (r->upload == NULL) {
		if (r->received <= sizeof(r->head))
			memcpy(r->head + (r->received - n), p, n);
		return;
	}
	rc = r->site->store->ops->put_write(r->upload, p, n, &f);
	if (rc == 0)
		return;
	r->site->store->ops->put_abort(take(r->upload));
	refuse_put(r, rc, &f);
}

void
serve_put(struct request *r)
{
	enum store_put how;
	struct fault f;
	int rc;

	if (!check_digest(r)) {
		r->site->store->ops->put_abort(take(r->upload));
		return;
	}
	rc = r->site->store->ops->put_commit(take(r->upload), &how, &f);
	if (rc != 0) {
		refuse_put(r, rc, &f);
		return;
	}
	if (how == STORE_CREATED)
		atomic_fetch_add(&r->site->metrics->objects_created, 1);
	reply_empty(&r->reply,
	    how == STORE_CREATED ? MHD_HTTP_CREATED : MHD_HTTP_OK);
}

void
serve_head_put_begin(struct request *r, uint64_t quota)
{
	(void)quota;
	if (check_body_fields(r) && r->length != STORE_HEAD_LEN)
		reply_error(&r->reply, REPLY_MALFORMED, 0,
		    "a head has 284 bytes");
}

void
serve_head_put(struct request *r)
{
	struct store *s = r->site->store;
	struct fault f;
	int rc;

	if (!check_digest(r))
		return;
	rc = s->ops->head_put(s, r->path.prefix, r->head, &f);
	if (rc != 0)
		refuse_put(r, rc, &f);
	else
		reply_empty(&r->reply, MHD_HTTP_NO_CONTENT);
}

/* An open object; decides the reply where there is none. */
static bool
open_object(struct request *r, int *fd_out, uint64_t *size_out)
{
	struct store *s = r->site->store;
	struct store_name name = name_of(r);
	struct fault f;
	int rc = s->ops->get(s, &name, fd_out, size_out, &f);

	if (rc != 0)
		refuse(r, rc, &f);
	return rc == 0;
}

static void
reply_part(struct request *r, int fd, const struct range *part, uint64_t size)
{
	struct store_name name = name_of(r);
	char value[96];

	(void)snprintf(value, sizeof(value),
	    "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->first,
	    part->first + part->len - 1, size);
	reply_file(&r->reply, MHD_HTTP_PARTIAL_CONTENT, &name, fd,
	    part->first, part->len);
	reply_field(&r->reply, MHD_HTTP_HEADER_CONTENT_RANGE, value);
}

static void
reply_outside(struct request *r, uint64_t size)
{
	char value[64];

	(void)snprintf(value, sizeof(value), "bytes */%" PRIu64, size);
	reply_error(&r->reply, REPLY_MALFORMED,
	    MHD_HTTP_RANGE_NOT_SATISFIABLE, "the range is outside");
	reply_field(&r->reply, MHD_HTTP_HEADER_CONTENT_RANGE, value);
}

void
serve_get(struct request *r)
{
	enum range_answer answer = RANGE_WHOLE;
	struct store_name name = name_of(r);
	struct range part;
	uint64_t size;
	int fd;

	if (redirect(r, STORE_BULK_GET) || !open_object(r, &fd, &size))
		return;
	if (r->fields.range != NULL)
		answer = range_parse(r->fields.range, size, &part);
	if (answer == RANGE_OUTSIDE) {
		(void)close(fd);
		reply_outside(r, size);
		return;
	}
	if (answer == RANGE_WHOLE)
		part = (struct range){ .len = size };
	/* Reading ahead starts before the first byte is asked for, where not
	 * all is asked for at once. */
	if (part.len > REPLY_BLOCK)
		(void)posix_fadvise(fd, (off_t)part.first,
		    (off_t)part.len, POSIX_FADV_WILLNEED);
	if (answer == RANGE_PART)
		reply_part(r, fd, &part, size);
	else
		reply_file(&r->reply, MHD_HTTP_OK, &name, fd, 0, size);
	reply_field(&r->reply, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
}

void
serve_stat(struct request *r)
{
	char field[DIGEST_FIELD_MAX + 1] = "";
	struct store_name name = name_of(r);
	struct digest sum;
	struct fault f;
	uint64_t size;
	int fd, rc;

	if (!open_object(r, &fd, &size))
		return;
	if (r->fields.want_repr_digest != NULL &&
	    strcmp(r->fields.want_repr_digest, "sha-256=1") == 0) {
		rc = digest_of_fd(fd, &sum, &f);
		if (rc != 0) {
			(void)close(fd);
			refuse(r, rc, &f);
			return;
		}
		digest_format(&sum, field);
	}
	reply_file(&r->reply, MHD_HTTP_OK, &name, fd, 0, size);
	r->reply.bytes = 0;
	reply_field(&r->reply, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (field[0] != '\0')
		reply_field(&r->reply, "Repr-Digest", field);
}

void
serve_delete(struct request *r)
{
	struct store *s = r->site->store;
	struct store_name name = name_of(r);
	struct fault f;
	int rc = s->ops->remove(s, &name, &f);

	if (rc != 0) {
		refuse(r, rc, &f);
		return;
	}
	atomic_fetch_add(&r->site->metrics->objects_deleted, 1);
	reply_empty(&r->reply, MHD_HTTP_NO_CONTENT);
}

static json_t *
item_json(const struct store_item *item)
{
	char id[HEX_ID_LEN + 1];

	hex_id_format(item->id, id);
	return json_pack("{s:s, s:I}", "id", id, "size",
	    (json_int_t)item->size);
}

/* The page as text, to be freed; NULL when out of memory. */
static char *
page_text(const struct store_item *items, size_t n, bool more)
{
	json_t *list = json_array(), *page;
	char next[HEX_ID_LEN + 1];
	char *text;

	if (more)
		hex_id_format(items[n - 1].id, next);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, item_json(&items[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	page = json_pack("{s:o, s:s?}", "objects", list, "next",
	    more ? next : NULL);
	text = json_dumps(page, JSON_COMPACT);
	json_decref(page);
	return text;
}

void
serve_list(struct request *r)
{
	struct store *s = r->site->store;
	struct store_item items[STORE_LIST_MAX];
	struct fault f;
	char *text;
	size_t n;
	bool more;
	int rc = s->ops->list(s, r->path.prefix,
	    r->path.has_after ? r->path.id : NULL, r->path.limit, items, &n,
	    &more, &f);

	if (rc != 0) {
		refuse(r, rc, &f);
		return;
	}
	text = page_text(items, n, more);
	if (text == NULL) {
		reply_error(&r->reply, REPLY_BUSY, 0, "try again later");
		return;
	}
	reply_body(&r->reply, MHD_HTTP_OK, "application/json", text,
	    strlen(text));
	free(text);
}

void
serve_head_get(struct request *r)
{
	struct store *s = r->site->store;
	uint8_t head[STORE_HEAD_LEN];
	struct fault f;
	int rc = s->ops->head_get(s, r->path.prefix, head, &f);

	if (rc != 0)
		refuse(r, rc, &f);
	else
		reply_body(&r->reply, MHD_HTTP_OK, "application/octet-stream",
		    head, sizeof(head));
}

void
serve_healthz(struct request *r)
{
	bool draining = atomic_load(&r->site->draining);
	const char *text = draining ? "draining" : "ok";

	reply_body(&r->reply,
	    draining ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
	    "text/plain", text, strlen(text));
}
