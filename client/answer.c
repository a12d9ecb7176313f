// SPDX-License-Identifier: Apache-2.0
/* spec/50-authority.md, Requests. */
#include "client/answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/wr.h"
#include "net/text.h"
#include "tlog/leaf.h"

static void
json_freep(json_t **j)
{
	json_decref(*j);
}

static json_t *
load(struct bytes in)
{
	json_t *j;

	if (in.n > ANSWER_MAX)
		return NULL;
	j = json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES, NULL);
	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* Member name of o as text of at most max characters; no zero byte in it. */
static bool
get_text(const json_t *o, const char *name, size_t max, char *out)
{
	const json_t *v = json_object_get(o, name);
	size_t n = json_is_string(v) ? json_string_length(v) : 0;

	if (!json_is_string(v) || n > max ||
	    strlen(json_string_value(v)) != n)
		return false;
	memcpy(out, json_string_value(v), n + 1);
	return true;
}

static bool
text_is_plain(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s <= 0x20 || *s >= 0x7f)
			return false;
	return true;
}

static bool
get_name(const json_t *o, const char *name, char out[static STATE_NAME_MAX + 1])
{
	return get_text(o, name, STATE_NAME_MAX, out) && text_is_plain(out);
}

static bool
b64_of(const json_t *v, void *out, size_t n)
{
	return json_is_string(v) &&
	    text_b64_parse(json_string_value(v), json_string_length(v), out,
		n) == 0;
}

static bool
get_b64(const json_t *o, const char *name, void *out, size_t n)
{
	return b64_of(json_object_get(o, name), out, n);
}

static bool
get_id(const json_t *o, const char *name, uint8_t out[static ID_LEN])
{
	const json_t *v = json_object_get(o, name);

	return json_is_string(v) &&
	    text_hex_parse(json_string_value(v), json_string_length(v), out,
		ID_LEN) == 0;
}

static bool
get_int(const json_t *o, const char *name, int64_t min, int64_t max,
    int64_t *out)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < min ||
	    json_integer_value(v) > max)
		return false;
	*out = json_integer_value(v);
	return true;
}

/* {} where o is no object: then it has not n members either. */
static bool
has_members(const json_t *o, size_t n)
{
	return json_is_object(o) && json_object_size(o) == n;
}

static int
get_chain(const json_t *o, struct buf *out)
{
	const json_t *a = json_object_get(o, "chain"), *v;
	uint8_t entry[CHAIN_ENTRY_LEN];
	size_t i;
	int rc = 0;

	if (!json_is_array(a) || json_array_size(a) > CHAIN_MAX)
		return FAULT_MALFORMED;
	json_array_foreach (a, i, v) {
		if (!b64_of(v, entry, sizeof(entry)))
			return FAULT_MALFORMED;
		rc = buf_append(out, entry, sizeof(entry));
		if (rc != 0)
			return rc;
	}
	return rc;
}

static bool
get_kind(const json_t *o, struct answer_key *k)
{
	char kind[16];
	int64_t index = 0;

	k->index = 0;
	if (!get_text(o, "kind", sizeof(kind) - 1, kind))
		return false;
	if (strcmp(kind, "share") == 0) {
		k->kind = ANSWER_SHARE;
		if (!has_members(o, 4) ||
		    !get_int(o, "index", 1, CUSTODY_HOLDERS_MAX, &index))
			return false;
		k->index = (uint8_t)index;
		return true;
	}
	k->kind = strcmp(kind, "device") == 0 ? ANSWER_DEVICE : ANSWER_WHOLE;
	return has_members(o, 3) && (k->kind == ANSWER_DEVICE ||
					strcmp(kind, "authority") == 0);
}

static bool
get_session_keys(const json_t *o, struct answer_session *s)
{
	const json_t *a = json_object_get(o, "keys"), *v;
	size_t i;
	int64_t epoch;

	if (!json_is_array(a) || json_array_size(a) > LEASE_EPOCHS_MAX)
		return false;
	json_array_foreach (a, i, v) {
		struct answer_key *k = &s->key[i];

		if (!get_kind(v, k) ||
		    !get_int(v, "epoch", 1, UINT32_MAX, &epoch) ||
		    !get_b64(v, "sealed", k->sealed, sizeof(k->sealed)))
			return false;
		k->epoch = (uint32_t)epoch;
		if (i > 0 && k->epoch < s->key[i - 1].epoch)
			return false;
	}
	s->nkeys = json_array_size(a);
	return true;
}

static bool
get_head(const json_t *o, bool *has, uint8_t out[static STORE_HEAD_LEN])
{
	const json_t *v = json_object_get(o, "head");

	*has = v != NULL && !json_is_null(v);
	return v != NULL && (!*has || b64_of(v, out, STORE_HEAD_LEN));
}

static bool
get_depot(const json_t *o, struct answer_session *s)
{
	const json_t *d = json_object_get(o, "depot");

	return has_members(d, 3) && get_name(d, "name", s->depot) &&
	    get_id(d, "prefix", s->prefix) &&
	    get_text(d, "capability", LEASE_CAPABILITY_MAX, s->capability) &&
	    text_is_plain(s->capability);
}

/* base64 of any length up to max, appended; u16 length in front if framed. */
static int
get_set(const json_t *v, bool framed, struct buf *out)
{
	uint8_t raw[CUSTODY_MAX + 2];
	size_t text = json_is_string(v) ? json_string_length(v) : 0, n;

	if (text == 0 || text % 4 != 0)
		return FAULT_MALFORMED;
	n = text / 4 * 3;
	for (size_t i = text; i > text - 2; i--)
		n -= json_string_value(v)[i - 1] == '=';
	if (n == 0 || n > CUSTODY_MAX || !b64_of(v, raw + 2, n))
		return FAULT_MALFORMED;
	raw[0] = (uint8_t)(n >> 8);
	raw[1] = (uint8_t)n;
	return framed ? buf_append(out, raw, n + 2) :
			buf_append(out, raw + 2, n);
}

static int
get_sets(const json_t *o, struct buf *out)
{
	const json_t *a = json_object_get(o, "sets"), *v;
	size_t i;
	int rc = 0;

	if (!json_is_array(a) || json_array_size(a) > ANSWER_SETS_MAX)
		return FAULT_MALFORMED;
	json_array_foreach (a, i, v)
		if (rc == 0)
			rc = get_set(v, true, out);
	return rc;
}

int
answer_read_sets(struct bytes in, struct buf *out)
{
	json_t *o defer(json_freep) = load(in);

	return has_members(o, 1) ? get_sets(o, out) : FAULT_MALFORMED;
}

static int
get_custody(const json_t *o, struct answer_custody *c)
{
	const json_t *j = json_object_get(o, "custody");
	const json_t *next = json_object_get(j, "announced");
	int rc;

	if (!has_members(j, 3) || next == NULL)
		return FAULT_MALFORMED;
	rc = get_set(json_object_get(j, "current"), false, &c->current);
	if (rc == 0)
		rc = get_sets(j, &c->sets);
	if (rc == 0 && !json_is_null(next))
		rc = get_set(next, false, &c->announced);
	return rc;
}

void
answer_wipe_log(struct answer_log *l)
{
	buf_wipe(&l->checkpoint);
	buf_wipe(&l->proofs);
}

static int
get_proofs(const json_t *a, struct answer_log *l)
{
	const json_t *v;
	size_t i;
	int rc = 0;

	if (!json_is_array(a) || json_array_size(a) > ANSWER_PROOFS_MAX)
		return FAULT_MALFORMED;
	json_array_foreach (a, i, v) {
		struct wr w = wr_to(&l->proofs);
		size_t n = json_is_string(v) ? json_string_length(v) : 0;

		if (n == 0 || n > ANSWER_PROOF_MAX)
			return FAULT_MALFORMED;
		wr_u32(&w, (uint32_t)n);
		wr_copy(&w, json_string_value(v), n);
		rc = wr_finish(&w);
		if (rc != 0)
			return rc;
	}
	l->nproofs = json_array_size(a);
	return rc;
}

static bool
get_hashes(const json_t *a, struct merkle_proof *p)
{
	const json_t *v;
	size_t i;

	if (!json_is_array(a) || json_array_size(a) > MERKLE_PROOF_MAX)
		return false;
	json_array_foreach (a, i, v)
		if (!b64_of(v, p->hash[i].b, MERKLE_LEN))
			return false;
	p->n = json_array_size(a);
	return true;
}

/* An answer without it is read, too: whether it may be missing is for others
 * to know. */
static int
get_log(const json_t *o, struct answer_log *l)
{
	const json_t *j = json_object_get(o, "log");
	const json_t *note = json_object_get(j, "checkpoint");
	int rc;

	*l = (struct answer_log){ .checkpoint = buf_init(NOTE_MAX),
		.proofs = buf_init(ANSWER_PROOFS_BYTES) };
	if (j == NULL)
		return 0;
	if (!has_members(j, 3) || !json_is_string(note) ||
	    json_string_length(note) > NOTE_MAX ||
	    !get_hashes(json_object_get(j, "consistency"), &l->consistency))
		return FAULT_MALFORMED;
	rc = get_proofs(json_object_get(j, "proofs"), l);
	if (rc == 0)
		rc = buf_append(&l->checkpoint, json_string_value(note),
		    json_string_length(note));
	l->has = rc == 0;
	return rc;
}

/* With log NULL the member is as unknown as any other. */
static int
log_of(const json_t *o, struct answer_log *log, size_t members)
{
	size_t has = log != NULL && json_object_get(o, "log") != NULL;
	int rc = 0;

	if (!has_members(o, members + has))
		return FAULT_MALFORMED;
	if (log == NULL)
		return 0;
	rc = get_log(o, log);
	if (rc != 0) {
		answer_wipe_log(log);
		*log = (struct answer_log){ 0 };
	}
	return rc;
}

static int
session_of(const json_t *o, struct answer_session *s)
{
	int64_t length, lease;
	int rc;

	if (log_of(o, &s->log, 8) != 0 ||
	    !get_int(o, "now", 0, INT64_MAX, &s->now) ||
	    !get_int(o, "chain_length", 1, CHAIN_MAX, &length) ||
	    !get_int(o, "lease", 1, LEASE_SECONDS_MAX, &lease) ||
	    !get_session_keys(o, s) ||
	    !get_head(o, &s->has_head, s->head) || !get_depot(o, s))
		return FAULT_MALFORMED;
	s->chain_length = (uint32_t)length;
	s->lease = (uint32_t)lease;
	rc = get_custody(o, &s->custody);
	return rc != 0 ? rc : get_chain(o, &s->chain);
}

void
answer_wipe_session(struct answer_session *s)
{
	buf_wipe(&s->chain);
	buf_wipe(&s->custody.current);
	buf_wipe(&s->custody.sets);
	buf_wipe(&s->custody.announced);
	answer_wipe_log(&s->log);
}

int
answer_read_session(struct bytes in, struct answer_session *out)
{
	json_t *o defer(json_freep) = load(in);
	int rc;

	memset(out, 0, sizeof(*out));
	out->chain = buf_init(ANSWER_CHAIN_BYTES);
	out->custody.current = buf_init(CUSTODY_MAX);
	out->custody.sets = buf_init(ANSWER_SETS_BYTES);
	out->custody.announced = buf_init(CUSTODY_MAX);
	rc = session_of(o, out);
	if (rc != 0) {
		answer_wipe_session(out);
		memset(out, 0, sizeof(*out));
	}
	return rc;
}

static int
account_of(const json_t *o, struct answer_account *a)
{
	const json_t *list = json_object_get(o, "spaces"), *v;
	size_t i;

	if (!has_members(o, 3) || !get_id(o, "account", a->account) ||
	    !json_is_array(list) || json_array_size(list) > ANSWER_SPACES_MAX)
		return FAULT_MALFORMED;
	json_array_foreach (list, i, v)
		if (!has_members(v, 3) || !get_id(v, "space",
			a->space[i].space) ||
		    !get_name(v, "residency", a->space[i].residency) ||
		    !get_name(v, "depot", a->space[i].depot))
			return FAULT_MALFORMED;
	a->nspaces = json_array_size(list);
	return get_chain(o, &a->chain);
}

int
answer_read_account(struct bytes in, struct answer_account *out)
{
	json_t *o defer(json_freep) = load(in);
	int rc;

	memset(out, 0, sizeof(*out));
	out->chain = buf_init(ANSWER_CHAIN_BYTES);
	rc = account_of(o, out);
	if (rc != 0) {
		buf_wipe(&out->chain);
		memset(out, 0, sizeof(*out));
	}
	return rc;
}

/* The codes that an authority may answer with; its INTERNAL is not ours. */
static int
code_of(const char *name)
{
	static const int codes[] = { FAULT_MALFORMED, FAULT_USAGE, FAULT_LIMIT,
		FAULT_VERSION, FAULT_TAMPERED, FAULT_CLOCK, FAULT_DENIED,
		FAULT_NOT_FOUND, FAULT_CONFLICT, FAULT_EXISTS, FAULT_AUTHORITY,
		FAULT_SPACE };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(name, fault_name(codes[i])) == 0)
			return codes[i];
	return strcmp(name, "INTERNAL") == 0 ? FAULT_AUTHORITY : 0;
}

static int
error_of(const json_t *o, struct answer_error *e)
{
	const json_t *error = json_object_get(o, "error");
	bool head = json_object_get(o, "head") != NULL;
	bool chain = json_object_get(o, "chain") != NULL;
	bool epoch = json_object_get(o, "epoch") != NULL;
	int64_t latest = 0;
	char code[32];

	if (!has_members(o, 2 + (size_t)head + (size_t)chain +
	        (size_t)epoch) ||
	    (epoch && !get_int(o, "epoch", 0, UINT32_MAX, &latest)) ||
	    !has_members(error, 2) ||
	    !get_text(error, "code", sizeof(code) - 1, code) ||
	    !get_text(error, "text", ANSWER_TEXT_MAX, e->text) ||
	    !get_int(o, "now", 0, INT64_MAX, &e->now))
		return FAULT_MALFORMED;
	e->epoch = (uint32_t)latest;
	e->code = code_of(code);
	if (e->code == 0)
		return FAULT_MALFORMED;
	if (head && !get_head(o, &e->has_head, e->head))
		return FAULT_MALFORMED;
	return chain ? get_chain(o, &e->chain) : 0;
}

int
answer_read_error(struct bytes in, struct answer_error *out)
{
	json_t *o defer(json_freep) = load(in);
	int rc;

	memset(out, 0, sizeof(*out));
	out->chain = buf_init(ANSWER_CHAIN_BYTES);
	rc = error_of(o, out);
	if (rc != 0) {
		buf_wipe(&out->chain);
		memset(out, 0, sizeof(*out));
	}
	return rc;
}

int
answer_read_empty(struct bytes in, struct answer_log *log)
{
	json_t *o defer(json_freep) = load(in);

	return log_of(o, log, 0);
}

int
answer_read_number(struct bytes in, const char *name, uint64_t *out,
    struct answer_log *log)
{
	json_t *o defer(json_freep) = load(in);
	int64_t v;
	int rc;

	if (!get_int(o, name, 0, INT64_MAX, &v))
		return FAULT_MALFORMED;
	rc = log_of(o, log, 1);
	if (rc == 0)
		*out = (uint64_t)v;
	return rc;
}

void
answer_wipe_entries(struct answer_entries *e)
{
	free(e->entry);
	free(e->raw);
	*e = (struct answer_entries){ 0 };
}

/* Bytes of a base64 text of that form; 0 for none. */
static size_t
b64_bytes(const json_t *v)
{
	size_t text = json_is_string(v) ? json_string_length(v) : 0;
	size_t n = text / 4 * 3;

	if (text == 0 || text % 4 != 0)
		return 0;
	for (size_t i = text; i > text - 2; i--)
		n -= json_string_value(v)[i - 1] == '=';
	return n;
}

static bool
entries_of(const json_t *list, struct answer_entries *e)
{
	const json_t *v;
	size_t i, at = 0;
	int64_t index;

	json_array_foreach (list, i, v) {
		const json_t *body = json_object_get(v, "body");
		size_t n = b64_bytes(body);

		if (!has_members(v, 2) ||
		    !get_int(v, "index", 0, INT64_MAX, &index) ||
		    (i > 0 && (uint64_t)index <= e->entry[i - 1].index) ||
		    n == 0 || n > LEAF_BODY_MAX ||
		    !b64_of(body, e->raw + at, n))
			return false;
		e->entry[i] = (struct answer_entry){
			.index = (uint64_t)index,
			.body = bytes_of(e->raw + at, n) };
		at += n;
	}
	e->n = json_array_size(list);
	return true;
}

/* A list of that name and "next"; NULL where o is something else. */
static const json_t *
page_of(const json_t *o, const char *name, bool *more, uint64_t *next)
{
	const json_t *list = json_object_get(o, name);
	const json_t *after = json_object_get(o, "next");
	int64_t from = 0;

	if (!has_members(o, 2) || after == NULL || !json_is_array(list) ||
	    json_array_size(list) > ANSWER_ENTRIES_MAX ||
	    (!json_is_null(after) && !get_int(o, "next", 0, INT64_MAX, &from)))
		return NULL;
	*more = !json_is_null(after);
	*next = (uint64_t)from;
	return list;
}

int
answer_read_entries(struct bytes in, struct answer_entries *out)
{
	json_t *o defer(json_freep) = load(in);
	struct answer_entries e = { 0 };
	const json_t *list = page_of(o, "entries", &e.more, &e.next);

	if (list == NULL)
		return FAULT_MALFORMED;
	e.entry = calloc(json_array_size(list) + 1, sizeof(*e.entry));
	e.raw = malloc(in.n + 1);
	if (e.entry == NULL || e.raw == NULL || !entries_of(list, &e)) {
		bool memory = e.entry == NULL || e.raw == NULL;

		answer_wipe_entries(&e);
		return memory ? FAULT_MEMORY : FAULT_MALFORMED;
	}
	*out = e;
	return 0;
}

void
answer_wipe_requests(struct answer_requests *r)
{
	free(r->request);
	free(r->raw);
	*r = (struct answer_requests){ 0 };
}

/* Its text goes to raw, and its length to *n. */
static bool
request_of(const json_t *v, uint8_t *raw, struct answer_request *out,
    size_t *n)
{
	const json_t *body = json_object_get(v, "body");
	int64_t index, until = 0;

	*n = body == NULL ? 0 : b64_bytes(body);
	if (!get_int(v, "index", 0, INT64_MAX, &index))
		return false;
	if (body == NULL ? !has_members(v, 2) ||
			!get_int(v, "until", 1, INT64_MAX, &until) :
		!has_members(v, 3) || *n == 0 || *n > LEAF_BODY_MAX ||
			!get_b64(v, "key", out->key.b, KEY_LEN) ||
			!b64_of(body, raw, *n))
		return false;
	out->index = (uint64_t)index;
	out->until = (uint64_t)until;
	out->body = bytes_of(raw, *n);
	return true;
}

static bool
requests_of(const json_t *list, struct answer_requests *r)
{
	const json_t *v;
	size_t i, at = 0, n;

	json_array_foreach (list, i, v) {
		if (!request_of(v, r->raw + at, &r->request[i], &n) ||
		    (i > 0 && r->request[i].index <= r->request[i - 1].index))
			return false;
		at += n;
	}
	r->n = json_array_size(list);
	return !r->more || (r->n != 0 && r->next > r->request[r->n - 1].index);
}

int
answer_read_requests(struct bytes in, struct answer_requests *out)
{
	json_t *o defer(json_freep) = load(in);
	struct answer_requests r = { 0 };
	const json_t *list = page_of(o, "requests", &r.more, &r.next);

	if (list == NULL)
		return FAULT_MALFORMED;
	r.request = calloc(json_array_size(list) + 1, sizeof(*r.request));
	r.raw = malloc(in.n + 1);
	if (r.request == NULL || r.raw == NULL || !requests_of(list, &r)) {
		bool memory = r.request == NULL || r.raw == NULL;

		answer_wipe_requests(&r);
		return memory ? FAULT_MEMORY : FAULT_MALFORMED;
	}
	*out = r;
	return 0;
}

int
answer_read_keys(struct bytes in, struct sign_pub *ed, struct box_pub *box)
{
	json_t *o defer(json_freep) = load(in);
	struct sign_pub s;
	struct box_pub b;

	if (!has_members(o, 2) || !get_b64(o, "ed", s.b, sizeof(s.b)) ||
	    !get_b64(o, "box", b.b, sizeof(b.b)))
		return FAULT_MALFORMED;
	*ed = s;
	*box = b;
	return 0;
}

int
answer_read_receipt(struct bytes in, uint8_t out[static RECEIPT_LEN],
    struct answer_log *log)
{
	json_t *o defer(json_freep) = load(in);
	uint8_t got[RECEIPT_LEN];
	int rc;

	if (!get_b64(o, "receipt", got, sizeof(got)))
		return FAULT_MALFORMED;
	rc = log_of(o, log, 1);
	if (rc == 0)
		memcpy(out, got, sizeof(got));
	return rc;
}

int
answer_read_receipts(struct bytes in, struct answer_receipts *out,
    struct answer_log *log)
{
	json_t *o defer(json_freep) = load(in);
	const json_t *list = json_object_get(o, "receipts"), *v;
	struct answer_receipts got = { 0 };
	size_t i;
	int rc;

	if (!json_is_array(list) || json_array_size(list) >
	    ANSWER_RECEIPTS_MAX)
		return FAULT_MALFORMED;
	json_array_foreach (list, i, v)
		if (!b64_of(v, got.raw[got.n++], RECEIPT_LEN))
			return FAULT_MALFORMED;
	rc = log_of(o, log, 1);
	if (rc == 0)
		*out = got;
	return rc;
}

int
answer_read_slots(struct bytes in, struct answer_slot *out, size_t max,
    size_t *n)
{
	json_t *o defer(json_freep) = load(in);
	const json_t *list = json_object_get(o, "keyslots"), *v;
	int64_t epoch;
	size_t i;

	if (!has_members(o, 1) || !json_is_array(list) ||
	    json_array_size(list) > max)
		return FAULT_MALFORMED;
	json_array_foreach (list, i, v) {
		if (!has_members(v, 2) ||
		    !get_int(v, "epoch", 1, UINT32_MAX, &epoch) ||
		    !get_b64(v, "blob", out[i].blob,
		        ANSWER_SEALED_LEN))
			return FAULT_MALFORMED;
		out[i].epoch = (uint32_t)epoch;
	}
	*n = json_array_size(list);
	return 0;
}
