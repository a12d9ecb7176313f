// SPDX-License-Identifier: Apache-2.0
/* Checking who asks, and with what right: spec/50-authority.md, Signed
 * requests.  What is asked is in ledger_*.c. */
#include "authority/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "authority/ledger_json.h"
#include "authority/ledger_secret.h"
#include "authority/ledger_time.h"
#include "base/trouble.h"
#include "net/jsontext.h"


enum sender {
	SENDER_BODY,     /* anybody; the keys are in the body */
	SENDER_DEVICE,   /* a live device */
	SENDER_ANY,      /* a live device or a recovery key */
	SENDER_GONE,     /* the same, or one that was, for the handler to see */
	SENDER_RECOVERY, /* a recovery key */
	SENDER_NOBODY,   /* anybody, unsigned, for what is public */
};

struct path {
	const char *path;
	enum sender sender;
	bool logs; /* it may make entries */
	ledger_handler *handler;
	ledger_sender *keys; /* SENDER_BODY only */
};

static const struct path paths[] = {
	{ "/v1/accounts", SENDER_BODY, true, ledger_account_create,
	    ledger_account_sender },
	{ "/v1/session", SENDER_DEVICE, true, ledger_session, NULL },
	{ "/v1/head", SENDER_DEVICE, false, ledger_head, NULL },
	{ "/v1/enrolments", SENDER_BODY, false, ledger_enrol,
	    ledger_enrol_sender },
	{ "/v1/enrolments/lookup", SENDER_DEVICE, false, ledger_enrol_lookup,
	    NULL },
	{ "/v1/devices", SENDER_GONE, true, ledger_device, NULL },
	{ "/v1/account", SENDER_ANY, false, ledger_account_list, NULL },
	{ "/v1/custody", SENDER_DEVICE, true, ledger_custody, NULL },
	{ "/v1/custody/sets", SENDER_DEVICE, false, ledger_custody_sets,
	    NULL },
	{ "/v1/keyslots", SENDER_DEVICE, false, ledger_custody_slots, NULL },
	{ "/v1/holders", SENDER_BODY, true, ledger_holder,
	    ledger_holder_sender },
	{ "/v1/epochs", SENDER_DEVICE, true, ledger_epoch, NULL },
	{ "/v1/epochs/destroy", SENDER_DEVICE, true, ledger_epoch_destroy,
	    NULL },
	{ "/v1/entries", SENDER_ANY, false, ledger_entries, NULL },
	{ "/v1/recovery", SENDER_RECOVERY, false, ledger_recovery, NULL },
	{ REQUEST_PUBLISHED, SENDER_NOBODY, false, ledger_requests, NULL },
};

static const struct path *
path_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (strcmp(paths[i].path, name) == 0)
			return &paths[i];
	return NULL;
}

/* [tlog] Its answer leaves only once the log shows what is in it: the entries
 * that it makes, or those of the chain that it tells of. */
static bool
is_of_log(const struct path *p)
{
	return p->logs || p->handler == ledger_account_list;
}

int
ledger_space(struct ledger *l, const struct ledger_call *c,
    const uint8_t id[static ID_LEN], struct db_space *out, struct fault *f)
{
	struct db_space s;
	int rc = l->db->space_get(l->db, id, &s, f);

	if (rc == FAULT_NOT_FOUND ||
	    (rc == 0 && memcmp(s.account, c->sender.account, ID_LEN) != 0))
		return fault_set(f, FAULT_DENIED, "not a space of yours");
	if (rc == 0)
		*out = s;
	return rc;
}

bool
ledger_serves(const struct ledger *l, const struct policy_residency *r)
{
	for (size_t i = 0; i < r->nkeys; i++)
		if (strcmp(r->keys[i], l->jurisdiction) == 0)
			return true;
	return false;
}

json_t *
ledger_head_json(const struct db_head *h)
{
	if (h->number == 0)
		return json_null();
	return jsontext_b64(h->head, HEAD_LEN);
}

static int
body_parse(struct bytes b, json_t **out, struct fault *f)
{
	json_t *j = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES,
	    NULL);

	if (!json_is_object(j)) {
		json_decref(j);
		return fault_set(f, FAULT_MALFORMED, "body: no JSON object");
	}
	*out = j;
	return 0;
}

static int
signature_check(struct ledger *l, const struct ledger_call *c,
    struct fault *f)
{
	int rc = httpsig_check(&c->sender.sign, &c->q->sig, l->host,
	    c->q->path, c->q->body);

	return rc != 0 ? fault_set(f, rc, "signature: %s", fault_text(rc)) : 0;
}

/* Who has to have signed, by the database; then the signature; only then is it
 * said whether that one still may. */
static int
sender_known(struct ledger *l, enum sender want, struct ledger_call *c,
    struct fault *f)
{
	int rc = l->db->device_get(l->db, c->sig.keyid, &c->sender, f);

	if (rc == FAULT_NOT_FOUND)
		return fault_set(f, FAULT_DENIED, "device is not known");
	if (rc == 0)
		rc = signature_check(l, c, f);
	if (rc != 0)
		return rc;
	/* [authority] Who has revoked itself may have had no answer. */
	if (!c->sender.live && want != SENDER_GONE)
		return fault_set(f, FAULT_DENIED, "device was revoked");
	if ((want == SENDER_DEVICE && c->sender.recovery) ||
	    (want == SENDER_RECOVERY && !c->sender.recovery))
		return fault_set(f, FAULT_DENIED,
		    "not a request of this kind of key");
	return 0;
}

/* [authority] the key is in the body, so that is parsed first; its strict form
 * and size bound what an unsigned body can do. */
static int
sender_in_body(struct ledger *l, ledger_sender *keys, struct ledger_call *c,
    struct fault *f)
{
	int rc = keys(c->body, &c->sender);

	if (rc != 0)
		return fault_set(f, rc, "body: %s", fault_text(rc));
	if (memcmp(c->sender.id, c->sig.keyid, ID_LEN) != 0)
		return fault_set(f, FAULT_DENIED,
		    "keyid is not that of the keys in the body");
	return signature_check(l, c, f);
}

static int
fresh(struct ledger *l, const struct ledger_call *c, struct fault *f)
{
	int64_t off = c->now - c->sig.created;
	int rc;

	if (off > LEDGER_CLOCK_SKEW || off < -LEDGER_CLOCK_SKEW)
		return fault_set(f, FAULT_CLOCK,
		    "the request was made at another time than now");
	rc = l->db->nonce_add(l->db, c->sig.keyid, c->sig.nonce, l->turn, f);
	if (rc == FAULT_EXISTS)
		return fault_set(f, FAULT_TAMPERED, "the nonce was used");
	return rc;
}

/* Runs the handler; what it wrote stays only if it succeeds. */
static int
handle(struct ledger *l, const struct path *p, const struct ledger_call *c,
    json_t **out, struct fault *f)
{
	struct fault undo = { 0 };
	int rc = l->db->mark(l->db, f);

	l->nmade = 0;
	if (rc == 0)
		rc = p->handler(l, c, out, f);
	if (rc == 0)
		return l->db->keep(l->db, f);
	if (l->db->active(l->db) && l->db->back(l->db, &undo) != 0)
		l->db->abort(l->db);
	ledger_secret_undo(l);
	return rc;
}

static int
answer(struct ledger *l, const struct request *q, struct ledger_call *c,
    json_t **out, struct fault *f)
{
	const struct path *p = path_find(q->path);
	json_t *body defer(ledger_json_freep) = NULL;
	int rc;

	if (p == NULL)
		return fault_set(f, FAULT_NOT_FOUND, "no such request");
	if (p->sender == SENDER_NOBODY)
		return handle(l, p, c, out, f);
	rc = httpsig_parse(&q->sig, &c->sig);
	if (rc != 0)
		return fault_set(f, rc, "signature headers: %s",
		    fault_text(rc));
	/* [tlog] While the witnesses are away no entry is added in vain. */
	if (p->logs && l->log.down.code != 0) {
		*f = l->log.down;
		return f->code;
	}
	c->box->wanted = p->logs;
	if (p->sender != SENDER_BODY)
		rc = sender_known(l, p->sender, c, f);
	if (rc == 0)
		rc = body_parse(q->body, &body, f);
	c->body = body;
	if (rc == 0 && p->sender == SENDER_BODY)
		rc = sender_in_body(l, p->keys, c, f);
	if (rc == 0)
		rc = fresh(l, c, f);
	if (rc == 0 && is_of_log(p) && l->log.down.code != 0) {
		*f = l->log.down;
		return f->code;
	}
	if (rc == 0)
		rc = handle(l, p, c, out, f);
	return rc;
}

static const struct {
	int code, as;
	unsigned status;
} statuses[] = {
	{ FAULT_MALFORMED, FAULT_MALFORMED, 400 },
	{ FAULT_USAGE, FAULT_USAGE, 400 },
	{ FAULT_LIMIT, FAULT_LIMIT, 400 },
	{ FAULT_VERSION, FAULT_VERSION, 400 },
	{ FAULT_TAMPERED, FAULT_TAMPERED, 401 },
	{ FAULT_CLOCK, FAULT_CLOCK, 401 },
	{ FAULT_DENIED, FAULT_DENIED, 403 },
	{ FAULT_TRUST, FAULT_DENIED, 403 },
	{ FAULT_NOT_FOUND, FAULT_NOT_FOUND, 404 },
	{ FAULT_CONFLICT, FAULT_CONFLICT, 409 },
	{ FAULT_EXISTS, FAULT_EXISTS, 409 },
	{ FAULT_AUTHORITY, FAULT_AUTHORITY, 503 },
	{ FAULT_SPACE, FAULT_SPACE, 503 },
};

static json_t *
error_json(const struct fault *f, json_t *extra, int64_t now,
    unsigned *status)
{
	int code = FAULT_INTERNAL;
	json_t *j;

	*status = 500;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (statuses[i].code == f->code) {
			code = statuses[i].as;
			*status = statuses[i].status;
		}
	}
	j = json_pack("{s:{s:s,s:s},s:I}", "error", "code", fault_name(code),
	    "text", code == FAULT_INTERNAL ? fault_text(code) : f->text, "now",
	    (json_int_t)now);
	if (j != NULL && extra != NULL)
		(void)json_object_update_missing(j, extra);
	return j;
}

/* Members of the answer are added to an error; a fault that the spec does not
 * name is told as INTERNAL, without its text. */
static int
reply_write(const struct ledger *l, const struct ledger_reply *r, int64_t now,
    struct buf *out)
{
	struct request_answer a = { .status = 200, .log = l->log.numbers };
	json_t *j = r->fault.code == 0 ? json_incref(r->json) :
	    error_json(&r->fault, r->json, now, &a.status);
	char *text = json_dumps(j, JSON_COMPACT);
	int rc;

	json_decref(j);
	if (text == NULL)
		return FAULT_MEMORY;
	a.json = bytes_of(text, strlen(text));
	rc = request_answer_write(&a, out);
	free(text);
	return rc;
}

static void
reply_wipe(struct ledger_reply *r)
{
	json_decref(r->json);
	json_decref(r->proofs);
	ledger_outbox_wipe(&r->box);
	*r = (struct ledger_reply){ 0 };
}

/* What the sender is told as INTERNAL is told here in full, and a full disk is
 * the operator's to see to: no faults of a request.  Others are logged where
 * they arise. */
static void
tell(const struct fault *f)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		known |= statuses[i].code == f->code;
	if (f->code != 0 && (!known || f->code == FAULT_SPACE))
		trouble_fault("request-failed", f);
}

void
ledger_reply_send(struct ledger *l, struct ledger_batch *b, size_t i,
    const struct ledger_sink *sink)
{
	struct buf out defer(buf_wipe) = buf_init(LINK_SOCKET_MAX - 8);
	struct ledger_reply *r = &b->reply[i];
	int rc;

	tell(&r->fault);
	rc = reply_write(l, r, b->now, &out);
	if (rc == FAULT_LIMIT) {
		json_decref(r->json);
		r->json = NULL;
		(void)fault_set(&r->fault, rc, "the answer is too long");
		out.n = 0;
		rc = reply_write(l, r, b->now, &out);
	}
	/* Without one, the front runs into its time limit. */
	if (rc != 0)
		out.n = 0;
	sink->answer(sink->ctx, i, buf_bytes(&out));
	reply_wipe(r);
	r->answered = true;
}

int
ledger_answer(struct ledger *l, struct bytes in, int64_t now,
    struct ledger_reply *out)
{
	struct ledger_call c = { .now = now, .box = &out->box };
	const struct path *p;
	struct request q;
	int rc = request_read(in, &q);

	*out = (struct ledger_reply){ 0 };
	if (rc != 0)
		(void)fault_set(&out->fault, rc, "request");
	c.q = &q;
	p = rc == 0 ? path_find(q.path) : NULL;
	out->waits = p != NULL && is_of_log(p);
	if (rc == 0)
		rc = answer(l, &q, &c, &out->json, &out->fault);
	if (rc != 0 && out->fault.code != rc)
		(void)fault_set(&out->fault, rc, "%s", fault_text(rc));
	if (rc != 0)
		ledger_outbox_wipe(&out->box);
	else
		out->fault = (struct fault){ 0 }; /* what was found missing */
	return rc == 0 && out->json == NULL ? FAULT_MEMORY : 0;
}

/* [tlog] What an append before has failed to log comes first.  While answers of
 * the batch before are under way there is no such thing, and what an operator's
 * command has made meanwhile waits: the answers are of one tree. */
void
ledger_batch_begin(struct ledger *l, struct ledger_batch *b, int64_t now)
{
	int shown_rc, rc = 0;

	b->now = now;
	b->n = 0;
	b->fault = (struct fault){ 0 };
	ledger_time_read(l, now);
	ledger_secret_again(l, now);
	if (!l->completing)
		rc = ledger_log_follow(&l->log, &shown_rc, &b->fault);
	if (rc == 0)
		rc = l->db->begin(l->db, &b->fault);
	if (rc == 0)
		(void)ledger_time_pass(l, &b->fault);
}

void
ledger_batch_add(struct ledger *l, struct ledger_batch *b, struct bytes in)
{
	struct ledger_reply *r = &b->reply[b->n++];
	size_t before = l->ndoomed;

	*r = (struct ledger_reply){ 0 };
	if (b->fault.code != 0)
		return;
	if (ledger_answer(l, in, b->now, r) != 0)
		(void)fault_set(&b->fault, FAULT_MEMORY, "answer");
	/* A full disk may have undone the requests before, too. */
	else if (!l->db->active(l->db))
		(void)fault_set(&b->fault, FAULT_SPACE, "no space left");
	r->dooms = l->ndoomed != before;
}

/* Step 2 of the order. */
static int
make_durable(struct ledger *l, struct fault *f)
{
	int rc = f->code;

	if (rc == 0)
		rc = l->db->commit(l->db, f);
	if (rc == 0)
		return 0;
	l->db->abort(l->db);
	l->forgot = 0;
	return rc;
}

/* [custody] Only what is deleted for good takes its secret with it, and who
 * asked, he alone, hears of it only then. */
static void
shred(struct ledger *l, struct ledger_batch *b)
{
	struct fault f = { 0 };

	if (ledger_secret_shred(l, &f) == 0)
		return;
	for (size_t i = 0; i < b->n; i++) {
		if (!b->reply[i].dooms)
			continue;
		reply_wipe(&b->reply[i]);
		b->reply[i].fault = f;
	}
}

void
ledger_batch_end(struct ledger *l, struct ledger_batch *b,
    const struct ledger_sink *sink)
{
	int shown_rc = 0, rc = make_durable(l, &b->fault);

	/* Where it is no request's, nobody else says so. */
	if (rc == FAULT_AUTHORITY)
		trouble_fault("request-failed", &b->fault);
	if (rc == 0)
		shred(l, b);
	if (rc == 0)
		rc = ledger_log_follow(&l->log, &shown_rc, &b->fault);
	for (size_t i = 0; i < b->n; i++) {
		struct ledger_reply *r = &b->reply[i];
		/* A fault may have more of the chain with it. */
		bool waits = r->waits &&
		    (r->fault.code == 0 || r->json != NULL);

		if (rc == 0 && (shown_rc == 0 || !waits))
			continue;
		/* [tlog] What is not shown by the log is not answered, nor is
		 * what else was made of the answer. */
		reply_wipe(r);
		r->fault = rc != 0 ? b->fault : l->log.down;
	}
	l->completing = true;
	ledger_complete(l, b, sink);
	l->completing = false;
}
