// SPDX-License-Identifier: Apache-2.0
/* A log of three entries, the last of which releases a key to this device; then
 * the same with one lie each. */
#include "test/unit/client/site.h"

#include <fcntl.h>
#include <time.h>

#include "base/wr.h"
#include "client/file.h"
#include "client/logcheck.h"
#include "client/logjudge.h"
#include "client/logpin.h"
#include "net/httpsig.h"
#include "tlog/cosig.h"
#include "tlog/line.h"

#define HOST "a"

struct world {
	struct site *site;
	struct state *st;
	struct logcheck lc;
	struct leaf_log_key key;
	struct buf entry[3];
	struct merkle_edge edge;
	struct merkle_hash leaf[3];
	struct logopen open; /* of entry 2 */
	struct buf body;
	struct answer_session *s;
	struct logcheck_asked asked;
	struct logpin pin;
	struct http_wire wire;
	struct fault f;
};

static struct bytes
text(const char *t)
{
	return bytes_of(t, strlen(t));
}

static void
note_of(uint64_t size, const struct merkle_hash *root, struct buf *out)
{
	struct buf b defer(buf_wipe) = buf_init(1000);
	struct checkpoint c = { .origin = text("a/log"), .size = size,
		.root = *root };
	struct note_key key;
	struct sign_pub pub;

	sign_public(&site_log_key, &pub);
	assert_int_equal(note_key_make(text("a/log"), NOTE_ED25519, &pub,
	    &key), 0);
	assert_int_equal(checkpoint_format(&c, &b), 0);
	out->n = 0;
	assert_int_equal(note_sign(buf_bytes(&b), &key, &site_log_key, out), 0);
}

/* The request of this device, and the body of the release that answers it. */
static void
make_request(struct world *w)
{
	struct httpsig p = { .created = time(NULL), .nonce = { 3 } };
	struct httpsig_fields fields;
	const struct bytes body = text("{}");
	struct body_release b = { .epoch = 1, .created = (uint64_t)p.created,
		.host = HOST };

	memcpy(p.keyid, w->st->device, ID_LEN);
	assert_int_equal(httpsig_sign(w->st->sign, &p, HOST, LOGBODY_SESSION,
	    body, &fields), 0);
	w->asked = (struct logcheck_asked){ .account = w->st->binding.account,
		.space = w->st->binding.space, .request.params = p,
		.host = HOST, .pin = &w->pin };
	assert_int_equal(httpsig_digest_parse(fields.digest,
	    w->asked.request.digest), 0);
	assert_int_equal(httpsig_signature_parse(fields.signature,
	    w->asked.request.signature), 0);
	memcpy(b.account, w->asked.account, ID_LEN);
	memcpy(b.space, w->asked.space, ID_LEN);
	memcpy(b.device, w->st->device, ID_LEN);
	memcpy(b.nonce, p.nonce, sizeof(b.nonce));
	memcpy(b.digest, w->asked.request.digest, sizeof(b.digest));
	memcpy(b.signature, w->asked.request.signature, SIGN_LEN);
	w->body.n = 0;
	assert_int_equal(body_release_write(&b, &w->body), 0);
}

static void
make_entry(struct world *w, int i, uint64_t at)
{
	struct leaf l = { .type = LEAF_RELEASE, .time = at,
		.nonce = { (uint8_t)i }, .open = bytes_of("\1", 1) };

	leaf_key(&w->key, l.nonce, &w->open.key);
	leaf_blind(&w->open.key, buf_bytes(&w->body), &l);
	w->entry[i].n = 0;
	assert_int_equal(leaf_encode(&l, &w->entry[i]), 0);
	merkle_leaf(buf_bytes(&w->entry[i]), &w->leaf[i]);
}

/* The answer, from the entries and the body as they are now. */
static void
make_answer(struct world *w)
{
	struct buf proof defer(buf_wipe) = buf_init(PROOF_MAX);
	struct answer_log *log = &w->s->log;
	struct merkle_hash two, root;
	struct wr wr;

	w->edge = (struct merkle_edge){ 0 };
	for (int i = 0; i < 3; i++)
		assert_int_equal(merkle_append(&w->edge, &w->leaf[i]), 0);
	merkle_root(&w->edge, &root);
	merkle_node(&w->leaf[0], &w->leaf[1], &two);
	answer_wipe_log(log);
	*log = (struct answer_log){ .has = true, .nproofs = 1,
		.checkpoint = buf_init(NOTE_MAX),
		.proofs = buf_init(PROOF_MAX) };
	note_of(3, &root, &log->checkpoint);
	w->open.proof = (struct proof){ .index = 2, .path = { .n = 1,
		.hash = { two } }, .checkpoint = buf_bytes(&log->checkpoint) };
	w->open.entry = buf_bytes(&w->entry[2]);
	w->open.body = buf_bytes(&w->body);
	assert_int_equal(logopen_format(&w->open, &proof), 0);
	wr = wr_to(&log->proofs);
	wr_u32(&wr, (uint32_t)proof.n);
	wr_copy(&wr, proof.p, proof.n);
	assert_int_equal(wr_finish(&wr), 0);
	/* From two leaves, which were pinned: the third. */
	log->consistency = (struct merkle_proof){ .n = 1,
		.hash = { w->leaf[2] } };
	w->s->nkeys = 1;
	w->s->key[0] = (struct answer_key){ .epoch = 1, .kind = ANSWER_WHOLE };
	w->s->nleaves = 0;
	logpin_wipe(&w->pin);
	w->pin = (struct logpin){ .size = 2, .root = two, .origin = "a/log",
		.note = buf_init(NOTE_MAX) };
	note_of(2, &two, &w->pin.note);
}

static void
add_device(struct state *st)
{
	struct chain none = { 0 };
	struct chain_make m = { .op = CHAIN_ADD, .sign = st->sign_pub,
		.box = st->box_pub };
	uint8_t entry[CHAIN_ENTRY_LEN];
	struct fault f = { 0 };

	memcpy(m.account, st->binding.account, ID_LEN);
	memcpy(m.signer, st->device, ID_LEN);
	assert_int_equal(chain_make_entry(&none, &m, st->sign, entry), 0);
	assert_int_equal(state_add_chain(st, 0, bytes_of(entry,
		sizeof(entry)), &f), 0);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *site = NULL;

	if (site_setup(&site) != 0)
		return -1;
	w->site = site;
	w->st = site_ready(w->site);
	w->s = calloc(1, sizeof(*w->s));
	w->body = buf_init(LEAF_BODY_MAX);
	w->key.b[0] = 5;
	for (int i = 0; i < 3; i++)
		w->entry[i] = buf_init(LEAF_MAX);
	w->lc = (struct logcheck){ .st = w->st,
		.peer = &w->st->policy->authorities[0], .wire = &w->wire };
	add_device(w->st);
	assert_int_equal(logcheck_open(&w->lc, &w->f), 0);
	assert_int_equal(logpin_set_key(w->st, &w->key, &w->f), 0);
	make_request(w);
	for (int i = 0; i < 3; i++)
		make_entry(w, i, (uint64_t)time(NULL));
	make_answer(w);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	void *site = w->site;

	for (int i = 0; i < 3; i++)
		buf_wipe(&w->entry[i]);
	buf_wipe(&w->body);
	answer_wipe_session(w->s);
	free(w->s);
	logpin_wipe(&w->pin);
	logcheck_close(&w->lc);
	state_close(w->st);
	free(w);
	return site_teardown(&site);
}

static int
check(struct world *w)
{
	w->f = (struct fault){ 0 };
	return logcheck_session(&w->lc, &w->asked, w->s, &w->f);
}

static void
takes_what_holds(void **state)
{
	struct world *w = *state;
	struct logpin p;

	assert_int_equal(check(w), 0);
	assert_int_equal(logpin_get(w->st, "a/log", &p, &w->f), 0);
	assert_int_equal(p.size, 3);
	assert_int_equal(w->s->nleaves, 0);
	logpin_wipe(&p);
	/* The same tree again needs no proof. */
	logpin_wipe(&w->pin);
	assert_int_equal(logpin_get(w->st, "a/log", &w->pin, &w->f), 0);
	w->s->log.consistency.n = 0;
	assert_int_equal(check(w), 0);
}

static void
leaves_leaf_keys_until_the_log_key_is_known(void **state)
{
	struct world *w = *state;
	struct leaf_log_key other = { { 6 } };

	assert_int_equal(file_remove(w->st->fd, "log.key", &w->f), 0);
	assert_int_equal(check(w), 0);
	assert_int_equal(w->s->nleaves, 1);
	assert_int_equal(logcheck_leaves(w->s, &w->key, "x", &w->f), 0);
	assert_int_equal(logcheck_leaves(w->s, &other, "x", &w->f),
	    FAULT_LOG);
}

/* The last file of evidence, judged by public keys; "" where there is none. */
static void
judged(struct world *w, struct logjudge_evidence *e)
{
	struct buf b defer(buf_wipe) = buf_init(LOGJUDGE_FILE_MAX);
	const char *at = strstr(w->f.text, "the evidence is ");
	struct fault f = { 0 };

	memset(e, 0, sizeof(*e));
	if (at == NULL)
		return;
	assert_int_equal(file_read(AT_FDCWD, at + strlen("the evidence is "),
	    &b, &f), 0);
	if (logjudge_evidence(buf_bytes(&b), &w->lc.key, e, &f) != 0)
		fail_msg("%s", f.text);
}

static void
refuse(struct world *w, const char *why, const char *kind, bool proved)
{
	struct logjudge_evidence e;
	int rc = check(w);

	if (rc != FAULT_LOG || strstr(w->f.text, why) == NULL)
		fail_msg("%s: %d %s", why, rc, w->f.text);
	judged(w, &e);
	assert_string_equal(e.kind, kind);
	assert_int_equal(e.proved, proved);
}

static void
refuses_trees_that_do_not_go_together(void **state)
{
	struct world *w = *state;

	w->s->log.consistency.hash[0].b[0] ^= 1;
	refuse(w, "does not continue", "inconsistent", false);
	make_answer(w);
	w->s->log.consistency.n = 0;
	refuse(w, "does not continue", "inconsistent", false);
	make_answer(w);
	w->pin.size = 4;
	note_of(4, &w->leaf[0], &w->pin.note);
	refuse(w, "rollback", "rollback", false);
	make_answer(w);
	w->pin.size = 3;
	w->pin.root = w->leaf[0];
	note_of(3, &w->leaf[0], &w->pin.note);
	w->s->log.consistency.n = 0;
	refuse(w, "split view", "fork", true);
}

static void
refuses_a_checkpoint_that_is_not_signed(void **state)
{
	struct world *w = *state;
	char log[NOTE_VKEY_MAX + 1], trust[2000], witness[NOTE_VKEY_MAX + 1];
	struct sign_key key;
	struct sign_pub pub;
	struct note_key cosigner;
	struct buf b defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);

	w->s->log.checkpoint.p[w->s->log.checkpoint.n - 10] ^= 1;
	refuse(w, "checkpoint", "", false);
	make_answer(w);
	w->s->log.has = false;
	refuse(w, "says nothing of the log", "", false);
	/* A quorum that is not met. */
	sign_new(&key, &pub);
	assert_int_equal(note_key_make(text("w"), NOTE_COSIGNATURE, &pub,
	    &cosigner), 0);
	assert_int_equal(note_key_format(&cosigner, &b), 0);
	(void)snprintf(witness, sizeof(witness), "%.*s", (int)b.n, b.p);
	site_log(log);
	(void)snprintf(trust, sizeof(trust), "log %s\nwitness w %s\nquorum w\n",
	    log, witness);
	assert_int_equal(logpin_set_trust(w->st, text(trust), &w->f), 0);
	logcheck_close(&w->lc);
	assert_int_equal(logcheck_open(&w->lc, &w->f), 0);
	make_answer(w);
	refuse(w, "signatures that the trust file wants", "", false);
}

static void
refuses_a_release_that_was_not_asked_for(void **state)
{
	struct world *w = *state;
	static const struct {
		size_t at; /* of the body */
		const char *why;
	} lie[] = {
		{ 0, "another space" },
		{ 16, "another space" },
		{ 35, "names an epoch" },
		{ 36, "another device" },
		{ 59, "another request" },
		{ 60, "another request" },
		{ 76, "request altered" },
		{ 108, "request altered" },
		{ 173, "request altered" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lie); i++) {
		w->body.p[lie[i].at] ^= 2;
		make_entry(w, 2, (uint64_t)time(NULL));
		make_answer(w);
		refuse(w, lie[i].why, "release", i > 2);
		w->body.p[lie[i].at] ^= 2;
	}
}

static void
refuses_a_key_without_an_entry(void **state)
{
	struct world *w = *state;

	w->s->nkeys = 2;
	w->s->key[1] = (struct answer_key){ .epoch = 2,
		.kind = ANSWER_SHARE, .index = 1 };
	assert_int_equal(check(w), FAULT_LOG);
	assert_non_null(strstr(w->f.text, "epoch 2 was released without"));
	make_answer(w);
	w->s->log.proofs.n = 0;
	assert_int_equal(check(w), FAULT_LOG);
	/* What another device sealed is no release. */
	w->s->key[0].kind = ANSWER_DEVICE;
	assert_int_equal(check(w), 0);
}

static void
refuses_proofs_that_do_not_hold(void **state)
{
	struct world *w = *state;
	struct leaf_log_key other = { { 6 } };

	/* Another leaf in the tree than the one that is shown. */
	w->leaf[2].b[0] ^= 1;
	make_answer(w);
	refuse(w, "is not in the tree", "inclusion", false);
	merkle_leaf(buf_bytes(&w->entry[2]), &w->leaf[2]);
	/* A body that the entry does not have. */
	w->body.p[60] ^= 1;
	make_answer(w);
	refuse(w, "does not open", "opening", false);
	w->body.p[60] ^= 1;
	/* Under another log key: nobody would find it. */
	w->key = other;
	make_entry(w, 2, (uint64_t)time(NULL));
	make_answer(w);
	refuse(w, "log key", "key", false);
}

static void
names_a_clock_that_is_off(void **state)
{
	struct world *w = *state;

	make_entry(w, 2, (uint64_t)time(NULL) + 86400);
	make_answer(w);
	assert_int_equal(check(w), FAULT_CLOCK);
	assert_non_null(strstr(w->f.text, " s ahead of"));
}

static void
other_answers_show_their_entries(void **state)
{
	struct world *w = *state;

	assert_int_equal(logcheck_answer(&w->lc, &w->s->log, &w->f), 0);
	w->s->log.has = false;
	assert_int_equal(logcheck_answer(&w->lc, &w->s->log, &w->f),
	    FAULT_LOG);
	w->leaf[2].b[0] ^= 1;
	make_answer(w);
	assert_int_equal(logcheck_answer(&w->lc, &w->s->log, &w->f),
	    FAULT_LOG);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest t[] = {
		T(takes_what_holds),
		T(leaves_leaf_keys_until_the_log_key_is_known),
		T(refuses_trees_that_do_not_go_together),
		T(refuses_a_checkpoint_that_is_not_signed),
		T(refuses_a_release_that_was_not_asked_for),
		T(refuses_a_key_without_an_entry),
		T(refuses_proofs_that_do_not_hold),
		T(names_a_clock_that_is_off),
		T(other_answers_show_their_entries),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
