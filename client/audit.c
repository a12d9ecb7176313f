// SPDX-License-Identifier: Apache-2.0
/* spec/60-log.md, Audit. */
#include "client/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rd.h"
#include "base/wr.h"
#include "client/auditbody.h"
#include "client/auditproof.h"
#include "client/auditrequest.h"
#include "client/authority.h"
#include "client/evidence.h"
#include "client/logread.h"
#include "client/state.h"
#include "crypt/hash.h"
#include "crypt/secret.h"

#define CLOCK_MAX 600 /* seconds from a request to its entry */
#define ORIGIN_END "/log"
#define OWN_MAX (1u << 30) /* bytes of the space's new entries */

/* What a run holds besides what audit.h shows. */
struct run {
	struct audit *a;
	struct logcheck lc;
	struct logread *read;
	struct auditbody body;
	struct leaf_log_key key;
	struct logpin_asked asked;
	struct buf chain; /* all entries that the device has pinned */
	uint8_t policy[HASH_LEN]; /* of the pinned one's file */
	struct buf own; /* u16 length || entry, of each new item */
	struct buf note; /* of the checkpoint below */
	struct checkpoint c;
};

static void
run_wipe(struct run *r)
{
	logcheck_close(&r->lc);
	logread_close(r->read);
	auditbody_wipe(&r->body);
	secret_wipe(&r->key, sizeof(r->key));
	free(r->asked.nonce);
	buf_wipe(&r->chain);
	buf_wipe(&r->own);
	buf_wipe(&r->note);
}

static int
run_open(struct run *r, struct audit *a, struct fault *f)
{
	struct logread_config read = { .peer = a->peer, .wire = a->wire,
		.stop = a->stop };
	struct authority_config ask = { .peer = a->peer, .key = a->st->sign,
		.wire = a->wire, .stop = a->stop, .state = a->st };
	int rc;

	*r = (struct run){ .a = a, .note = buf_init(NOTE_MAX),
		.chain = buf_init(ANSWER_CHAIN_BYTES + 64),
		.own = buf_init(OWN_MAX),
		.body = { .peer = a->peer, .space = a->st->binding.space } };
	r->lc = (struct logcheck){ .st = a->st, .peer = a->peer,
		.wire = a->wire, .stop = a->stop, .told = a->told,
		.broken = a->broken };
	memcpy(ask.signer, a->st->device, ID_LEN);
	rc = logpin_key(a->st, &r->key, f);
	if (rc == FAULT_NOT_FOUND)
		return fault_set(f, rc, "this device does not know the "
		    "space's log key yet: it comes with the first commit "
		    "that it reads (skerry ls)");
	if (rc == 0)
		rc = logcheck_open(&r->lc, f);
	if (rc == 0)
		rc = logread_open(&read, &r->read, f);
	return rc != 0 ? rc : authority_open(&ask, &r->body.ask, f);
}

/* What an alarm is about, by which it is known again. */
struct about {
	const char *what;
	const void *of;
	size_t n;
};

static bool
is_accepted(struct audit *a, const uint8_t id[static AUDITACCEPT_ID_LEN])
{
	bool is = a->accepted != NULL &&
	    auditaccept_find(a->accepted, id) != NULL;

	for (size_t i = 0; i < a->naccept; i++)
		if (memcmp(a->accept[i].id, id, AUDITACCEPT_ID_LEN) == 0)
			is = a->accept[i].found = true;
	return is;
}

/* [log] It is counted.  The alarm, where it is listed, and is neither accepted
 * nor was told before; else NULL. */
static struct audit_alarm *alarm_add(struct run *r, const struct about *w,
    const char *fmt, ...) printf_like(3, 4);

static struct audit_alarm *
alarm_add(struct run *r, const struct about *w, const char *fmt, ...)
{
	struct audit *a = r->a;
	struct audit_alarm *x = &a->alarm[a->nalarms];
	uint8_t id[AUDITACCEPT_ID_LEN];
	bool accepted;
	va_list ap;

	auditaccept_id(r->lc.key.name, w->what, bytes_of(w->of, w->n), id);
	accepted = is_accepted(a, id);
	if (a->counted[accepted]++ >= AUDIT_ALARMS_MAX)
		return NULL;
	memcpy(x->id, id, sizeof(x->id));
	x->accepted = accepted;
	x->fresh = !accepted && auditaccept_find(a->told, id) == NULL;
	va_start(ap, fmt);
	(void)vsnprintf(x->text, sizeof(x->text), fmt, ap);
	va_end(ap);
	a->nalarms++;
	return x->fresh ? x : NULL;
}

/* The tree. */

/* [log] The checkpoint, and that it continues what was pinned. */
static int
read_tree(struct run *r, struct fault *f)
{
	struct logpin pin defer(logpin_wipe) = { 0 };
	struct merkle_proof proof = { 0 };
	struct merkle_source nodes;
	int rc = logread_checkpoint(r->read, &r->note, f);

	if (rc == 0)
		rc = logcheck_note(&r->lc, buf_bytes(&r->note), &r->c, f);
	if (rc == 0)
		rc = logpin_get(r->a->st, r->lc.key.name, &pin, f);
	if (rc == 0 && r->c.size < pin.size)
		return logcheck_follows(&r->lc, &pin, &r->c,
		    buf_bytes(&r->note), NULL, f);
	if (rc == 0)
		rc = logread_tree(r->read, r->c.size, &r->c.root, f);
	if (rc != 0)
		return rc;
	nodes = logread_nodes(r->read, f);
	if (pin.size != 0)
		rc = merkle_prove_consistency(&nodes, pin.size, r->c.size,
		    &proof);
	if (rc != 0)
		return f->code == rc ? rc : fault_add(f, rc, "log tree");
	return logcheck_follows(&r->lc, &pin, &r->c, buf_bytes(&r->note),
	    &proof, f);
}

/* What was read before is still what it was. */
static int
check_read(struct run *r, struct fault *f)
{
	struct audititems *i = &r->a->items;
	struct merkle_hash root;
	int rc;

	if (i->size == 0)
		return 0;
	if (i->size > r->c.size)
		return fault_set(f, FAULT_LOG, "log of authority %s: rollback: "
		    "a tree of %" PRIu64 " was read, it shows one of %" PRIu64,
		    r->a->peer->name, i->size, r->c.size);
	rc = logread_root(r->read, i->size, &root, f);
	if (rc == 0 && memcmp(&root, &i->root, sizeof(root)) != 0)
		rc = fault_set(f, FAULT_LOG, "log of authority %s: its tree of "
		    "%" PRIu64 " is not the one that was read before",
		    r->a->peer->name, i->size);
	return rc;
}

static int
pinned_policy(struct run *r, struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX + 64);
	struct bytes b;
	int rc = state_policy_bytes(r->a->st, &file, f);

	if (rc == 0 && file.n < sizeof(struct sign_pub))
		rc = fault_set(f, FAULT_CONFIG, "%s: the policy is damaged",
		    r->a->st->dir);
	if (rc != 0)
		return rc;
	b = bytes_of(file.p + sizeof(struct sign_pub),
	    file.n - sizeof(struct sign_pub));
	hash_sha256(&b, 1, r->policy);
	return 0;
}

/* Of a policy that this device has, the log cannot have another one. */
static bool
other_policy(const struct run *r, const struct leaf *l)
{
	struct rd rd = rd_from(l->open.p, l->open.n);
	uint64_t serial = rd_u64(&rd);
	uint8_t hash[HASH_LEN];

	rd_copy(&rd, hash, sizeof(hash));
	return rd_finish(&rd) != 0 ||
	    (serial == r->a->st->policy->serial &&
		memcmp(hash, r->policy, sizeof(hash)) != 0);
}

/* Until it is judged: then the device chain is known that belongs to it. */
static int
keep_own(struct run *r, struct bytes entry)
{
	struct wr w = wr_to(&r->own);

	wr_u16(&w, (uint16_t)entry.n);
	wr_copy(&w, entry.p, entry.n);
	return wr_finish(&w);
}

static int
look_at(struct run *r, uint64_t index, struct bytes entry, struct fault *f)
{
	struct audititem item = { .index = index, .verdict = AUDIT_WITHHELD };
	struct leaf_key key;
	struct leaf l;
	bool is_other;
	int rc = leaf_decode(entry, &l);

	if (rc != 0)
		return fault_set(f, FAULT_LOG, "log of authority %s: entry %"
		    PRIu64 " is none (%s)", r->a->peer->name, index,
		    fault_text(rc));
	is_other = l.type == LEAF_POLICY && other_policy(r, &l);
	/* A request is judged in every run anew. */
	if (is_other || l.type == LEAF_REQUEST) {
		item.type = l.type;
		item.time = l.time;
		item.verdict = is_other ? AUDIT_POLICY : AUDIT_GOOD;
		rc = audititem_add(&r->a->items, &item);
		return rc == 0 ? 0 : fault_add(f, rc, "entries");
	}
	leaf_key(&r->key, l.nonce, &key);
	if (leaf_is(&l, &key)) {
		item.type = l.type;
		item.time = l.time;
		if (l.type == LEAF_CUSTODY && l.open.n == HASH_LEN)
			memcpy(item.hash, l.open.p, HASH_LEN);
		rc = audititem_add(&r->a->items, &item);
		if (rc == 0)
			rc = keep_own(r, entry);
	}
	secret_wipe(&key, sizeof(key));
	return rc == 0 ? 0 : fault_add(f, rc, "entries");
}

static int
read_entries(struct run *r, struct fault *f)
{
	struct bytes *entry = calloc(TILE_WIDTH, sizeof(*entry));
	uint64_t from = r->a->items.size;
	int rc = 0;

	if (entry == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	progress_expect(r->a->progress, r->c.size - from, 0);
	while (rc == 0 && from < r->c.size) {
		uint64_t bundle = from / TILE_WIDTH;
		unsigned n = 0, i = (unsigned)(from % TILE_WIDTH), first = i;

		if (r->a->stop != NULL && atomic_load(r->a->stop))
			rc = fault_set(f, FAULT_INTERRUPTED, "interrupted");
		if (rc == 0)
			rc = logread_entries(r->read, bundle, entry, &n, f);
		for (; rc == 0 && i < n; i++)
			rc = look_at(r, bundle * TILE_WIDTH + i, entry[i], f);
		from = bundle * TILE_WIDTH + n;
		progress_add(r->a->progress, n - first, 0);
	}
	free(entry);
	return rc;
}

/* Judgement. */

/* The one that has a device come or go. */
static const struct audititem *
find_device(const struct audititems *a, uint8_t type, const uint8_t *device)
{
	struct audititem like = { .type = type };

	memcpy(like.device, device, ID_LEN);
	return audititem_first(a, &like);
}

/* By the order of the home's log; by time in another holder's. */
static enum audit_verdict
live_then(const struct run *r, const struct audititem *x)
{
	const struct audititems *home = r->a->home ? &r->a->items :
						     r->a->revoked;
	const struct audititem *gone, *came;

	if (home == NULL)
		return AUDIT_GOOD;
	gone = find_device(home, LEAF_DEVICE_REVOKED, x->device);
	came = find_device(home, LEAF_DEVICE_ADDED, x->device);
	if (gone != NULL && (r->a->home ? gone->index < x->index :
		gone->time + CLOCK_MAX < x->time))
		return AUDIT_REVOKED;
	if (came != NULL && (r->a->home ? came->index > x->index :
		came->time > x->time + CLOCK_MAX))
		return AUDIT_EARLY;
	return AUDIT_GOOD;
}

static bool
host_is(const struct run *r, const char *host)
{
	size_t n = strlen(host);

	return strncmp(r->lc.key.name, host, n) == 0 &&
	    strcmp(r->lc.key.name + n, ORIGIN_END) == 0;
}

static enum audit_verdict
judge_release(struct run *r, const struct logbody *b,
    const struct audititem *x, const struct leaf *l)
{
	const struct state *st = r->a->st;
	const struct chain_device *d = chain_find(&st->chain, b->device);
	uint64_t made = (uint64_t)b->request.params.created;

	if (l->open.n != 1 || l->open.p[0] != 1)
		return AUDIT_REASON;
	if (d == NULL || d->recovery)
		return AUDIT_STRANGER;
	if (logbody_asked(b, &d->sign) != 0)
		return AUDIT_UNSIGNED;
	if (!host_is(r, b->host))
		return AUDIT_ELSEWHERE;
	if (audititem_first(&r->a->items, x) != NULL)
		return AUDIT_DOUBLE; /* it is not to be found itself yet */
	if (memcmp(b->device, st->device, ID_LEN) == 0 &&
	    !logpin_was_asked(&r->asked, b->request.params.nonce))
		return AUDIT_UNASKED;
	if (made > l->time + CLOCK_MAX || l->time > made + CLOCK_MAX)
		return AUDIT_CLOCK;
	return AUDIT_GOOD;
}

static void
chain_hash(const struct run *r, size_t entry, uint8_t out[static HASH_LEN])
{
	const struct bytes e = bytes_of(r->chain.p + entry * CHAIN_ENTRY_LEN,
	    CHAIN_ENTRY_LEN);

	hash_sha256(&e, 1, out);
}

static bool
in_chain(const struct run *r, const uint8_t hash[static HASH_LEN])
{
	uint8_t h[HASH_LEN];

	for (size_t i = 0; i < r->chain.n / CHAIN_ENTRY_LEN; i++) {
		chain_hash(r, i, h);
		if (memcmp(h, hash, HASH_LEN) == 0)
			return true;
	}
	return false;
}

static enum audit_verdict
judge(struct run *r, struct audititem *x, const struct leaf *l,
    struct bytes body)
{
	const struct state_binding *mine = &r->a->st->binding;
	struct leaf_key key;
	struct logbody b;
	int rc;

	if (body.n == 0)
		return AUDIT_WITHHELD;
	leaf_key(&r->key, l->nonce, &key);
	rc = leaf_open(l, &key, body);
	secret_wipe(&key, sizeof(key));
	if (rc != 0 || logbody_parse(l->type, body, &b) != 0)
		return AUDIT_FALSE;
	memcpy(x->device, b.device, ID_LEN);
	memcpy(x->nonce, b.request.params.nonce, HTTPSIG_NONCE_LEN);
	x->epoch = b.epoch;
	if (l->type <= LEAF_DEVICE_REVOKED)
		memcpy(x->hash, b.hash, HASH_LEN);
	if (memcmp(b.account, mine->account, ID_LEN) != 0 ||
	    (l->type != LEAF_DEVICE_ADDED && l->type != LEAF_DEVICE_REVOKED &&
		memcmp(b.space, mine->space, ID_LEN) != 0))
		return AUDIT_OTHER;
	if (l->type <= LEAF_DEVICE_REVOKED && !in_chain(r, b.hash))
		return AUDIT_CHAIN;
	return l->type == LEAF_RELEASE ? judge_release(r, &b, x, l) :
					 AUDIT_GOOD;
}

static struct auditproof
tree_of(const struct run *r)
{
	return (struct auditproof){ .read = r->read, .size = r->c.size,
		.note = buf_bytes(&r->note) };
}

static int
make_proof(struct run *r, uint64_t index, struct buf *out, struct fault *f)
{
	struct buf copy defer(buf_wipe) = buf_init(LEAF_MAX);
	const struct auditproof tree = tree_of(r);
	struct logopen o = { .proof = { .index = index } };
	struct leaf l;
	int rc = auditproof_entry(&tree, index, &copy, f);

	if (rc == 0)
		rc = leaf_decode(buf_bytes(&copy), &l);
	if (rc == 0)
		rc = auditbody_of(&r->body, index, &o.body, f);
	if (rc != 0)
		return f->code == rc ? rc : fault_add(f, rc, "proof");
	o.entry = buf_bytes(&copy);
	leaf_key(&r->key, l.nonce, &o.key);
	if (!leaf_is(&l, &o.key))
		rc = fault_set(f, FAULT_NOT_FOUND, "log of authority %s: "
		    "entry %" PRIu64 " is not of this space",
		    r->a->peer->name, index);
	if (rc == 0)
		rc = auditproof_format(&tree, &o, out, f);
	secret_wipe(&o.key, sizeof(o.key));
	return rc;
}

static const char *
kind_of(enum audit_verdict v)
{
	return v == AUDIT_WITHHELD || v == AUDIT_FALSE ? "withheld" :
	    v == AUDIT_DOUBLE			       ? "double" :
	    v == AUDIT_UNASKED			       ? "unasked" :
							 "release";
}

static void
keep_evidence(struct run *r, const struct audititem *x, struct fault *f)
{
	struct buf one defer(buf_wipe) = buf_init(PROOF_MAX);
	struct buf two defer(buf_wipe) = buf_init(PROOF_MAX);
	struct evidence_log e = { .authority = r->a->peer->name,
		.vkey = r->lc.vkey, .kind = kind_of(x->verdict) };
	struct fault scrap = { 0 };

	if (make_proof(r, x->index, &one, &scrap) != 0)
		return;
	if (x->verdict == AUDIT_DOUBLE)
		(void)!make_proof(r, audititem_first(&r->a->items, x)->index,
		    &two, &scrap);
	e.proof[0] = buf_bytes(&one);
	e.proof[1] = buf_bytes(&two);
	evidence_log(r->a->st, &e, f);
}

/* What an alarm of one entry is about. */
#define ABOUT_ENTRY_LEN 9
static void
about_entry(uint8_t why, uint64_t index, uint8_t out[static ABOUT_ENTRY_LEN])
{
	out[0] = why;
	for (int i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(index >> 8 * i);
}

static void
raise_alarm(struct run *r, const struct audititem *x)
{
	struct audit_alarm *new;
	struct fault f = { 0 };
	uint8_t of[ABOUT_ENTRY_LEN];

	about_entry(x->verdict, x->index, of);
	(void)fault_set(&f, FAULT_ALARM, "log of authority %s: entry %" PRIu64
	    ", %s: %s", r->a->peer->name, x->index, logbody_what(x->type),
	    audititem_text(x->verdict));
	new = alarm_add(r, &(struct about){ "entry", of, sizeof(of) }, "%s",
	    f.text);
	if (new == NULL)
		return;
	keep_evidence(r, x, &f);
	(void)snprintf(new->text, sizeof(new->text), "%s", f.text);
}

/* In the log's order: the first of two alike is the one that is in order. */
static int
judge_each(struct run *r, struct fault *f)
{
	struct audititems *a = &r->a->items;
	struct rd own = rd_from(r->own.p, r->own.n);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n; i++) {
		struct audititem *x = &a->item[i];
		struct bytes entry, body;
		struct leaf l;

		if (i >= r->a->old && x->verdict != AUDIT_POLICY &&
		    x->type != LEAF_REQUEST) {
			rc = auditbody_of(&r->body, x->index, &body, f);
			entry = rd_take(&own, rd_u16(&own));
			if (rc == 0)
				rc = leaf_decode(entry, &l);
			if (rc == 0)
				x->verdict = (uint8_t)judge(r, x, &l, body);
		}
		if (rc == 0)
			rc = audititem_judged(a, i);
	}
	return rc;
}

/* When a device came and went is known once all entries are judged. */
static void
judge_all(struct run *r)
{
	struct audititems *a = &r->a->items;

	for (size_t i = 0; i < a->n; i++) {
		struct audititem *x = &a->item[i];

		if (x->verdict == AUDIT_GOOD && x->type == LEAF_RELEASE)
			x->verdict = (uint8_t)live_then(r, x);
		if (x->verdict != AUDIT_GOOD)
			raise_alarm(r, x);
	}
}

/* What must be there. */

static bool
has_hash(const struct audititems *a, uint8_t from, uint8_t to,
    const uint8_t hash[static HASH_LEN])
{
	for (size_t i = 0; i < a->n; i++)
		if (a->item[i].type >= from && a->item[i].type <= to &&
		    memcmp(a->item[i].hash, hash, HASH_LEN) == 0)
			return true;
	return false;
}

/* [log] Entry 1, the recovery key, is made together with entry 0. */
static void
chain_is_logged(struct run *r)
{
	uint8_t h[HASH_LEN];

	for (uint32_t i = 0; i < r->a->chain_seen &&
	    i < r->chain.n / CHAIN_ENTRY_LEN; i++) {
		chain_hash(r, i, h);
		if (i != 1 && !has_hash(&r->a->items, i == 0 ?
			LEAF_ENROLMENT : LEAF_DEVICE_ADDED, i == 0 ?
			LEAF_ENROLMENT : LEAF_DEVICE_REVOKED, h))
			(void)alarm_add(r, &(struct about){ "chain", h,
			    sizeof(h) }, "log of authority %s: entry %u of the "
			    "device chain is not in it", r->a->peer->name, i);
	}
}

static void
set_is_logged(struct run *r, const struct custody *set, const char *what)
{
	uint8_t h[HASH_LEN];

	custody_hash(set, h);
	if (!has_hash(&r->a->items, LEAF_CUSTODY, LEAF_CUSTODY, h))
		(void)alarm_add(r, &(struct about){ "custody", h, sizeof(h) },
		    "log of authority %s: the %s custody set %u is not in it",
		    r->a->peer->name, what, set->serial);
}

/* Numbers before it may have been used up by epochs that nobody finished. */
static void
epoch_is_logged(struct run *r)
{
	uint32_t epoch = r->a->st->head.epoch;

	for (size_t i = 0; i < r->a->items.n; i++)
		if (r->a->items.item[i].type == LEAF_EPOCH &&
		    r->a->items.item[i].epoch == epoch)
			return;
	if (epoch > 1)
		(void)alarm_add(r, &(struct about){ "epoch", &epoch,
		    sizeof(epoch) }, "log of authority %s: the beginning of "
		    "epoch %u is not in it", r->a->peer->name, epoch);
}

static void
what_must_be_there(struct run *r)
{
	const struct custodian *c = &r->a->custody;
	int at = c->known ? custody_find(&c->set, &r->a->peer->signing) : -1;

	if (r->a->home) {
		chain_is_logged(r);
		epoch_is_logged(r);
	}
	if (c->known && (r->a->home || at >= 0))
		set_is_logged(r, &c->set, "pinned");
	if (c->announced && r->a->home)
		set_is_logged(r, &c->next, "announced");
}

static void
on_request(void *arg, const struct auditrequest_alarm *x)
{
	struct run *r = arg;
	const struct auditproof tree = tree_of(r);
	struct evidence_log e = { .authority = r->a->peer->name,
		.vkey = r->lc.vkey };
	struct audit_alarm *new;
	struct fault f = { 0 };
	uint8_t of[ABOUT_ENTRY_LEN];

	about_entry((uint8_t)x->why, x->index, of);
	(void)fault_set(&f, FAULT_ALARM, "log of authority %s: entry %" PRIu64
	    ", request: %s", r->a->peer->name, x->index,
	    auditrequest_text(x->why));
	new = alarm_add(r, &(struct about){ "request", of, sizeof(of) }, "%s",
	    f.text);
	if (new == NULL)
		return;
	auditproof_request(&tree, x, r->a->st, &e, &f);
	(void)snprintf(new->text, sizeof(new->text), "%s", f.text);
}

static int
check_requests(struct run *r, struct fault *f)
{
	struct auditrequest q = { .read = r->read, .size = r->c.size,
		.items = &r->a->items, .now = (int64_t)time(NULL),
		.alarm = on_request, .arg = r };
	int rc = auditrequest_check(&q, f);

	r->a->requests = q.n;
	r->a->requests_opened = q.texts;
	return rc;
}

static int
begin(struct run *r, struct audit *a, struct fault *f)
{
	int rc = run_open(r, a, f);

	if (rc == 0)
		rc = read_tree(r, f);
	return rc;
}

/* Requests that an earlier run found in it are gone: what a device did not ask
 * for cannot be told by it, and nobody is to be accused by what is left. */
static int
asked_is_whole(const struct run *r, struct fault *f)
{
	const struct state *st = r->a->st;
	struct logpin_asked asked = { 0 };
	int rc = logpin_asked(st, &asked, f);

	for (size_t i = 0; rc == 0 && i < r->a->items.n; i++) {
		const struct audititem *x = &r->a->items.item[i];

		if (x->type == LEAF_RELEASE && x->verdict == AUDIT_GOOD &&
		    memcmp(x->device, st->device, ID_LEN) == 0 &&
		    !logpin_was_asked(&asked, x->nonce))
			rc = fault_set(f, FAULT_CONFIG, "%s: asked: damaged: "
			    "it has lost the request of entry %" PRIu64
			    " of authority %s", st->dir, x->index,
			    r->a->peer->name);
	}
	free(asked.nonce);
	return rc;
}

static int
read_and_judge(struct run *r, struct fault *f)
{
	struct audit *a = r->a;
	int rc = pinned_policy(r, f);

	if (rc == 0)
		rc = audititem_load(a->st, r->lc.key.name, &a->items, f);
	if (rc == 0)
		rc = check_read(r, f);
	if (rc == 0)
		rc = asked_is_whole(r, f);
	if (rc == 0 && a->full) {
		a->items.n = 0;
		a->items.size = 0;
	}
	a->old = a->items.n;
	if (rc == 0)
		rc = read_entries(r, f);
	if (rc == 0 && a->sync != NULL)
		rc = a->sync(a->sync_arg, r->body.ask, f);
	if (rc == 0)
		rc = logpin_asked(a->st, &r->asked, f);
	if (rc == 0)
		rc = state_chain_bytes(a->st, &r->chain, f);
	if (rc == 0)
		rc = judge_each(r, f);
	if (rc != 0)
		return rc;
	judge_all(r);
	what_must_be_there(r);
	rc = check_requests(r, f);
	a->judged = rc == 0;
	return rc;
}

static int
keep(struct run *r, struct fault *f)
{
	struct audititems *items = &r->a->items;
	int rc = logcheck_pin(&r->lc, &r->c, buf_bytes(&r->note), f);

	items->size = r->c.size;
	items->root = r->c.root;
	return rc != 0 ? rc : audititem_save(r->a->st, items, f);
}

/* What the log contradicts has an id already; else it is what is said. */
static void
log_is_broken(struct run *r, const struct fault *f)
{
	static const uint8_t none[AUDITACCEPT_ID_LEN];
	struct audit *a = r->a;

	if (memcmp(a->broken, none, sizeof(none)) == 0)
		auditaccept_id(r->lc.key.name, "log",
		    bytes_of(f->text, strlen(f->text)), a->broken);
	a->broken_fresh = auditaccept_find(a->told, a->broken) == NULL;
}

int
audit_run(struct audit *a, struct fault *f)
{
	struct run r defer(run_wipe);
	int rc;

	/* One more: where the next would be. */
	a->alarm = calloc(2 * AUDIT_ALARMS_MAX + 1, sizeof(*a->alarm));
	rc = begin(&r, a, f);
	if (rc == 0 && a->alarm == NULL)
		rc = fault_set(f, FAULT_MEMORY, "out of memory");
	if (rc == 0)
		rc = read_and_judge(&r, f);
	if (rc == 0)
		rc = keep(&r, f);
	if (rc == FAULT_LOG || rc == FAULT_TRUST)
		log_is_broken(&r, f);
	return rc;
}

void
audit_wipe(struct audit *a)
{
	audititem_wipe(&a->items);
	free(a->alarm);
	a->alarm = NULL;
}

int
audit_open(struct audit *a, uint64_t index, struct buf *out, struct fault *f)
{
	struct run r defer(run_wipe);
	struct bytes body;
	int rc = begin(&r, a, f);

	if (rc == 0 && index >= r.c.size)
		rc = fault_set(f, FAULT_NOT_FOUND, "log of authority %s: no "
		    "entry %" PRIu64 ": it has %" PRIu64 ", from 0 on",
		    a->peer->name, index, r.c.size);
	if (rc == 0)
		rc = make_proof(&r, index, out, f);
	if (rc == 0)
		rc = auditbody_of(&r.body, index, &body, f);
	if (rc == 0 && body.n == 0)
		rc = fault_set(f, FAULT_DENIED, "authority %s: does not open "
		    "entry %" PRIu64, a->peer->name, index);
	return rc;
}
