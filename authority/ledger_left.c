// SPDX-License-Identifier: Apache-2.0
/* The keyslots of a custody that is left are destroyed, and receipts of kind 2
 * say so: spec/55-custody.md, Moving. */
#include "authority/ledger_left.h"

#include <string.h>
#include <time.h>

#include "authority/keymsg.h"
#include "authority/ledger_json.h"
#include "authority/ledger_secret.h"
#include "base/rd.h"
#include "crypt/hash.h"
#include "net/jsontext.h"

#define BODY_LEN (OUTBOX_PAIR_LEN + 4 + HASH_LEN)

/* The epochs of which there was something, with the hash of it. */
struct gone {
	size_t n;
	struct {
		uint32_t epoch;
		uint8_t hash[HASH_LEN];
	} of[DB_LEFT_MAX];
	struct hash *h; /* of the last one, while blobs of it come */
};

static void
gone_wipe(struct gone *g)
{
	hash_free(g->h);
}

static void
gone_end(struct gone *g)
{
	if (g->h != NULL)
		hash_final(g->h, g->of[g->n - 1].hash);
	hash_free(g->h);
	g->h = NULL;
}

static int
on_blob(void *arg, uint32_t epoch, struct bytes blob)
{
	struct gone *g = arg;

	if (g->h == NULL || g->of[g->n - 1].epoch != epoch) {
		gone_end(g);
		if (g->n == ARRAY_LEN(g->of))
			return FAULT_LIMIT;
		g->h = hash_new();
		if (g->h == NULL)
			return FAULT_MEMORY;
		g->of[g->n++].epoch = epoch;
	}
	hash_update(g->h, blob.p, blob.n);
	return 0;
}

static int
add_receipt(struct ledger *l, const struct custody *set, uint32_t epoch,
    const uint8_t hash[static HASH_LEN], struct fault *f)
{
	struct keymsg_receipt m = { .r = { .what = RECEIPT_CUSTODY,
		.epoch = epoch, .time = (int64_t)time(NULL) } };
	uint8_t raw[RECEIPT_LEN];
	int rc;

	memcpy(m.r.space, set->space, ID_LEN);
	memcpy(m.r.blobs, hash, HASH_LEN);
	rc = keymsg_receipt(&l->keys, &m, raw);
	if (rc != 0)
		return fault_set(f, rc, "receipt: %s", keymsg_text(rc));
	return l->db->left_add(l->db, set, epoch, raw, f);
}

int
ledger_left_end(struct ledger *l, const struct custody *set,
    struct fault *f)
{
	struct gone g defer(gone_wipe) = { 0 };
	int rc = l->db->left_each(l->db, set, on_blob, &g, f);

	gone_end(&g);
	for (size_t i = 0; rc == 0 && i < g.n; i++)
		rc = add_receipt(l, set, g.of[i].epoch, g.of[i].hash, f);
	if (rc == 0)
		rc = l->db->left_drop(l->db, set, f);
	return rc;
}

static uint32_t
epoch_of(const uint8_t raw[static RECEIPT_LEN])
{
	struct rd r = rd_from(raw + RECEIPT_EPOCH_AT, 4);

	return rd_u32(&r);
}

/* [tlog] One entry for each, however often it is asked for. */
static int
log_receipt(struct ledger *l, const struct ledger_call *c,
    const struct db_space *space, const uint8_t raw[static RECEIPT_LEN],
    struct fault *f)
{
	const struct bytes all = bytes_of(raw, RECEIPT_LEN);
	uint8_t body[BODY_LEN];
	struct outbox_what w = { .type = LEAF_SHRED, .time = c->now,
		.body = bytes_of(body, sizeof(body)) };
	struct leaf_log_key key;
	struct outbox_item i;
	int rc = ledger_log_key(l, space->id, &key, f);

	if (rc != 0)
		return rc;
	outbox_pair(space->account, space->id, body);
	memcpy(body + OUTBOX_PAIR_LEN, raw + RECEIPT_EPOCH_AT, 4);
	hash_sha256(&all, 1, body + OUTBOX_PAIR_LEN + 4);
	memcpy(w.subject, space->id, ID_LEN);
	rc = outbox_find(l->db, &w, &key, &i, f);
	if (rc == FAULT_NOT_FOUND)
		rc = outbox_add(l->db, &w, &key, &i, f);
	return rc != 0 ? rc : ledger_log_item(c, &i, f);
}

int
ledger_left_tell(struct ledger *l, const struct ledger_call *c,
    const struct db_space *space, const struct custody *set, json_t **out,
    struct fault *f)
{
	json_t *a defer(ledger_json_freep) = json_array();
	uint8_t raw[DB_LEFT_MAX][RECEIPT_LEN];
	size_t n = 0;
	int rc = l->db->left_list(l->db, set, raw, &n, f);

	/* [authority] repeated, the same answer, and the same care. */
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = ledger_secret_doom(l, set->space, epoch_of(raw[i]), f);
		if (rc == 0)
			rc = log_receipt(l, c, space, raw[i], f);
		if (json_array_append_new(a, jsontext_b64(raw[i],
		    RECEIPT_LEN)) != 0)
			return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	if (rc == 0)
		*out = take(a);
	return rc;
}
