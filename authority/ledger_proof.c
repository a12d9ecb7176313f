// SPDX-License-Identifier: Apache-2.0
/* Entries that a handler makes, and what waits until they are shown.
 * spec/60-log.md, Order. */
#include <stdlib.h>
#include <string.h>

#include "authority/keymsg.h"
#include "authority/ledger.h"
#include "authority/ledger_json.h"
#include "base/wr.h"
#include "crypt/hash.h"

/* Where an entry has them: spec/15-devices.md. */
#define ENTRY_OP 1
#define ENTRY_DEVICE 56

int
ledger_log_key(struct ledger *l, const uint8_t space[static ID_LEN],
    struct leaf_log_key *out, struct fault *f)
{
	int rc = l->db->log_key_get(l->db, space, out, f);

	return rc != FAULT_NOT_FOUND ? rc : fault_set(f, FAULT_VERSION,
	    "the space is from before the log; it has no log key here");
}

int
ledger_log_item(const struct ledger_call *c, struct outbox_item *item,
    struct fault *f)
{
	struct ledger_outbox *b = c->box;
	struct outbox_item *more = reallocarray(b->item, b->items + 1,
	    sizeof(*more));

	if (more == NULL) {
		outbox_wipe(item);
		return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	b->item = more;
	b->item[b->items++] = *item;
	return 0;
}

int
ledger_log_add(struct ledger *l, const struct ledger_call *c,
    const struct outbox_what *what, const struct leaf_log_key *key,
    struct fault *f)
{
	struct outbox_item i;
	int rc = outbox_add(l->db, what, key, &i, f);

	return rc != 0 ? rc : ledger_log_item(c, &i, f);
}

int
ledger_log_again(struct ledger *l, const struct ledger_call *c,
    const struct outbox_what *what, const struct leaf_log_key *key,
    struct fault *f)
{
	struct outbox_item i;
	int rc = outbox_find(l->db, what, key, &i, f);

	if (rc == FAULT_NOT_FOUND)
		return 0;
	return rc != 0 ? rc : ledger_log_item(c, &i, f);
}

/* The log key of the account's own entries. */
static int
account_key(struct ledger *l, const struct ledger_call *c,
    struct leaf_log_key *out, struct fault *f)
{
	uint8_t space[ID_LEN];
	int rc = l->db->space_first(l->db, c->sender.account, space, f);

	if (rc == FAULT_NOT_FOUND)
		return fault_set(f, FAULT_VERSION,
		    "the account is from before the log");
	return rc != 0 ? rc : ledger_log_key(l, space, out, f);
}

static void
chain_what(const struct ledger_call *c,
    const uint8_t entry[static CHAIN_ENTRY_LEN],
    uint8_t body[static OUTBOX_CHAIN_LEN], struct outbox_what *out)
{
	*out = (struct outbox_what){ .time = c->now,
		.type = entry[ENTRY_OP] == CHAIN_REVOKE ?
		    LEAF_DEVICE_REVOKED : LEAF_DEVICE_ADDED,
		.body = bytes_of(body, OUTBOX_CHAIN_LEN) };
	memcpy(out->subject, c->sender.account, ID_LEN);
	outbox_chain(c->sender.account, entry + ENTRY_DEVICE, entry, body);
}

int
ledger_log_chain(struct ledger *l, const struct ledger_call *c,
    struct bytes chain, size_t first, struct fault *f)
{
	uint8_t body[OUTBOX_CHAIN_LEN];
	struct outbox_what w;
	struct leaf_log_key key;
	int rc = account_key(l, c, &key, f);

	for (size_t i = first; rc == 0 && i < chain.n / CHAIN_ENTRY_LEN; i++) {
		chain_what(c, chain.p + i * CHAIN_ENTRY_LEN, body, &w);
		rc = ledger_log_add(l, c, &w, &key, f);
	}
	return rc;
}

int
ledger_log_chain_again(struct ledger *l, const struct ledger_call *c,
    const uint8_t entry[static CHAIN_ENTRY_LEN], struct fault *f)
{
	uint8_t body[OUTBOX_CHAIN_LEN];
	struct outbox_what w;
	struct leaf_log_key key;
	int rc = account_key(l, c, &key, f);

	if (rc != 0)
		return rc;
	chain_what(c, entry, body, &w);
	return ledger_log_again(l, c, &w, &key, f);
}

/* The body of a release's entry: the same that keys make of m. */
static int
release_body(const struct ledger *l, const struct ledger_call *c,
    const struct keymsg_release *m, struct buf *out)
{
	struct body_release b = { .epoch = m->of.epoch,
		.created = m->created };
	size_t n = strlen(l->host);

	if (n > BODY_HOST_MAX)
		return FAULT_LIMIT;
	memcpy(b.account, m->of.account, ID_LEN);
	memcpy(b.space, m->of.space, ID_LEN);
	memcpy(b.device, c->sender.id, ID_LEN);
	memcpy(b.nonce, m->nonce, sizeof(b.nonce));
	memcpy(b.digest, m->digest, sizeof(b.digest));
	memcpy(b.signature, m->signature, sizeof(b.signature));
	memcpy(b.host, l->host, n + 1);
	return body_release_write(&b, out);
}

int
ledger_log_release(struct ledger *l, const struct ledger_call *c,
    struct keymsg_release *m, json_t *to, struct fault *f)
{
	static const uint8_t reason = 1; /* the user's own device */
	struct buf body defer(buf_wipe) = buf_init(LEAF_BODY_MAX);
	struct ledger_outbox *b = c->box;
	struct outbox_what w = { .type = LEAF_RELEASE, .time = c->now,
		.open = bytes_of(&reason, 1) };
	struct ledger_release *more;
	struct leaf_log_key key;
	int rc = ledger_log_key(l, m->of.space, &key, f);

	if (rc != 0)
		return rc;
	m->created = (uint64_t)c->sig.created;
	memcpy(m->nonce, c->sig.nonce, sizeof(m->nonce));
	rc = httpsig_digest_parse(c->q->sig.digest, m->digest);
	if (rc == 0)
		rc = httpsig_signature_parse(c->q->sig.signature,
		    m->signature);
	if (rc == 0)
		rc = release_body(l, c, m, &body);
	if (rc != 0)
		return fault_set(f, rc, "release: %s", fault_text(rc));
	memcpy(w.subject, m->of.space, ID_LEN);
	w.body = buf_bytes(&body);
	more = reallocarray(b->release, b->releases + 1, sizeof(*more));
	if (more == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	b->release = more;
	rc = ledger_log_add(l, c, &w, &key, f);
	if (rc == 0)
		b->release[b->releases++] = (struct ledger_release){
			.item = b->items - 1, .m = *m, .to = json_incref(to) };
	return rc;
}

void
ledger_outbox_wipe(struct ledger_outbox *b)
{
	for (size_t i = 0; i < b->items; i++)
		outbox_wipe(&b->item[i]);
	for (size_t i = 0; i < b->releases; i++)
		json_decref(b->release[i].to);
	free(b->item);
	free(b->release);
	json_decref(b->depot);
	*b = (struct ledger_outbox){ 0 };
}

#define POLICY_LOGGED "policy logged"
#define POLICY_OPEN_LEN (8 + 32)

static int
log_policy(struct ledger *l, struct bytes file, int64_t now, struct fault *f)
{
	struct buf open defer(buf_wipe) = buf_init(POLICY_OPEN_LEN);
	uint8_t before[POLICY_OPEN_LEN], hash[32];
	struct outbox_what what = { .type = LEAF_POLICY, .time = now };
	struct wr w = wr_to(&open);
	struct leaf_log_key key;
	struct outbox_item i;
	int rc;

	hash_sha256(&file, 1, hash);
	wr_u64(&w, l->policy->serial);
	wr_copy(&w, hash, sizeof(hash));
	rc = wr_finish(&w);
	if (rc != 0)
		return fault_set(f, rc, "policy");
	rc = l->db->own_get(l->db, POLICY_LOGGED, before, sizeof(before), f);
	if (rc == 0 && memcmp(before, open.p, sizeof(before)) == 0)
		return 0;
	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return rc;
	what.open = buf_bytes(&open);
	rc = outbox_desk_key(l->db, &key, f);
	if (rc == 0)
		rc = outbox_add(l->db, &what, &key, &i, f);
	if (rc != 0)
		return rc;
	outbox_wipe(&i);
	return l->db->own_set(l->db, POLICY_LOGGED, buf_bytes(&open), f);
}

int
ledger_log_policy(struct ledger *l, struct bytes file, int64_t now,
    struct fault *f)
{
	int rc = l->db->begin(l->db, f);

	if (rc == 0)
		rc = log_policy(l, file, now, f);
	if (rc == 0)
		return l->db->commit(l->db, f);
	l->db->abort(l->db);
	return rc;
}
