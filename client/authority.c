// SPDX-License-Identifier: Apache-2.0
/* spec/50-authority.md, Signed requests. */
#include "client/authority.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/rd.h"
#include "client/logcheck.h"
#include "client/logpin.h"
#include "client/notice.h"
#include "crypt/hash.h"
#include "crypt/invitation.h"
#include "crypt/secret.h"
#include "net/httpsig.h"
#include "net/jsontext.h"

#define TRIES 4
#define PAUSE_FIRST_MS 200
#define PAUSE_SLICE_MS 50
#define PATIENCE_SECONDS 20 /* after this no request is sent again */
#define SCHEME "https://"
#define SETS_BYTES (64u * 1024 * 1024) /* of all that a session leads to */

struct authority {
	struct authority_config config;
	struct http *http;
	char host[600]; /* @authority: host, and port unless 443 */
	uint8_t *answer; /* ANSWER_MAX bytes; the last answer's body */
	size_t answer_n;
	struct logcheck log;
	struct httpsig_kept sent; /* the request that it answers */
};

static void
json_freep(json_t **j)
{
	json_decref(*j);
}

static void
host_of(const char *url, char *out, size_t size)
{
	const char *host = strncmp(url, SCHEME, strlen(SCHEME)) == 0 ?
	    url + strlen(SCHEME) : url;
	size_t n;

	(void)snprintf(out, size, "%s", host);
	n = strlen(out);
	if (n > 4 && strcmp(out + n - 4, ":443") == 0)
		out[n - 4] = '\0';
}

int
authority_open(const struct authority_config *config, struct authority **out,
    struct fault *f)
{
	struct authority *a defer(authority_closep) = calloc(1, sizeof(*a));
	const struct http_peer peer = {
		.url = config->peer->url,
		.ca = config->peer->ca,
		.fault = FAULT_AUTHORITY,
		.wire = config->wire,
		.stop = config->stop,
		.seconds = HTTP_SMALL_SECONDS,
	};
	int rc;

	if (a != NULL)
		a->answer = malloc(ANSWER_MAX);
	if (a == NULL || a->answer == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	a->config = *config;
	host_of(peer.url, a->host, sizeof(a->host));
	a->log = (struct logcheck){ .st = config->state,
		.peer = config->peer, .wire = config->wire,
		.stop = config->stop };
	rc = logcheck_open(&a->log, f);
	if (rc == 0)
		rc = http_open(&peer, &a->http, f);
	if (rc == 0)
		*out = take(a);
	return rc;
}

void
authority_close(struct authority *a)
{
	if (a == NULL)
		return;
	http_close(a->http);
	logcheck_close(&a->log);
	free(a->answer);
	free(a);
}

void
authority_closep(struct authority **a)
{
	authority_close(*a);
}

static int
pause_before(const struct authority *a, unsigned attempt, struct fault *f)
{
	uint32_t most = PAUSE_FIRST_MS << attempt, random, ms;

	secret_random(&random, sizeof(random));
	ms = most / 2 + random % (most / 2 + 1);
	while (ms > 0) {
		uint32_t slice = ms < PAUSE_SLICE_MS ? ms : PAUSE_SLICE_MS;
		struct timespec t = { .tv_nsec = slice * 1000000L };

		if (a->config.stop != NULL && atomic_load(a->config.stop))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		(void)nanosleep(&t, NULL);
		ms -= slice;
	}
	return 0;
}

struct headers {
	char digest[HTTPSIG_FIELD_MAX + 32];
	char input[HTTPSIG_FIELD_MAX + 32];
	char signature[HTTPSIG_FIELD_MAX + 32];
};

/* What was signed is kept, for the entry of it in the log. */
static int
keep_sent(struct authority *a, const struct httpsig *params,
    struct bytes body, const struct httpsig_fields *fields)
{
	a->sent.params = *params;
	hash_sha256(&body, 1, a->sent.digest);
	return httpsig_signature_parse(fields->signature,
	    a->sent.signature);
}

static int
sign(struct authority *a, const char *path, struct bytes body,
    struct headers *out, struct fault *f)
{
	struct httpsig params = { .created = time(NULL) };
	struct httpsig_fields fields;
	int rc;

	secret_random(params.nonce, sizeof(params.nonce));
	memcpy(params.keyid, a->config.signer, ID_LEN);
	rc = httpsig_sign(a->config.key, &params, a->host, path, body,
	    &fields);
	if (rc == 0)
		rc = keep_sent(a, &params, body, &fields);
	if (rc != 0)
		return fault_add(f, rc, "sign %s", path);
	if (strcmp(path, LOGBODY_SESSION) == 0)
		rc = logpin_ask(a->config.state, &params, f);
	if (rc != 0)
		return rc;
	(void)snprintf(out->digest, sizeof(out->digest), "Content-Digest: %s",
	    fields.digest);
	(void)snprintf(out->input, sizeof(out->input), "Signature-Input: %s",
	    fields.input);
	(void)snprintf(out->signature, sizeof(out->signature),
	    "Signature: %s", fields.signature);
	return 0;
}

/* One signed request; *status is the answer's, its body is in a. */
static int
send_once(struct authority *a, const char *path, struct bytes body,
    unsigned *status, struct fault *f)
{
	struct headers h;
	const char *list[] = { h.digest, h.input, h.signature,
		"Content-Type: application/json", NULL };
	const struct http_request req = { .method = "POST", .path = path,
		.headers = list, .body = body, .out = a->answer,
		.out_max = ANSWER_MAX };
	struct http_answer ans;
	int rc = sign(a, path, body, &h, f);

	if (rc != 0)
		return rc;
	rc = http_do(a->http, &req, &ans, f);
	if (rc != 0)
		return rc;
	*status = ans.status;
	a->answer_n = ans.n;
	return 0;
}

static struct bytes
answer_of(const struct authority *a)
{
	return bytes_of(a->answer, a->answer_n);
}

static int
not_understood(const struct authority *a, const char *path, int rc,
    struct fault *f)
{
	if (rc == FAULT_MALFORMED)
		return fault_set(f, rc,
		    "authority %s%s: answer is not understood",
		    a->config.peer->url, path);
	return fault_add(f, rc, "authority %s%s", a->config.peer->url, path);
}

static void
show_time(int64_t when, char out[static 32])
{
	time_t t = (time_t)when;
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	if (strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		(void)snprintf(out, 32, "%" PRId64, when);
}

static int
clocks_differ(const struct authority *a, const struct answer_error *e,
    struct fault *f)
{
	int64_t now = time(NULL);
	int64_t apart = e->now > now ? e->now - now : now - e->now;
	char ours[32], theirs[32];

	show_time(now, ours);
	show_time(e->now, theirs);
	return fault_set(f, FAULT_CLOCK,
	    "this device's clock says %s, the clock of authority %s says %s: "
	    "%" PRId64 " s apart", ours, a->config.peer->url, theirs, apart);
}

/* The fault of an answer from 400 on; fills *e, whose chain is to be wiped. */
static int
refused(const struct authority *a, const char *path, unsigned status,
    struct answer_error *e, struct fault *f)
{
	int rc = answer_read_error(answer_of(a), e);

	if (rc == FAULT_MALFORMED && status >= 500)
		return fault_set(f, FAULT_AUTHORITY, "authority %s: status %u",
		    a->config.peer->url, status);
	if (rc != 0)
		return not_understood(a, path, rc, f);
	if (e->code == FAULT_CLOCK)
		return clocks_differ(a, e, f);
	return fault_set(f, e->code, "authority %s: %s", a->config.peer->url,
	    e->text[0] != '\0' ? e->text : fault_text(e->code));
}

/*
 * Sends the same body until an answer comes, each time under a new nonce: every
 * request of spec/50 can be repeated with the same result.  0 where the answer
 * in a is a good one; *e as refused().
 */
static int
call(struct authority *a, const char *path, struct bytes body,
    struct answer_error *e, struct fault *f)
{
	int64_t begun = clock_ms();

	for (unsigned attempt = 0;; attempt++) {
		unsigned status = 0;
		int rc = send_once(a, path, body, &status, f);
		bool again;

		if (rc == 0 && status != 200) {
			buf_wipe(&e->chain);
			rc = refused(a, path, status, e, f);
		}
		/* libcurl itself sends a request again, with its nonce, where a
		 * connection that was kept has died; the first may have
		 * arrived.  What was truly altered is refused again. */
		again = rc == FAULT_AUTHORITY ||
		    (rc == FAULT_TAMPERED && attempt == 0);
		if (!again || attempt + 1 >= TRIES ||
		    clock_ms() - begun > PATIENCE_SECONDS * 1000)
			return rc;
		notice_again(f);
		rc = pause_before(a, attempt, f);
		if (rc != 0)
			return rc;
	}
}

/* The same with a body that is dropped here; NULL: out of memory. */
static int
call_json(struct authority *a, const char *path, json_t *body,
    struct answer_error *e, struct fault *f)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	int rc;

	if (text == NULL)
		rc = fault_set(f, FAULT_MEMORY, "out of memory");
	else
		rc = call(a, path, bytes_of(text, strlen(text)), e, f);
	free(text);
	json_decref(body);
	return rc;
}

static void
wipe_error(struct answer_error *e)
{
	buf_wipe(&e->chain);
}

int
authority_account_body(const struct authority_account_parts *p,
    struct buf *out)
{
	json_t *o defer(json_freep) = json_pack(
	    "{s:o,s:[o,o],s:o,s:s,s:s,s:[{s:i,s:s,s:o},{s:i,s:s,s:o}],s:i,"
	    "s:o,s:o,s:o*}",
	    "account", jsontext_id(p->account),
	    "chain", jsontext_b64(p->chain[0], CHAIN_ENTRY_LEN),
	    jsontext_b64(p->chain[1], CHAIN_ENTRY_LEN),
	    "space", jsontext_id(p->space),
	    "residency", p->residency,
	    "depot", p->depot,
	    "keyslots",
	    "epoch", 1, "kind", "authority",
	    "blob", jsontext_b64(p->admission, sizeof(p->admission)),
	    "epoch", 1, "kind", "recovery",
	    "blob", jsontext_b64(p->recovery, sizeof(p->recovery)),
	    "head_epoch", 1,
	    "custody", jsontext_b64(p->custody.p, p->custody.n),
	    "log_key", jsontext_b64(p->log_key.b, sizeof(p->log_key.b)),
	    "invitation", p->invitation == NULL ? NULL :
	    jsontext_b64(p->invitation->b, sizeof(p->invitation->b)));
	char *text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	int rc = text == NULL ? FAULT_MEMORY :
				buf_append(out, text, strlen(text));

	free(text);
	return rc;
}

/* The end of a request whose entries the answer proves; rc: of reading it. */
static int
logged(struct authority *a, const char *path, int rc,
    const struct answer_log *log, struct fault *f)
{
	if (rc != 0)
		return not_understood(a, path, rc, f);
	return logcheck_answer(&a->log, log, f);
}

int
authority_create(struct authority *a, struct bytes body, struct fault *f)
{
	static const char path[] = "/v1/accounts";
	struct answer_error e defer(wipe_error) = { 0 };
	struct answer_log log defer(answer_wipe_log) = { 0 };
	int rc = call(a, path, body, &e, f);

	return rc != 0 ? rc : logged(a, path,
	    answer_read_empty(answer_of(a), &log), &log, f);
}

static int
session(struct authority *a, const struct authority_ask *ask,
    const struct logpin *pin, struct answer_session *out, struct fault *f)
{
	static const char path[] = LOGBODY_SESSION;
	struct answer_error e defer(wipe_error) = { 0 };
	struct logcheck_asked asked = { .account = ask->account,
		.space = ask->space, .host = a->host, .pin = pin };
	int rc = call_json(a, path, json_pack("{s:o,s:o,s:I,s:I,s:s,s:I}",
		"account", jsontext_id(ask->account), "space",
		jsontext_id(ask->space), "chain_seen",
		(json_int_t)ask->chain_seen, "custody_seen",
		(json_int_t)ask->custody_seen, "reason", "user", "log_seen",
		(json_int_t)pin->size), &e, f);

	if (rc != 0)
		return rc;
	rc = answer_read_session(answer_of(a), out);
	if (rc != 0)
		return not_understood(a, path, rc, f);
	asked.request = a->sent;
	rc = logcheck_session(&a->log, &asked, out, f);
	if (rc != 0) {
		answer_wipe_session(out);
		memset(out, 0, sizeof(*out));
	}
	return rc;
}

/* Appends the sets that come next; ask is for those after them then.
 * FAULT_LIMIT, and f stays as it is: there are none, or an earlier release does
 * not give them. */
static int
more_sets(struct authority *a, struct authority_ask *ask, struct buf *sets,
    struct fault *f)
{
	static const char path[] = "/v1/custody/sets";
	struct answer_error e defer(wipe_error) = { 0 };
	struct fault why = { 0 };
	size_t before = sets->n;
	struct rd r;
	int rc = call_json(a, path, json_pack("{s:o,s:I}", "space",
	    jsontext_id(ask->space), "after", (json_int_t)ask->custody_seen),
	    &e, &why);

	if (rc == FAULT_NOT_FOUND)
		return FAULT_LIMIT;
	if (rc != 0) {
		*f = why;
		return rc;
	}
	rc = answer_read_sets(answer_of(a), sets);
	if (rc == 0 && sets->n == before)
		return FAULT_LIMIT;
	r = rd_from(sets->p + before, sets->n - before);
	while (rc == 0 && r.left != 0) {
		struct custody c;

		rc = custody_decode(rd_take(&r, rd_u16(&r)), &c);
		if (rc == 0 && c.serial <= ask->custody_seen)
			rc = FAULT_MALFORMED;
		if (rc == 0)
			ask->custody_seen = c.serial;
	}
	return rc == 0 ? 0 : not_understood(a, path, rc, f);
}

/* [custody] Sets that a session has no room for are asked for before it. */
int
authority_session(struct authority *a, const struct authority_ask *ask,
    struct answer_session *out, struct fault *f)
{
	struct logpin pin defer(logpin_wipe) = { 0 };
	struct buf sets defer(buf_wipe) = buf_init(SETS_BYTES);
	struct authority_ask rest = *ask;
	struct buf last;
	int rc = logpin_get(a->config.state, a->log.key.name, &pin, f);

	if (rc == 0)
		rc = session(a, &rest, &pin, out, f);
	while (rc == FAULT_LIMIT) {
		rc = more_sets(a, &rest, &sets, f);
		if (rc != 0)
			return rc;
		*f = (struct fault){ 0 };
		rc = session(a, &rest, &pin, out, f);
	}
	if (rc != 0 || sets.n == 0)
		return rc;
	last = out->custody.sets;
	rc = buf_append(&sets, last.p, last.n);
	out->custody.sets = sets;
	sets = last;
	if (rc == 0)
		return 0;
	answer_wipe_session(out);
	memset(out, 0, sizeof(*out));
	return fault_add(f, rc, "custody sets");
}

int
authority_entries(struct authority *a, const uint8_t space[static ID_LEN],
    uint64_t from, struct answer_entries *out, struct fault *f)
{
	static const char path[] = "/v1/entries";
	struct answer_error e defer(wipe_error) = { 0 };
	int rc = call_json(a, path, json_pack("{s:o,s:I}", "space",
		jsontext_id(space), "from", (json_int_t)from), &e, f);

	if (rc != 0)
		return rc;
	rc = answer_read_entries(answer_of(a), out);
	return rc == 0 ? 0 : not_understood(a, path, rc, f);
}

int
authority_move_head(struct authority *a, const uint8_t space[static ID_LEN],
    uint64_t expect, const uint8_t head[static STORE_HEAD_LEN],
    bool *has_current, uint8_t current[static STORE_HEAD_LEN],
    struct fault *f)
{
	static const char path[] = "/v1/head";
	struct answer_error e defer(wipe_error) = { 0 };
	uint64_t number;
	int rc = call_json(a, path, json_pack("{s:o,s:I,s:o}", "space",
		jsontext_id(space), "expect", (json_int_t)expect, "head",
		jsontext_b64(head, STORE_HEAD_LEN)), &e, f);

	if (rc == FAULT_CONFLICT) {
		*has_current = e.has_head;
		if (e.has_head)
			memcpy(current, e.head, STORE_HEAD_LEN);
	}
	if (rc != 0)
		return rc;
	rc = answer_read_number(answer_of(a), "number", &number, NULL);
	if (rc == 0 && number != expect + 1)
		rc = FAULT_MALFORMED;
	return rc == 0 ? 0 : not_understood(a, path, rc, f);
}

int
authority_enrol(struct authority *a, const struct sign_pub *ed,
    const struct box_pub *box, int64_t *expires, struct fault *f)
{
	static const char path[] = "/v1/enrolments";
	struct answer_error e defer(wipe_error) = { 0 };
	uint64_t until;
	int rc = call_json(a, path, json_pack("{s:o,s:o}", "ed",
		jsontext_b64(ed->b, sizeof(ed->b)), "box",
		jsontext_b64(box->b, sizeof(box->b))), &e, f);

	if (rc != 0)
		return rc;
	rc = answer_read_number(answer_of(a), "expires", &until, NULL);
	if (rc != 0)
		return not_understood(a, path, rc, f);
	*expires = (int64_t)until;
	return 0;
}

int
authority_lookup(struct authority *a, const uint8_t account[static ID_LEN],
    const uint8_t device[static ID_LEN], struct sign_pub *ed,
    struct box_pub *box, struct fault *f)
{
	static const char path[] = "/v1/enrolments/lookup";
	struct answer_error e defer(wipe_error) = { 0 };
	int rc = call_json(a, path, json_pack("{s:o,s:o}", "account",
		jsontext_id(account), "device", jsontext_id(device)), &e, f);

	if (rc != 0)
		return rc;
	rc = answer_read_keys(answer_of(a), ed, box);
	return rc == 0 ? 0 : not_understood(a, path, rc, f);
}

static json_t *
recovery_json(uint32_t epoch, const uint8_t blob[static ANSWER_SEALED_LEN])
{
	return json_pack("{s:I,s:s,s:o}", "epoch", (json_int_t)epoch, "kind",
	    "recovery", "blob", jsontext_b64(blob, ANSWER_SEALED_LEN));
}

static json_t *
entry_json(const struct authority_entry *e)
{
	json_t *j = json_pack("{s:o,s:o,s:I}", "account",
	    jsontext_id(e->account), "entry",
	    jsontext_b64(e->entry, CHAIN_ENTRY_LEN), "chain_seen",
	    (json_int_t)e->seen);
	json_t *slots = e->nslots == 0 ? NULL : json_array();

	for (size_t i = 0; i < e->nslots; i++) {
		json_t *s = recovery_json(e->slot[i].epoch, e->slot[i].blob);

		(void)json_object_set_new(s, "space", jsontext_id(e->space));
		(void)json_array_append_new(slots, s);
	}
	if (slots != NULL)
		(void)json_object_set_new(j, "keyslots", slots);
	return j;
}

int
authority_add_entry(struct authority *a, const struct authority_entry *what,
    struct buf *newer, struct fault *f)
{
	static const char path[] = "/v1/devices";
	struct answer_error e defer(wipe_error) = { 0 };
	struct answer_log log defer(answer_wipe_log) = { 0 };
	uint64_t seq;
	int rc = call_json(a, path, entry_json(what), &e, f);

	if (rc == FAULT_CONFLICT) {
		int bad = buf_append(newer, e.chain.p, e.chain.n);

		if (bad != 0)
			return fault_add(f, bad, "%s", path);
	}
	if (rc != 0)
		return rc;
	return logged(a, path, answer_read_number(answer_of(a), "seq", &seq,
	    &log), &log, f);
}

int
authority_account(struct authority *a, uint32_t chain_seen,
    struct answer_account *out, struct fault *f)
{
	static const char path[] = "/v1/account";
	struct answer_error e defer(wipe_error) = { 0 };
	int rc = call_json(a, path, json_pack("{s:o,s:I}", "device",
		jsontext_id(a->config.signer), "chain_seen",
		(json_int_t)chain_seen), &e, f);

	if (rc != 0)
		return rc;
	rc = answer_read_account(answer_of(a), out);
	return rc == 0 ? 0 : not_understood(a, path, rc, f);
}

int
authority_recovery(struct authority *a, const struct authority_ask *ask,
    struct answer_slot *out, size_t max, size_t *n, struct fault *f)
{
	static const char path[] = "/v1/recovery";
	struct answer_error e defer(wipe_error) = { 0 };
	int rc = call_json(a, path, json_pack("{s:o,s:o}", "account",
		jsontext_id(ask->account), "space",
		jsontext_id(ask->space)), &e, f);

	if (rc != 0)
		return rc;
	rc = answer_read_slots(answer_of(a), out, max, n);
	return rc == 0 ? 0 : not_understood(a, path, rc, f);
}

static json_t *
slots_json(const struct authority_slot *slot, size_t n)
{
	static const char *const kind[] = { "authority", "share", "device" };
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *j = json_pack("{s:I,s:s,s:o}", "epoch",
		    (json_int_t)slot[i].epoch, "kind", kind[slot[i].kind],
		    "blob",
		    jsontext_b64(slot[i].sealed, sizeof(slot[i].sealed)));

		if (slot[i].kind == ANSWER_SHARE)
			(void)json_object_set_new(j, "index",
			    json_integer(slot[i].index));
		if (slot[i].kind == ANSWER_DEVICE)
			(void)json_object_set_new(j, "device",
			    jsontext_id(slot[i].device));
		(void)json_array_append_new(a, j);
	}
	return a;
}

/* A request whose answer is {}, and what the log has of it. */
static int
tell(struct authority *a, const char *path, json_t *body, struct fault *f)
{
	struct answer_error e defer(wipe_error) = { 0 };
	struct answer_log log defer(answer_wipe_log) = { 0 };
	int rc = call_json(a, path, body, &e, f);

	return rc != 0 ? rc : logged(a, path,
	    answer_read_empty(answer_of(a), &log), &log, f);
}

int
authority_custody(struct authority *a, const struct custody *set,
    const struct authority_slot *slot, size_t n, struct answer_receipts *out,
    struct fault *f)
{
	static const char path[] = "/v1/custody";
	struct answer_error e defer(wipe_error) = { 0 };
	struct answer_log log defer(answer_wipe_log) = { 0 };
	int rc = call_json(a, path, json_pack("{s:o,s:o,s:o}", "space",
	    jsontext_id(set->space), "set", jsontext_b64(set->raw, set->len),
	    "keyslots", slots_json(slot, n)), &e, f);

	return rc != 0 ? rc : logged(a, path,
	    answer_read_receipts(answer_of(a), out, &log), &log, f);
}

int
authority_keyslots(struct authority *a, const uint8_t space[static ID_LEN],
    const struct authority_slot *slot, size_t n, struct fault *f)
{
	static const char path[] = "/v1/keyslots";
	struct answer_error e defer(wipe_error) = { 0 };
	int rc = call_json(a, path, json_pack("{s:o,s:o}", "space",
		jsontext_id(space), "keyslots", slots_json(slot, n)), &e, f);

	if (rc != 0)
		return rc;
	rc = answer_read_empty(answer_of(a), NULL);
	return rc == 0 ? 0 : not_understood(a, path, rc, f);
}

int
authority_epoch(struct authority *a, const struct authority_epoch_parts *p,
    uint32_t *latest, struct fault *f)
{
	static const char path[] = "/v1/epochs";
	struct answer_error e defer(wipe_error) = { 0 };
	struct answer_log log defer(answer_wipe_log) = { 0 };
	json_t *slots = slots_json(p->slot, p->n);
	int rc;

	if (p->recovery != NULL) {
		json_t *j = recovery_json(p->epoch, p->recovery);

		if (p->recovery_for != NULL)
			(void)json_object_set_new(j, "device",
			    jsontext_id(p->recovery_for));
		(void)json_array_append_new(slots, j);
	}
	rc = call_json(a, path, json_pack("{s:o,s:I,s:I,s:o}", "space",
	    jsontext_id(p->space), "epoch", (json_int_t)p->epoch, "custody",
	    (json_int_t)p->custody, "keyslots", slots), &e, f);
	if (rc == FAULT_CONFLICT)
		*latest = e.epoch;
	if (rc != 0)
		return rc;
	return logged(a, path, answer_read_empty(answer_of(a), &log), &log,
	    f);
}

int
authority_epoch_destroy(struct authority *a,
    const uint8_t space[static ID_LEN], uint32_t epoch,
    uint8_t receipt[static RECEIPT_LEN], struct fault *f)
{
	static const char path[] = "/v1/epochs/destroy";
	struct answer_error e defer(wipe_error) = { 0 };
	struct answer_log log defer(answer_wipe_log) = { 0 };
	int rc = call_json(a, path, json_pack("{s:o,s:I}", "space",
	    jsontext_id(space), "epoch", (json_int_t)epoch), &e, f);

	if (rc != 0)
		return rc;
	return logged(a, path, answer_read_receipt(answer_of(a), receipt,
	    &log), &log, f);
}

static json_t *
part_json(const struct authority_part *p)
{
	return p == NULL ? NULL : json_pack("{s:I,s:b,s:o,s:o}", "from",
	    (json_int_t)p->from, "more", (int)p->more, "ed",
	    jsontext_b64(p->sign->b, sizeof(p->sign->b)), "box",
	    jsontext_b64(p->box->b, sizeof(p->box->b)));
}

int
authority_holder(struct authority *a, const struct authority_space *s,
    struct fault *f)
{
	json_t *chain = json_array();

	for (size_t at = 0; at < s->chain.n; at += CHAIN_ENTRY_LEN)
		(void)json_array_append_new(chain,
		    jsontext_b64(s->chain.p + at, CHAIN_ENTRY_LEN));
	return tell(a, "/v1/holders", json_pack(
	    "{s:o,s:o,s:o,s:o,s:s,s:s,s:o,s:o*,s:o*}", "device",
	    jsontext_id(s->device), "account", jsontext_id(s->account),
	    "chain", chain, "space", jsontext_id(s->space), "residency",
	    s->residency, "capability", s->capability, "set",
	    jsontext_b64(s->set->raw, s->set->len),
	    "log_key", s->log_key == NULL ? NULL :
	    jsontext_b64(s->log_key->b, sizeof(s->log_key->b)),
	    "part", part_json(s->part)), f);
}
