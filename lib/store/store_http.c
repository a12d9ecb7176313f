// SPDX-License-Identifier: Apache-2.0
/*
 * A depot over HTTPS.  Objects are created once and never overwritten, so
 * every request here can be sent again: a lost answer is asked for again with
 * growing, random pauses.  Implements the device's side of spec/40-depot.md.
 */
#include "store/store_http.h"

#include <endian.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypt/hash.h"
#include "crypt/secret.h"
#include "net/text.h"

#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS 8000
#define PAUSE_SLICE_MS 50
#define RETRIES_ABSENT 3
#define LEEWAY 60 /* seconds, as the depot grants them */
#define TEXT_MAX 200
#define BEARER "Authorization: Bearer "

struct store_http {
	struct store store;
	struct store_http_config config;
	struct http *http;
	char authorization[sizeof(BEARER) + STORE_TOKEN_MAX];
};

/* One request of this file, and what its messages call the thing asked for. */
struct request {
	struct http_request http;
	const char *what;
};

static struct store_http *
of(struct store *s)
{
	return (struct store_http *)s;
}

static int
interrupted(const struct store_http *s)
{
	return s->config.peer.stop != NULL && atomic_load(s->config.peer.stop);
}

/* Between half and all of first * 2^attempt, so that devices that lost the
 * depot at once do not come back at once. */
static int
pause_before(const struct store_http *s, unsigned attempt, struct fault *f)
{
	uint32_t most = PAUSE_FIRST_MS, random, ms;

	for (unsigned i = 0; i < attempt && most < PAUSE_MAX_MS; i++)
		most *= 2;
	if (most > PAUSE_MAX_MS)
		most = PAUSE_MAX_MS;
	secret_random(&random, sizeof(random));
	ms = most / 2 + random % (most / 2 + 1);
	while (ms > 0) {
		uint32_t slice = ms < PAUSE_SLICE_MS ? ms : PAUSE_SLICE_MS;
		struct timespec t = { .tv_nsec = slice * 1000000L };

		if (interrupted(s))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		(void)nanosleep(&t, NULL);
		ms -= slice;
	}
	return 0;
}

struct depot_error {
	char code[32];
	char text[TEXT_MAX + 1];
};

static void
copy_text(json_t *v, char *out, size_t size)
{
	(void)snprintf(out, size, "%s",
	    json_is_string(v) ? json_string_value(v) : "");
}

/* The depot's own words; empty where the body is no such object. */
static struct depot_error
error_of(const struct http_answer *ans)
{
	struct depot_error e = { 0 };
	json_t *root = json_loads(ans->error, JSON_REJECT_DUPLICATES, NULL);
	json_t *error = json_object_get(root, "error");

	copy_text(json_object_get(error, "code"), e.code, sizeof(e.code));
	copy_text(json_object_get(error, "text"), e.text, sizeof(e.text));
	json_decref(root);
	return e;
}

static void
show_time(int64_t when, char out[static 32])
{
	time_t t = (time_t)when;
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	(void)strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static int
expired(const struct store_http *s, const struct request *r,
    const struct http_answer *ans, struct fault *f)
{
	int64_t now = time(NULL), apart = ans->date - now;
	char ours[32], theirs[32];

	if (ans->date == 0 || (apart <= LEEWAY && apart >= -LEEWAY))
		return fault_set(f, FAULT_EXPIRED,
		    "%s at depot %s: capability has expired", r->what,
		    s->config.peer.url);
	show_time(now, ours);
	show_time(ans->date, theirs);
	return fault_set(f, FAULT_CLOCK,
	    "%s at depot %s: this device's clock says %s, the depot's %s: "
	    "%" PRId64 " s apart", r->what, s->config.peer.url, ours, theirs,
	    apart < 0 ? -apart : apart);
}

static int
code_of_status(unsigned status)
{
	switch (status) {
	case 400:
	case 411:
	case 428:
		return FAULT_MALFORMED;
	case 401:
	case 403:
		return FAULT_DENIED;
	case 404:
	case 416:
		return FAULT_MISSING;
	case 409:
		return FAULT_CONFLICT;
	case 412:
		return FAULT_EXISTS;
	case 413:
		return FAULT_LIMIT;
	case 507:
		return FAULT_SPACE;
	default:
		return FAULT_DEPOT;
	}
}

static int
refused(const struct store_http *s, const struct request *r,
    const struct http_answer *ans, struct fault *f)
{
	struct depot_error e = error_of(ans);
	int code = code_of_status(ans->status);

	if (ans->status == 401 && strcmp(e.code, "expired") == 0)
		return expired(s, r, ans, f);
	if (e.text[0] == '\0')
		return fault_set(f, code, "%s at depot %s: %s (status %u)",
		    r->what, s->config.peer.url, fault_text(code), ans->status);
	return fault_set(f, code, "%s at depot %s: %s (%s)", r->what,
	    s->config.peer.url, fault_text(code), e.text);
}

/* 507 is an answer, not a state that passes by itself. */
static bool
worth_repeating(unsigned status)
{
	return status == 408 || status == 429 ||
	    (status >= 500 && status != 507);
}

/* Where nobody was there since the command began, a second tells; what was
 * under way is waited for longer. */
static unsigned
retries(const struct store_http *s)
{
	return s->config.retries > RETRIES_ABSENT &&
	    atomic_load(&s->config.peer.wire->received) == 0 ?
	    RETRIES_ABSENT : s->config.retries;
}

static int
set_token(struct store_http *s, const char *token, struct fault *f)
{
	size_t n = strlen(token);

	if (n > STORE_TOKEN_MAX)
		return fault_set(f, FAULT_LIMIT, "depot %s: too long a token",
		    s->config.peer.url);
	memcpy(s->authorization, BEARER, sizeof(BEARER) - 1);
	memcpy(s->authorization + sizeof(BEARER) - 1, token, n + 1);
	return 0;
}

static int
renew(struct store_http *s, struct fault *f)
{
	char token[STORE_TOKEN_MAX + 1];
	int rc = s->config.renew(s->config.renew_arg,
	    s->authorization + sizeof(BEARER) - 1, token, sizeof(token), f);

	if (rc == 0)
		rc = set_token(s, token, f);
	secret_wipe(token, sizeof(token));
	return rc;
}

/* The request, again where that may help.  0 for a status below 400. */
static int
perform(struct store_http *s, struct request *r, struct http_answer *ans,
    struct fault *f)
{
	bool renewed = s->config.renew == NULL;

	r->http.errors_apart = true;
	for (unsigned attempt = 0;; attempt++) {
		int rc = http_do(s->http, &r->http, ans, f);
		bool again = rc == FAULT_DEPOT;

		if (rc == 0 && ans->status >= 400) {
			rc = refused(s, r, ans, f);
			again = worth_repeating(ans->status);
		} else if (rc != 0) {
			rc = fault_add(f, rc, "%s", r->what);
		}
		if (rc == FAULT_EXPIRED && !renewed) {
			renewed = true;
			rc = renew(s, f);
			if (rc != 0)
				return fault_add(f, rc, "%s", r->what);
			continue;
		}
		if (!again || attempt >= retries(s))
			return rc;
		if (s->config.again != NULL)
			s->config.again(f);
		rc = pause_before(s, attempt, f);
		if (rc != 0)
			return rc;
	}
}

static int
unexpected(const struct store_http *s, const struct request *r,
    const struct http_answer *ans, struct fault *f)
{
	return fault_set(f, FAULT_MALFORMED,
	    "%s at depot %s: an answer with status %u and %zu bytes was not "
	    "expected",
	    r->what, s->config.peer.url, ans->status, ans->n);
}

struct names {
	char path[128], what[64];
};

static struct names
object_names(const struct store_http *s, const uint8_t object[static ID_LEN])
{
	char prefix[2 * ID_LEN + 1], id[2 * ID_LEN + 1];
	struct names n;

	text_hex(s->config.prefix, ID_LEN, prefix, sizeof(prefix));
	text_hex(object, ID_LEN, id, sizeof(id));
	(void)snprintf(n.path, sizeof(n.path), "/v1/%s/%s", prefix, id);
	(void)snprintf(n.what, sizeof(n.what), "object %s", id);
	return n;
}

static struct names
head_names(const struct store_http *s)
{
	char prefix[2 * ID_LEN + 1];
	struct names n;

	text_hex(s->config.prefix, ID_LEN, prefix, sizeof(prefix));
	(void)snprintf(n.path, sizeof(n.path), "/v1/%s/head", prefix);
	(void)snprintf(n.what, sizeof(n.what), "head mirror");
	return n;
}

/* [depot] TLS protects the way, and sealing the content: this finds accidents
 * at either end. */
static void
digest_header(struct bytes body, char out[static 96])
{
	uint32_t crc = htobe32(hash_crc32c(0, body.p, body.n));
	char b64[TEXT_B64_SIZE(sizeof(crc))];

	text_b64((const uint8_t *)&crc, sizeof(crc), b64, sizeof(b64));
	(void)snprintf(out, 96, "Content-Digest: crc32c=:%s:", b64);
}

static int
store_http_put(struct store *base, const uint8_t object[static ID_LEN],
    struct bytes data, struct fault *f)
{
	struct store_http *s = of(base);
	struct names n = object_names(s, object);
	char digest[96];
	const char *headers[] = {
		s->authorization, "If-None-Match: *",
		"Content-Type: application/octet-stream", digest, NULL,
	};
	struct request r = {
		.http = { .method = "PUT", .path = n.path,
		    .headers = headers, .body = data },
		.what = n.what,
	};
	struct http_answer ans;
	uint8_t scrap[1024];
	int rc;

	digest_header(data, digest);
	r.http.out = scrap;
	r.http.out_max = sizeof(scrap);
	rc = perform(s, &r, &ans, f);
	if (rc != 0)
		return rc;
	/* Only these two say that the object is durable. */
	if (ans.status != 201 && ans.status != 200)
		return unexpected(s, &r, &ans, f);
	return 0;
}

static int
store_http_get(struct store *base, const uint8_t object[static ID_LEN],
    uint64_t offset, size_t len, uint8_t *out, struct fault *f)
{
	struct store_http *s = of(base);
	struct names n = object_names(s, object);
	char range[64];
	const char *headers[] = { s->authorization, range, NULL };
	struct request r = {
		.http = { .method = "GET", .path = n.path,
		    .headers = headers, .out = out, .out_max = len },
		.what = n.what,
	};
	struct http_answer ans;
	int rc;

	if (len == 0)
		return 0;
	if (offset > UINT64_MAX - len)
		return fault_set(f, FAULT_MALFORMED, "%s: no such range",
		    n.what);
	(void)snprintf(range, sizeof(range),
	    "Range: bytes=%" PRIu64 "-%" PRIu64, offset, offset + len - 1);
	rc = perform(s, &r, &ans, f);
	if (rc != 0)
		return rc;
	if (ans.status != 206 && (ans.status != 200 || offset != 0))
		return unexpected(s, &r, &ans, f);
	if (ans.n != len)
		return fault_set(f, FAULT_MISSING,
		    "%s at depot %s: %zu bytes from %" PRIu64 " were wanted, "
		    "%zu came", n.what, s->config.peer.url, len, offset,
		    ans.n);
	return 0;
}

static int
store_http_head_get(struct store *base, uint8_t out[static STORE_HEAD_LEN],
    struct fault *f)
{
	struct store_http *s = of(base);
	struct names n = head_names(s);
	const char *headers[] = { s->authorization, NULL };
	uint8_t head[STORE_HEAD_LEN];
	struct request r = {
		.http = { .method = "GET", .path = n.path,
		    .headers = headers, .out = head,
		    .out_max = sizeof(head) },
		.what = n.what,
	};
	struct http_answer ans;
	int rc;

	rc = perform(s, &r, &ans, f);
	if (rc == FAULT_MISSING)
		return fault_set(f, FAULT_NOT_FOUND,
		    "%s at depot %s: there is none", n.what,
		    s->config.peer.url);
	if (rc != 0)
		return rc;
	if (ans.status != 200 || ans.n != sizeof(head))
		return unexpected(s, &r, &ans, f);
	memcpy(out, head, sizeof(head));
	return 0;
}

static int
store_http_head_put(struct store *base,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	struct store_http *s = of(base);
	struct names n = head_names(s);
	char digest[96];
	const char *headers[] = {
		s->authorization, "Content-Type: application/octet-stream",
		digest, NULL,
	};
	uint8_t scrap[1024];
	struct request r = {
		.http = { .method = "PUT", .path = n.path,
		    .headers = headers,
		    .body = bytes_of(head, STORE_HEAD_LEN),
		    .out = scrap, .out_max = sizeof(scrap) },
		.what = n.what,
	};
	struct http_answer ans;
	int rc;

	digest_header(r.http.body, digest);
	rc = perform(s, &r, &ans, f);
	if (rc != 0)
		return rc;
	if (ans.status != 204)
		return unexpected(s, &r, &ans, f);
	return 0;
}

static void
store_http_close(struct store *base)
{
	struct store_http *s = of(base);

	http_close(s->http);
	secret_wipe(s->authorization, sizeof(s->authorization));
	free(s);
}

static int
store_http_dup(struct store *base, struct store **out, struct fault *f)
{
	return store_http_open(&of(base)->config, out, f);
}

static const struct store_ops ops = {
	.put = store_http_put,
	.get = store_http_get,
	.head_get = store_http_head_get,
	.head_put = store_http_head_put,
	.dup = store_http_dup,
	.close = store_http_close,
};

int
store_http_open(const struct store_http_config *config, struct store **out,
    struct fault *f)
{
	struct store_http *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	s->store.ops = &ops;
	s->config = *config;
	rc = set_token(s, config->capability, f);
	if (rc == 0)
		rc = http_open(&config->peer, &s->http, f);
	if (rc != 0) {
		store_http_close(&s->store);
		return rc;
	}
	*out = &s->store;
	return 0;
}
