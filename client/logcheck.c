// SPDX-License-Identifier: Apache-2.0
/* spec/60-log.md, What a client checks. */
#include "client/logcheck.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/noun.h"
#include "base/rd.h"
#include "client/evidence.h"
#include "client/logread.h"
#include "client/state.h"
#include "crypt/secret.h"
#include "tlog/line.h"

#define CLOCK_MAX 600 /* seconds between an entry's time and this clock */

static int
wrong(const struct logcheck *lc, struct fault *f, const char *why)
{
	return fault_set(f, FAULT_LOG, "log of authority %s: %s",
	    lc->peer->name, why);
}

/* Trust. */

/* The user's own file, or the policy's, which has its authorities' logs. */
static int
load_trust(struct logcheck *lc, struct fault *f)
{
	struct buf text defer(buf_wipe) = buf_init(TRUST_FILE_MAX);
	unsigned line;
	int rc = logpin_trust(lc->st, &text, f);

	lc->whom = lc->st->policy->trust;
	if (rc != 0 || text.n == 0)
		return rc;
	rc = trust_parse(buf_bytes(&text), &lc->own, &line);
	if (rc != 0)
		return fault_set(f, FAULT_CONFIG, "trust file, line %u: %s",
		    line, fault_text(rc));
	lc->whom = lc->own;
	return 0;
}

static bool
trusts(const struct logcheck *lc)
{
	for (size_t i = 0; i < lc->whom->nlogs; i++) {
		const struct note_key *k = &lc->whom->log[i].key;

		if (strcmp(k->name, lc->key.name) == 0 && k->id == lc->key.id &&
		    memcmp(&k->pub, &lc->key.pub, sizeof(k->pub)) == 0)
			return true;
	}
	return false;
}

int
logcheck_open(struct logcheck *lc, struct fault *f)
{
	struct buf vkey defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	int rc = note_key_format(&lc->peer->log, &vkey);

	lc->own = NULL;
	lc->key = lc->peer->log;
	if (rc != 0)
		return fault_add(f, rc, "authority %s: log", lc->peer->name);
	(void)snprintf(lc->vkey, sizeof(lc->vkey), "%.*s", (int)vkey.n,
	    (const char *)vkey.p);
	rc = load_trust(lc, f);
	if (rc == 0 && !trusts(lc))
		rc = wrong(lc, f, "the trust file does not have its key");
	if (rc != 0)
		logcheck_close(lc);
	return rc;
}

void
logcheck_close(struct logcheck *lc)
{
	free(lc->own);
	lc->own = NULL;
}

/* Checkpoints. */

int
logcheck_note(const struct logcheck *lc, struct bytes note,
    struct checkpoint *out, struct fault *f)
{
	struct note *n = malloc(sizeof(*n));
	struct checkpoint c;
	int rc = n == NULL ? FAULT_MEMORY : note_parse(note, n);

	if (rc == 0)
		rc = trust_check(lc->whom, n, &c);
	free(n);
	if (rc == FAULT_MEMORY)
		return fault_set(f, rc, "out of memory");
	if (rc == FAULT_TRUST)
		return wrong(lc, f, "a checkpoint without the signatures that "
		    "the trust file wants");
	if (rc != 0)
		return wrong(lc, f, "a checkpoint that does not verify");
	if (!line_is(c.origin, lc->key.name))
		return wrong(lc, f, "a checkpoint of another log");
	*out = c;
	return 0;
}

/* What the tree of c has in its first leaves, as far as its tiles show it:
 * against two signed checkpoints, this is proof. */
static bool
prefix_of(const struct logcheck *lc, const struct checkpoint *c, uint64_t old,
    struct evidence_log *e, struct merkle_proof *proof,
    struct merkle_hash *root)
{
	const struct logread_config config = { .peer = lc->peer,
		.wire = lc->wire, .stop = lc->stop };
	struct logread *r defer(logread_closep) = NULL;
	struct merkle_source nodes;
	struct fault scrap = { 0 };

	if (logread_open(&config, &r, &scrap) != 0 ||
	    logread_tree(r, c->size, &c->root, &scrap) != 0 ||
	    logread_root(r, old, root, &scrap) != 0)
		return false;
	nodes = logread_nodes(r, &scrap);
	if (merkle_prove_consistency(&nodes, old, c->size, proof) != 0)
		return false;
	e->old = old;
	e->old_root = root;
	e->consistency = proof;
	return true;
}

/* A contradiction to what is pinned is told, and kept, once of its kind: a log
 * that goes on lying is not news, whatever it shows next. */
static bool
was_told(const struct logcheck *lc, const char *kind, uint64_t pinned)
{
	char of[64];
	int n;

	if (lc->told == NULL)
		return false;
	n = snprintf(of, sizeof(of), "%s %" PRIu64, kind, pinned);
	auditaccept_id(lc->key.name, "log", bytes_of(of, (size_t)n),
	    lc->broken);
	return auditaccept_find(lc->told, lc->broken) != NULL;
}

static int
contradicts(const struct logcheck *lc, const struct logpin *pin,
    const struct checkpoint *c, struct bytes note, struct evidence_log *e,
    struct fault *f)
{
	struct merkle_proof proof;
	struct merkle_hash root;
	int rc;

	e->note[0] = buf_bytes(&pin->note);
	e->note[1] = note;
	if (strcmp(e->kind, "rollback") == 0) {
		rc = fault_set(f, FAULT_LOG, "log of authority %s: rollback: "
		    "shows %" PRIu64 " %s, %" PRIu64 " %s seen before",
		    lc->peer->name, c->size,
		    noun_for(c->size, "entry", "entries"), pin->size,
		    noun_for(pin->size, "was", "were"));
	} else if (strcmp(e->kind, "fork") == 0) {
		rc = fault_set(f, FAULT_LOG, "log of authority %s: split view: "
		    "two different trees of %" PRIu64 " %s, both signed",
		    lc->peer->name, c->size,
		    noun_for(c->size, "entry", "entries"));
	} else if (prefix_of(lc, c, pin->size, e, &proof, &root) &&
	    memcmp(&root, &pin->root, sizeof(root)) == 0) {
		e->consistency = NULL;
		e->kind = "proof";
		rc = wrong(lc, f, "a consistency proof that does not hold, "
		    "though the trees are consistent");
	} else {
		rc = fault_set(f, FAULT_LOG, "log of authority %s: split view: "
		    "the tree of %" PRIu64 " %s does not continue the one "
		    "of %" PRIu64 " that was seen before", lc->peer->name,
		    c->size, noun_for(c->size, "entry", "entries"),
		    pin->size);
	}
	if (!was_told(lc, e->kind, pin->size))
		evidence_log(lc->st, e, f);
	return rc;
}

int
logcheck_follows(const struct logcheck *lc, const struct logpin *pin,
    const struct checkpoint *c, struct bytes note,
    const struct merkle_proof *proof, struct fault *f)
{
	static const struct merkle_proof none;
	struct evidence_log e = { .authority = lc->peer->name,
		.vkey = lc->vkey };

	if (pin->size == 0)
		return 0;
	if (proof == NULL)
		proof = &none;
	e.kind = c->size < pin->size ? "rollback" :
	    c->size == pin->size     ? "fork" :
				       "inconsistent";
	if (c->size >= pin->size &&
	    merkle_check_consistency(proof, pin->size, c->size, &pin->root,
		&c->root) == 0)
		return 0;
	/* The same tree with a proof too many is malformed, and no more. */
	if (c->size == pin->size &&
	    memcmp(&c->root, &pin->root, sizeof(c->root)) == 0)
		return wrong(lc, f, "a proof between a tree and itself");
	return contradicts(lc, pin, c, note, &e, f);
}

int
logcheck_pin(const struct logcheck *lc, const struct checkpoint *c,
    struct bytes note, struct fault *f)
{
	struct logpin p = { .size = c->size, .root = c->root,
		.note = { .p = (uint8_t *)(uintptr_t)note.p, .n = note.n } };
	struct logpin now = { 0 };
	int rc;

	if (c->size == 0)
		return 0;
	if (note.n > LOGPIN_NOTE_MAX)
		return wrong(lc, f, "a checkpoint with too many signatures");
	(void)snprintf(p.origin, sizeof(p.origin), "%s", lc->key.name);
	rc = logpin_set(lc->st, &p, &now, f);
	if (rc == 0 && now.size == c->size)
		rc = logcheck_follows(lc, &now, c, note, NULL, f);
	logpin_wipe(&now);
	return rc;
}

/* Entries. */

static int
keep_proof(const struct logcheck *lc, const char *kind, struct bytes proof,
    struct fault *f)
{
	struct evidence_log e = { .authority = lc->peer->name,
		.vkey = lc->vkey, .kind = kind, .proof = { proof } };
	int code = f->code;

	evidence_log(lc->st, &e, f);
	return code;
}

/* The entry is under the answer's checkpoint, and is opened by its key. */
static int
open_proof(const struct logcheck *lc, const struct answer_log *log,
    struct bytes text, struct logopen *out, struct fault *f)
{
	struct logopen o;
	uint64_t size;
	int rc = logopen_parse(text, &o);

	if (rc == FAULT_MEMORY)
		return fault_set(f, rc, "out of memory");
	if (rc != 0) {
		(void)fault_set(f, FAULT_LOG, "log of authority %s: an entry "
		    "that its proof does not open (%s)", lc->peer->name,
		    fault_text(rc));
		return keep_proof(lc, "opening", text, f);
	}
	if (bytes_cmp(o.proof.checkpoint, buf_bytes(&log->checkpoint)) != 0)
		rc = wrong(lc, f, "a proof under another checkpoint than the "
		    "answer's");
	else if (proof_check(&o.proof, lc->whom, o.entry, &size) != 0)
		rc = fault_set(f, FAULT_LOG, "log of authority %s: entry %"
		    PRIu64 ", %s, is not in the tree that was signed",
		    lc->peer->name, o.proof.index,
		    logbody_what(o.leaf.type));
	if (rc != 0) {
		(void)keep_proof(lc, "inclusion", text, f);
		logopen_wipe(&o);
		return rc;
	}
	*out = o;
	return 0;
}

static bool
next_proof(struct rd *r, struct bytes *out)
{
	*out = rd_take(r, rd_u32(r));
	return !r->failed && out->n != 0;
}

static bool
is_ours(const struct leaf_log_key *key, const struct leaf *l,
    const struct leaf_key *shown)
{
	struct leaf_key k;
	bool same;

	leaf_key(key, l->nonce, &k);
	same = secret_equal(&k, shown, sizeof(k));
	secret_wipe(&k, sizeof(k));
	return same;
}

/* FAULT_NOT_FOUND: not known yet. */
static int
own_key(const struct logcheck *lc, const struct logopen *o, struct fault *f)
{
	struct leaf_log_key key;
	int rc = logpin_key(lc->st, &key, f);

	if (rc == 0 && !is_ours(&key, &o->leaf, &o->key))
		rc = fault_set(f, FAULT_LOG, "log of authority %s: entry %"
		    PRIu64 ", %s, is not under this space's log key",
		    lc->peer->name, o->proof.index,
		    logbody_what(o->leaf.type));
	secret_wipe(&key, sizeof(key));
	return rc;
}

static int
missing(const struct logcheck *lc, struct fault *f)
{
	return wrong(lc, f, "the answer says nothing of the log");
}

int
logcheck_answer(const struct logcheck *lc, const struct answer_log *log,
    struct fault *f)
{
	struct rd r = rd_from(log->proofs.p, log->proofs.n);
	struct checkpoint c;
	struct bytes text;
	int rc = log->has ? 0 : missing(lc, f);

	if (rc == 0)
		rc = logcheck_note(lc, buf_bytes(&log->checkpoint), &c, f);
	while (rc == 0 && r.left != 0) {
		struct logopen o;

		if (!next_proof(&r, &text))
			return fault_set(f, FAULT_INTERNAL, "proofs");
		rc = open_proof(lc, log, text, &o, f);
		if (rc != 0)
			return rc;
		rc = own_key(lc, &o, f);
		if (rc == FAULT_LOG)
			(void)keep_proof(lc, "key", text, f);
		logopen_wipe(&o);
		rc = rc == FAULT_NOT_FOUND ? 0 : rc;
	}
	return rc;
}

/* Sessions. */

struct session_check {
	const struct logcheck *lc;
	const struct logcheck_asked *asked;
	struct answer_session *s;
	bool logged[LEASE_EPOCHS_MAX]; /* s->key[i] has its entry */
};

static const char *
differs(const struct session_check *k, const struct logopen *o)
{
	const struct logcheck_asked *a = k->asked;
	struct logbody b;

	if (o->leaf.type != LEAF_RELEASE)
		return "is no release";
	if (o->leaf.open.n != 1 || o->leaf.open.p[0] != 1)
		return "has another reason than that its user asked";
	if (logbody_parse(LEAF_RELEASE, o->body, &b) != 0)
		return "says nothing that can be read";
	if (memcmp(b.account, a->account, ID_LEN) != 0 ||
	    memcmp(b.space, a->space, ID_LEN) != 0)
		return "is of another space";
	if (memcmp(b.device, a->request.params.keyid, ID_LEN) != 0)
		return "names another device";
	if (memcmp(b.request.params.nonce, a->request.params.nonce,
		HTTPSIG_NONCE_LEN) != 0 ||
	    b.request.params.created != a->request.params.created)
		return "names another request";
	if (memcmp(b.request.digest, a->request.digest, HASH_LEN) != 0 ||
	    memcmp(b.request.signature, a->request.signature, SIGN_LEN) != 0 ||
	    strcmp(b.host, a->host) != 0)
		return "has the request altered";
	for (size_t i = 0; i < k->s->nkeys; i++)
		if (k->s->key[i].epoch == b.epoch &&
		    k->s->key[i].kind != ANSWER_DEVICE)
			return NULL;
	return "names an epoch that was not released";
}

static int
clocks(const struct logcheck *lc, const struct leaf *l, struct fault *f)
{
	int64_t now = (int64_t)time(NULL);
	int64_t apart = l->time > INT64_MAX ? INT64_MAX :
					      (int64_t)l->time - now;

	if (apart >= -CLOCK_MAX && apart <= CLOCK_MAX)
		return 0;
	return fault_set(f, FAULT_CLOCK, "log of authority %s: its clock is "
	    "%" PRId64 " s %s this device's", lc->peer->name,
	    apart < 0 ? -apart : apart, apart < 0 ? "behind" : "ahead of");
}

static int
take_release(struct session_check *k, struct bytes text,
    const struct logopen *o, struct fault *f)
{
	const struct logcheck *lc = k->lc;
	const char *why = differs(k, o);
	struct logbody b;
	int rc;

	if (why != NULL) {
		(void)fault_set(f, FAULT_LOG, "log of authority %s: entry %"
		    PRIu64 ", which is to answer for a key, %s",
		    lc->peer->name, o->proof.index, why);
		return keep_proof(lc, "release", text, f);
	}
	rc = clocks(lc, &o->leaf, f);
	if (rc == 0)
		rc = own_key(lc, o, f);
	if (rc == FAULT_LOG)
		return keep_proof(lc, "key", text, f);
	if (rc == FAULT_NOT_FOUND && k->s->nleaves < LEASE_EPOCHS_MAX) {
		struct answer_leaf *l = &k->s->leaf[k->s->nleaves++];

		memcpy(l->nonce, o->leaf.nonce, sizeof(l->nonce));
		l->key = o->key;
		rc = 0;
	}
	if (rc == 0)
		rc = logbody_parse(LEAF_RELEASE, o->body, &b);
	for (size_t i = 0; rc == 0 && i < k->s->nkeys; i++)
		k->logged[i] |= k->s->key[i].epoch == b.epoch;
	return rc;
}

static int
releases(struct session_check *k, struct fault *f)
{
	const struct answer_log *log = &k->s->log;
	struct rd r = rd_from(log->proofs.p, log->proofs.n);
	struct bytes text;
	int rc = 0;

	while (rc == 0 && r.left != 0) {
		struct logopen o;

		if (!next_proof(&r, &text))
			return fault_set(f, FAULT_INTERNAL, "proofs");
		rc = open_proof(k->lc, log, text, &o, f);
		if (rc != 0)
			return rc;
		rc = take_release(k, text, &o, f);
		logopen_wipe(&o);
	}
	for (size_t i = 0; rc == 0 && i < k->s->nkeys; i++)
		if (!k->logged[i] && k->s->key[i].kind != ANSWER_DEVICE)
			rc = fault_set(f, FAULT_LOG, "log of authority %s: the "
			    "key of epoch %u was released without an entry",
			    k->lc->peer->name, k->s->key[i].epoch);
	return rc;
}

int
logcheck_session(const struct logcheck *lc,
    const struct logcheck_asked *asked, struct answer_session *s,
    struct fault *f)
{
	struct session_check k = { .lc = lc, .asked = asked, .s = s };
	struct bytes note = buf_bytes(&s->log.checkpoint);
	struct checkpoint c;
	int rc = s->log.has ? 0 : missing(lc, f);

	if (rc == 0)
		rc = logcheck_note(lc, note, &c, f);
	if (rc == 0)
		rc = logcheck_follows(lc, asked->pin, &c, note,
		    &s->log.consistency, f);
	if (rc == 0)
		rc = releases(&k, f);
	return rc != 0 ? rc : logcheck_pin(lc, &c, note, f);
}

int
logcheck_leaves(const struct answer_session *s,
    const struct leaf_log_key *key, const char *authority, struct fault *f)
{
	for (size_t i = 0; i < s->nleaves; i++) {
		struct leaf l = { 0 };

		memcpy(l.nonce, s->leaf[i].nonce, sizeof(l.nonce));
		if (!is_ours(key, &l, &s->leaf[i].key))
			return fault_set(f, FAULT_LOG, "log of authority %s: a "
			    "release that is not under this space's log key",
			    authority);
	}
	return 0;
}
