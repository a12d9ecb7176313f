// SPDX-License-Identifier: Apache-2.0
#include "authority/outbox.h"

#include <string.h>

#include "crypt/hash.h"
#include "crypt/secret.h"

static int
keep(struct outbox_item *i, struct bytes entry, struct bytes body)
{
	int rc;

	i->entry = buf_init(LEAF_MAX);
	i->body = buf_init(LEAF_BODY_MAX);
	rc = buf_append(&i->entry, entry.p, entry.n);
	return rc != 0 ? rc : buf_append(&i->body, body.p, body.n);
}

int
outbox_add(struct db *db, const struct outbox_what *what,
    const struct leaf_log_key *log, struct outbox_item *out, struct fault *f)
{
	struct buf entry defer(buf_wipe) = buf_init(LEAF_MAX);
	struct leaf leaf = { .type = what->type, .time = (uint64_t)what->time,
		.open = what->open };
	struct db_leaf row = { .type = what->type, .body = what->body };
	struct outbox_item i = { 0 };
	int rc;

	secret_random(leaf.nonce, sizeof(leaf.nonce));
	leaf_key(log, leaf.nonce, &i.key);
	leaf_blind(&i.key, what->body, &leaf);
	rc = leaf_encode(&leaf, &entry);
	if (rc != 0)
		return fault_set(f, rc, "log entry: %s", fault_text(rc));
	rc = db->leaf_next(db, &row.index, f);
	if (rc != 0)
		return rc;
	memcpy(row.subject, what->subject, ID_LEN);
	row.entry = buf_bytes(&entry);
	rc = db->leaf_add(db, &row, f);
	if (rc != 0)
		return rc;
	i.index = row.index;
	rc = keep(&i, row.entry, what->body);
	if (rc != 0) {
		outbox_wipe(&i);
		return fault_set(f, rc, "log entry");
	}
	*out = i;
	return 0;
}

struct found {
	struct outbox_item *item;
	bool any;
};

static int
on_found(void *arg, const struct db_leaf *l)
{
	struct found *x = arg;

	x->any = true;
	x->item->index = l->index;
	return keep(x->item, l->entry, l->body);
}

int
outbox_find(struct db *db, const struct outbox_what *what,
    const struct leaf_log_key *log, struct outbox_item *out, struct fault *f)
{
	struct db_leaf like = { .type = what->type, .body = what->body };
	struct outbox_item i = { 0 };
	struct found x = { .item = &i };
	struct leaf leaf;
	int rc;

	memcpy(like.subject, what->subject, ID_LEN);
	rc = db->leaf_find(db, &like, what->open, on_found, &x, f);
	if (rc == 0 && !x.any)
		return FAULT_NOT_FOUND;
	if (rc == 0) {
		rc = leaf_decode(buf_bytes(&i.entry), &leaf);
		if (rc != 0)
			rc = fault_set(f, FAULT_INTERNAL, "stored entry");
	}
	if (rc != 0) {
		outbox_wipe(&i);
		return rc;
	}
	leaf_key(log, leaf.nonce, &i.key);
	*out = i;
	return 0;
}

void
outbox_wipe(struct outbox_item *i)
{
	buf_wipe(&i->entry);
	buf_wipe(&i->body);
	explicit_bzero(&i->key, sizeof(i->key));
}

void
outbox_pair(const uint8_t account[static ID_LEN],
    const uint8_t space[static ID_LEN], uint8_t out[static OUTBOX_PAIR_LEN])
{
	memcpy(out, account, ID_LEN);
	memcpy(out + ID_LEN, space, ID_LEN);
}

void
outbox_chain(const uint8_t account[static ID_LEN],
    const uint8_t id[static ID_LEN],
    const uint8_t entry[static CHAIN_ENTRY_LEN],
    uint8_t out[static OUTBOX_CHAIN_LEN])
{
	const struct bytes all = bytes_of(entry, CHAIN_ENTRY_LEN);

	outbox_pair(account, id, out);
	hash_sha256(&all, 1, out + OUTBOX_PAIR_LEN);
}

int
outbox_custody(struct db *db, const uint8_t account[static ID_LEN],
    const struct custody *c, int64_t now, struct outbox_item *out,
    struct fault *f)
{
	uint8_t body[OUTBOX_PAIR_LEN], hash[HASH_LEN];
	struct outbox_what w = { .type = LEAF_CUSTODY, .time = now,
		.open = bytes_of(hash, sizeof(hash)),
		.body = bytes_of(body, sizeof(body)) };
	struct leaf_log_key log;
	int rc = db->log_key_get(db, c->space, &log, f);

	if (rc != 0)
		return rc;
	custody_hash(c, hash);
	outbox_pair(account, c->space, body);
	memcpy(w.subject, c->space, ID_LEN);
	/* A set has one entry, however often it is brought. */
	rc = outbox_find(db, &w, &log, out, f);
	return rc != FAULT_NOT_FOUND ? rc : outbox_add(db, &w, &log, out, f);
}

#define DESK_KEY "desk key"

int
outbox_desk_key(struct db *db, struct leaf_log_key *out, struct fault *f)
{
	int rc = db->own_get(db, DESK_KEY, out->b, sizeof(out->b), f);

	if (rc != FAULT_NOT_FOUND)
		return rc;
	secret_random(out->b, sizeof(out->b));
	return db->own_set(db, DESK_KEY, bytes_of(out->b, sizeof(out->b)), f);
}

int
outbox_demand(struct db *db, const struct demand *d, struct bytes text,
    int64_t now, struct outbox_item *out, struct fault *f)
{
	struct buf open defer(buf_wipe) = buf_init(DEMAND_PUBLIC_MAX);
	struct outbox_what w = { .type = LEAF_REQUEST, .time = now,
		.body = text };
	struct leaf_log_key desk;
	int rc = demand_write(d, &open);

	if (rc != 0)
		return fault_set(f, rc, "request: %s", fault_text(rc));
	w.open = buf_bytes(&open);
	memcpy(w.subject, d->id, ID_LEN);
	rc = outbox_desk_key(db, &desk, f);
	if (rc == 0)
		rc = outbox_add(db, &w, &desk, out, f);
	explicit_bzero(&desk, sizeof(desk));
	return rc;
}
