// SPDX-License-Identifier: Apache-2.0
#include "client/logjudge.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/noun.h"
#include "net/text.h"
#include "tlog/demand.h"

static void
json_freep(json_t **j)
{
	json_decref(*j);
}

static int
no(struct fault *f, const char *why)
{
	return fault_set(f, FAULT_LOG, "it does not show it: %s", why);
}

/* An entry that is opened. */

static void
who_asked(const struct chain *chain, struct logjudge_entry *e)
{
	const struct chain_device *d = chain == NULL ? NULL :
	    chain_find(chain, e->body.device);

	if (e->body.type != LEAF_RELEASE || d == NULL || d->recovery)
		return;
	e->has_device = true;
	e->asked = logbody_asked(&e->body, &d->sign) == 0;
}

int
logjudge_proof(struct bytes file, const struct trust *trust,
    const struct chain *chain, struct logjudge_entry *out, struct fault *f)
{
	struct logjudge_entry e = { 0 };
	struct logopen o;
	int rc = logopen_parse(file, &o);

	if (rc == FAULT_MEMORY)
		return fault_set(f, rc, "out of memory");
	if (rc == FAULT_TAMPERED)
		return no(f, "key and body are not those of the entry");
	if (rc != 0)
		return fault_set(f, rc, "not a proof that opens an entry");
	rc = proof_check(&o.proof, trust, o.entry, &e.size);
	e.index = o.proof.index;
	e.time = o.leaf.time;
	if (rc == FAULT_TRUST)
		rc = no(f, "its checkpoint lacks signatures that the trust "
		    "file wants");
	else if (rc != 0)
		rc = no(f, "the entry is not in a tree that the log signed");
	else if (logbody_parse(o.leaf.type, o.body, &e.body) != 0)
		rc = no(f, "the body says nothing that can be read");
	logopen_wipe(&o);
	if (rc != 0)
		return rc;
	who_asked(chain, &e);
	*out = e;
	return 0;
}

/* Evidence. */

struct trial {
	struct note_key key;
	struct trust *trust; /* its log alone, no witness */
	struct chain chain;
	struct checkpoint c[2];
	size_t notes;
	struct logopen open[2];
	size_t proofs;
	struct logjudge_evidence *out;
};

static void
trial_wipe(struct trial *t)
{
	free(t->trust);
	chain_wipe(&t->chain);
	for (size_t i = 0; i < t->proofs; i++)
		logopen_wipe(&t->open[i]);
}

static bool
text_of(const json_t *j, size_t max, struct bytes *out)
{
	if (!json_is_string(j) || json_string_length(j) > max)
		return false;
	*out = bytes_of(json_string_value(j), json_string_length(j));
	return true;
}

static bool
b64_of(const json_t *j, void *out, size_t n)
{
	return json_is_string(j) && text_b64_parse(json_string_value(j),
	    json_string_length(j), out, n) == 0;
}

static int
load_key(struct trial *t, const json_t *j)
{
	const char *vkey = json_string_value(json_object_get(j, "log"));
	char text[NOTE_VKEY_MAX + 64];
	unsigned line;

	if (vkey == NULL || strlen(vkey) > NOTE_VKEY_MAX ||
	    note_key_parse(bytes_of(vkey, strlen(vkey)), &t->key) != 0 ||
	    t->key.type != NOTE_ED25519)
		return FAULT_MALFORMED;
	(void)snprintf(t->out->vkey, sizeof(t->out->vkey), "%s", vkey);
	(void)snprintf(text, sizeof(text), "log %s\nquorum none\n", vkey);
	return trust_parse(bytes_of(text, strlen(text)), &t->trust, &line);
}

static int
load_chain(struct trial *t, const json_t *j)
{
	const json_t *a = json_object_get(j, "chain"), *v;
	uint8_t entry[CHAIN_ENTRY_LEN];
	size_t i;
	int rc = json_is_array(a) ? 0 : FAULT_MALFORMED;

	json_array_foreach (a, i, v) {
		if (rc == 0 && !b64_of(v, entry, sizeof(entry)))
			rc = FAULT_MALFORMED;
		if (rc == 0)
			rc = chain_append(&t->chain,
			    bytes_of(entry, sizeof(entry)));
	}
	return rc;
}

static int
load_notes(struct trial *t, const json_t *j)
{
	const json_t *a = json_object_get(j, "notes"), *v;
	struct note *n = malloc(sizeof(*n));
	struct bytes text;
	size_t i;
	int rc = n == NULL ? FAULT_MEMORY :
	    json_is_array(a) && json_array_size(a) <= 2 ? 0 : FAULT_MALFORMED;

	json_array_foreach (a, i, v) {
		if (rc == 0 && !text_of(v, NOTE_MAX, &text))
			rc = FAULT_MALFORMED;
		if (rc == 0)
			rc = note_parse(text, n);
		if (rc == 0)
			rc = trust_check(t->trust, n, &t->c[i]);
		if (rc == 0)
			t->notes++;
	}
	free(n);
	return rc;
}

static int
load_proofs(struct trial *t, const json_t *j)
{
	const json_t *a = json_object_get(j, "proofs"), *v;
	struct bytes text;
	size_t i;
	int rc = json_is_array(a) && json_array_size(a) <= 2 ?
	    0 : FAULT_MALFORMED;

	json_array_foreach (a, i, v) {
		if (rc == 0 && !text_of(v, PROOF_MAX, &text))
			rc = FAULT_MALFORMED;
		if (rc == 0)
			rc = logopen_read(text, &t->open[i]);
		if (rc == 0)
			t->proofs++;
	}
	return rc;
}

static void
say(struct trial *t, bool proved, const char *fmt, ...) printf_like(3, 4);

static void
say(struct trial *t, bool proved, const char *fmt, ...)
{
	va_list ap;

	t->out->proved = proved;
	va_start(ap, fmt);
	(void)vsnprintf(t->out->text, sizeof(t->out->text), fmt, ap);
	va_end(ap);
}

static int
judge_rollback(struct trial *t, struct fault *f)
{
	if (t->notes != 2 || t->c[1].size >= t->c[0].size)
		return no(f, "no smaller tree was shown later");
	say(t, false, "the log signed a tree of %" PRIu64 " %s and one of "
	    "%" PRIu64 "; that the smaller one was shown later is the word of "
	    "who wrote this", t->c[0].size,
	    noun_for(t->c[0].size, "entry", "entries"), t->c[1].size);
	return 0;
}

static int
judge_fork(struct trial *t, struct fault *f)
{
	if (t->notes != 2 || t->c[0].size != t->c[1].size ||
	    memcmp(&t->c[0].root, &t->c[1].root, MERKLE_LEN) == 0)
		return no(f, "no two trees of one size");
	say(t, true, "the log signed two different trees of %" PRIu64
	    " %s", t->c[0].size,
	    noun_for(t->c[0].size, "entry", "entries"));
	return 0;
}

/* The later tree has another beginning than the earlier one was: whatever the
 * log shows, it cannot take back either signature. */
static int
judge_inconsistent(struct trial *t, const json_t *j, struct fault *f)
{
	const json_t *k = json_object_get(j, "consistency"), *v;
	const json_t *a = json_object_get(k, "hashes");
	struct merkle_proof p = { 0 };
	struct merkle_hash root;
	size_t i;

	if (t->notes != 2 || t->c[0].size >= t->c[1].size)
		return no(f, "no later tree");
	if (json_is_null(k)) {
		say(t, false, "the log signed both trees; that the later one "
		    "does not continue the earlier is the word of who wrote "
		    "this: hold them against the log's tiles");
		return 0;
	}
	if (!json_is_array(a) || json_array_size(a) > MERKLE_PROOF_MAX ||
	    !b64_of(json_object_get(k, "root"), root.b, MERKLE_LEN))
		return fault_set(f, FAULT_MALFORMED, "consistency");
	json_array_foreach (a, i, v)
		if (!b64_of(v, p.hash[i].b, MERKLE_LEN))
			return fault_set(f, FAULT_MALFORMED, "consistency");
	p.n = json_array_size(a);
	if (merkle_check_consistency(&p, t->c[0].size, t->c[1].size, &root,
		&t->c[1].root) != 0 ||
	    memcmp(&root, &t->c[0].root, MERKLE_LEN) == 0)
		return no(f, "the trees may be consistent");
	say(t, true, "the log signed a tree of %" PRIu64 " %s, and later "
	    "one of %" PRIu64 " that begins otherwise", t->c[0].size,
	    noun_for(t->c[0].size, "entry", "entries"), t->c[1].size);
	return 0;
}

/* Each proof leads to a checkpoint of the log. */
static bool
in_log(const struct trial *t, size_t i)
{
	uint64_t size;

	return i < t->proofs && proof_check(&t->open[i].proof, t->trust,
	    t->open[i].entry, &size) == 0;
}

static bool
opened(const struct trial *t, size_t i, struct logbody *b)
{
	const struct logopen *o = &t->open[i];

	return in_log(t, i) && leaf_open(&o->leaf, &o->key, o->body) == 0 &&
	    logbody_parse(o->leaf.type, o->body, b) == 0;
}

static int
judge_double(struct trial *t, struct fault *f)
{
	struct logbody a, b;

	if (!opened(t, 0, &a) || !opened(t, 1, &b) ||
	    a.type != LEAF_RELEASE || b.type != LEAF_RELEASE ||
	    t->open[0].proof.index == t->open[1].proof.index ||
	    a.epoch != b.epoch ||
	    memcmp(a.device, b.device, ID_LEN) != 0 ||
	    memcmp(a.request.params.nonce, b.request.params.nonce,
		HTTPSIG_NONCE_LEN) != 0)
		return no(f, "no two releases for one request");
	say(t, true, "the log has two releases for one request, entries %"
	    PRIu64 " and %" PRIu64, t->open[0].proof.index,
	    t->open[1].proof.index);
	return 0;
}

static int
judge_release(struct trial *t, struct fault *f)
{
	const struct chain_device *d;
	struct logbody b;
	uint64_t index;

	if (!opened(t, 0, &b))
		return no(f, "no entry of the log that opens");
	index = t->open[0].proof.index;
	d = chain_find(&t->chain, b.device);
	if (b.type != LEAF_RELEASE || memcmp(b.account, t->chain.account,
		ID_LEN) != 0)
		say(t, false, "entry %" PRIu64 " (%s) is in the log, and is "
		    "about what it says; that it does not belong there is the "
		    "word of who wrote this", index, logbody_what(b.type));
	else if (d == NULL)
		say(t, true, "entry %" PRIu64 " releases a key to a device "
		    "that is not in the chain", index);
	else if (logbody_asked(&b, &d->sign) != 0)
		say(t, true, "entry %" PRIu64 " releases a key for a request "
		    "that the device did not sign", index);
	else
		say(t, false, "entry %" PRIu64 " releases a key for a request "
		    "that was signed with the device's key; what is wrong with "
		    "it is the word of who wrote this", index);
	return 0;
}

static int
judge_withheld(struct trial *t, struct fault *f)
{
	const struct logopen *o = &t->open[0];

	if (!in_log(t, 0) || !leaf_is(&o->leaf, &o->key))
		return no(f, "no entry under that key");
	if (leaf_open(&o->leaf, &o->key, o->body) == 0)
		return no(f, "the entry is opened");
	say(t, false, "entry %" PRIu64 " is under a key of the space, and what "
	    "the authority gave does not open it; that it gave no other is the "
	    "word of who wrote this", o->proof.index);
	return 0;
}

static int
demand_of(const struct trial *t, size_t i, struct demand *out)
{
	return t->open[i].leaf.type != LEAF_REQUEST ? FAULT_VERSION :
	    demand_read(t->open[i].leaf.open, out);
}

/* Whatever there is between them: states of a request only go up, and end
 * with the third. */
static bool
never_follows(const struct demand *a, const struct demand *b)
{
	return a->state >= DEMAND_REFUSED || b->state <= a->state ||
	    strcmp(a->jurisdiction, b->jurisdiction) != 0;
}

static int
judge_order(struct trial *t, struct fault *f)
{
	uint64_t index = t->open[0].proof.index;
	uint64_t last = t->open[1].proof.index;
	struct demand d, before;

	if (!in_log(t, 0) || !in_log(t, 1) || last >= index ||
	    demand_of(t, 0, &d) != 0 || demand_of(t, 1, &before) != 0 ||
	    memcmp(d.id, before.id, ID_LEN) != 0)
		return no(f, "no two states of one request");
	if (never_follows(&before, &d))
		say(t, true, "entry %" PRIu64 " is a state of a request (%s) "
		    "that cannot come after the one of entry %" PRIu64 " (%s)",
		    index, demand_state_name(d.state), last,
		    demand_state_name(before.state));
	else
		say(t, false, "entry %" PRIu64 " is a state of a request (%s) "
		    "that cannot come right after the one of entry %" PRIu64
		    " (%s); that there is none in between is the word of who "
		    "wrote this: see the log", index,
		    demand_state_name(d.state), last,
		    demand_state_name(before.state));
	return 0;
}

static int
judge_request(struct trial *t, struct fault *f)
{
	const struct logopen *o = &t->open[0];
	struct demand d = { 0 };
	uint64_t index;

	if (t->proofs == 2)
		return judge_order(t, f);
	if (!in_log(t, 0))
		return no(f, "no entry of the log");
	index = o->proof.index;
	if (o->leaf.type != LEAF_REQUEST)
		say(t, false, "entry %" PRIu64 " is no request (%s); that the "
		    "authority lists it as one is the word of who wrote this",
		    index, logbody_what(o->leaf.type));
	else if (demand_of(t, 0, &d) != 0 || (leaf_open(&o->leaf, &o->key,
		     o->body) == 0 && demand_text_check(o->body) != 0))
		say(t, true, "entry %" PRIu64 " is a request of another form "
		    "than the log's rules have", index);
	else
		say(t, false, "entry %" PRIu64 " is a request (%s, %s), %s "
		    "%" PRIu64 "; that the authority's list has it otherwise, "
		    "or not, or not what comes before it, is the word of who "
		    "wrote this: ask for the list", index, d.jurisdiction,
		    demand_state_name(d.state), d.until != 0 ?
		    "under a gag until" : "its text public since",
		    d.until != 0 ? d.until : o->leaf.time);
	return 0;
}

/* Proofs and openings that do not hold are not signed by anybody. */
static int
judge_word(struct trial *t, struct fault *f)
{
	struct logbody b;

	if (t->proofs == 0 && t->notes == 0)
		return no(f, "it has nothing signed");
	if (t->proofs != 0 && strcmp(t->out->kind, "inclusion") == 0 &&
	    opened(t, 0, &b))
		return no(f, "the proof holds");
	say(t, false, "what was shown does not hold; that the authority showed "
	    "it is the word of who wrote this");
	return 0;
}

static int
judge(struct trial *t, const json_t *j, struct fault *f)
{
	const char *kind = t->out->kind;

	if (strcmp(kind, "rollback") == 0)
		return judge_rollback(t, f);
	if (strcmp(kind, "fork") == 0)
		return judge_fork(t, f);
	if (strcmp(kind, "inconsistent") == 0)
		return judge_inconsistent(t, j, f);
	if (strcmp(kind, "double") == 0)
		return judge_double(t, f);
	if (strcmp(kind, "release") == 0 || strcmp(kind, "unasked") == 0)
		return judge_release(t, f);
	if (strcmp(kind, "withheld") == 0)
		return judge_withheld(t, f);
	if (strcmp(kind, "request") == 0)
		return judge_request(t, f);
	return judge_word(t, f);
}

int
logjudge_evidence(struct bytes file, const struct note_key *key,
    struct logjudge_evidence *out, struct fault *f)
{
	json_t *j defer(json_freep) = json_loadb((const char *)file.p, file.n,
	    JSON_REJECT_DUPLICATES, NULL);
	struct logjudge_evidence e = { 0 };
	struct trial t defer(trial_wipe) = { .out = &e };
	const char *what = json_string_value(json_object_get(j, "what"));
	const char *kind = json_string_value(json_object_get(j, "kind"));
	int rc = 0;

	if (!json_is_object(j) || what == NULL || strcmp(what, "log") != 0 ||
	    kind == NULL || strlen(kind) >= sizeof(e.kind))
		return fault_set(f, FAULT_MALFORMED,
		    "neither a proof nor evidence of a log");
	if (json_integer_value(json_object_get(j, "v")) != 1)
		return fault_set(f, FAULT_VERSION, "evidence: version");
	memcpy(e.kind, kind, strlen(kind) + 1);
	rc = load_key(&t, j);
	if (rc == 0 && key != NULL &&
	    (strcmp(key->name, t.key.name) != 0 ||
		memcmp(&key->pub, &t.key.pub, sizeof(key->pub)) != 0))
		return fault_set(f, FAULT_TRUST,
		    "the evidence is of another log: %s", e.vkey);
	if (rc == 0)
		rc = load_chain(&t, j);
	if (rc == 0)
		rc = load_notes(&t, j);
	if (rc == 0)
		rc = load_proofs(&t, j);
	if (rc == FAULT_MALFORMED || rc == FAULT_MEMORY)
		return fault_set(f, rc, "evidence: %s", fault_text(rc));
	if (rc != 0)
		return no(f, "a part of it is not genuine");
	rc = judge(&t, j, f);
	if (rc == 0)
		*out = e;
	return rc;
}
