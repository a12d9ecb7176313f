// SPDX-License-Identifier: Apache-2.0
/* How an epoch begins and ends: /v1/epochs, /v1/epochs/destroy.
 * spec/55-custody.md, Epochs. */
#include <string.h>
#include <time.h>

#include "authority/ledger.h"
#include "authority/ledger_custody.h"
#include "authority/ledger_json.h"
#include "authority/ledger_secret.h"
#include "crypt/hash.h"
#include "net/jsontext.h"

#define GAP_MAX 1000u /* numbers that may be left out */

struct epoch {
	uint8_t space_id[ID_LEN];
	uint32_t epoch, serial; /* serial: of the custody that it is made for */
	json_t *slots; /* of kinds of the custody, new reference */
	struct db_slot recovery; /* epoch 0: there was none */
	uint8_t key[ID_LEN];     /* that it is said to be for */
	bool named;
	struct db_space space;
	struct custody set;
	bool home;
};

static void
epoch_wipe(struct epoch *e)
{
	json_decref(e->slots);
}

static int
read_recovery(const json_t *j, struct epoch *e)
{
	json_t *device = json_object_get(j, "device");

	e->named = device != NULL;
	if (json_object_size(j) != (e->named ? 4 : 3) || e->recovery.n != 0 ||
	    (e->named && ledger_json_id(device, e->key) != 0) ||
	    ledger_json_bytes(json_object_get(j, "blob"), e->recovery.blob,
	        DB_SEALED_LEN) != 0)
		return FAULT_MALFORMED;
	e->recovery.epoch = e->epoch;
	e->recovery.n = DB_SEALED_LEN;
	return 0;
}

static int
read_slots(const json_t *a, struct epoch *e)
{
	json_t *j;
	size_t i;

	e->slots = json_array();
	json_array_foreach (a, i, j) {
		const char *kind = json_string_value(json_object_get(j,
		    "kind"));

		if (json_integer_value(json_object_get(j, "epoch")) !=
		    e->epoch)
			return FAULT_MALFORMED;
		if (kind != NULL && strcmp(kind, "recovery") == 0) {
			if (read_recovery(j, e) != 0)
				return FAULT_MALFORMED;
		} else if (json_array_append(e->slots, j) != 0) {
			return FAULT_MEMORY;
		}
	}
	return json_array_size(e->slots) == 0 ? FAULT_MALFORMED : 0;
}

static int
read_body(const json_t *body, struct epoch *e)
{
	json_t *space, *slots = NULL;
	json_int_t epoch, serial;

	if (json_unpack_ex((json_t *)body, NULL, JSON_STRICT,
	        "{s:o,s:I,s:I,s:o}", "space", &space, "epoch", &epoch,
	        "custody", &serial, "keyslots", &slots) != 0 ||
	    epoch < 1 || epoch > UINT32_MAX || serial < 1 ||
	    serial > UINT32_MAX || !json_is_array(slots) ||
	    ledger_json_id(space, e->space_id) != 0)
		return FAULT_MALFORMED;
	e->epoch = (uint32_t)epoch;
	e->serial = (uint32_t)serial;
	return read_slots(slots, e);
}

/* The space, its custody as it is here, and whether this is the home. */
static int
find(struct ledger *l, const struct ledger_call *c, struct epoch *e,
    struct fault *f)
{
	int rc = ledger_space(l, c, e->space_id, &e->space, f);

	if (rc == 0)
		rc = l->db->custody_get(l->db, e->space_id, &e->set, f);
	if (rc == FAULT_NOT_FOUND)
		rc = fault_set(f, FAULT_CONFLICT, "no custody is known here");
	if (rc == 0)
		e->home = ledger_custody_home(l, &e->set);
	return rc;
}

/* [tlog] The entry that an epoch began or ended; again: that of then. */
static int
log_epoch(struct ledger *l, const struct ledger_call *c,
    const struct epoch *e, enum leaf_type type, bool again, struct fault *f)
{
	uint8_t body[OUTBOX_PAIR_LEN + 4];
	struct outbox_what w = { .type = type, .time = c->now,
		.body = bytes_of(body, sizeof(body)) };
	struct leaf_log_key key;
	int rc = ledger_log_key(l, e->space_id, &key, f);

	if (rc != 0)
		return rc;
	outbox_pair(e->space.account, e->space_id, body);
	for (int i = 0; i < 4; i++)
		body[OUTBOX_PAIR_LEN + i] = (uint8_t)(e->epoch >>
		    (24 - 8 * i));
	memcpy(w.subject, e->space_id, ID_LEN);
	return again ? ledger_log_again(l, c, &w, &key, f) :
		       ledger_log_add(l, c, &w, &key, f);
}

/* [custody] After the latest.  Not always the next: what was begun elsewhere
 * and never here has a number, too.  A holder that came later knows no earlier
 * ones. */
static int
check_new(struct ledger *l, const struct epoch *e, json_t **out,
    struct fault *f)
{
	struct db_slot live[DB_SLOTS_MAX];
	struct db_head head;
	uint32_t last = 0;
	size_t n = 0;
	int rc = l->db->epoch_last(l->db, e->space_id, &last, f);

	if (rc != 0)
		return rc;
	/* Shares of another split, or kinds of another custody, would leave
	 * an epoch that nobody opens. */
	if (e->serial != e->set.serial) {
		*out = json_pack("{s:I}", "epoch", (json_int_t)last);
		return fault_set(f, FAULT_CONFLICT,
		    "the custody has changed meanwhile");
	}
	if (e->epoch <= last || (last != 0 && e->epoch - last > GAP_MAX)) {
		*out = json_pack("{s:I}", "epoch", (json_int_t)last);
		return fault_set(f, FAULT_CONFLICT,
		    "the latest epoch is %u", (unsigned)last);
	}
	if (!e->home)
		return 0;
	rc = l->db->head_get(l->db, e->space_id, &head, f);
	if (rc == 0 && head.number == 0)
		rc = fault_set(f, FAULT_CONFLICT, "the space has no head yet");
	if (rc == 0)
		rc = l->db->slot_list(l->db, e->space_id, DB_RECOVERY, live,
		    &n, f);
	if (rc == 0 && n >= DB_EPOCHS_MAX)
		rc = fault_set(f, FAULT_LIMIT,
		    "epochs: destroy older ones first");
	return rc;
}

/* [custody] Who made it before the code changed would leave an epoch that the
 * code does not open. */
static int
check_recovery(struct ledger *l, const struct epoch *e, json_t **out,
    struct fault *f)
{
	struct buf raw defer(buf_wipe) = buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	struct chain chain defer(chain_wipe) = { 0 };
	const struct chain_device *key;
	uint32_t last = 0;
	int rc;

	if (e->home != (e->recovery.n != 0))
		return fault_set(f, FAULT_DENIED,
		    "keyslots: the recovery one is for the home");
	if (!e->home)
		return 0;
	rc = l->db->chain_get(l->db, e->space.account, 0, &raw, f);
	if (rc == 0 && chain_append_all(&chain, buf_bytes(&raw)) != 0)
		rc = fault_set(f, FAULT_INTERNAL, "stored chain");
	if (rc != 0)
		return rc;
	key = chain_recovery(&chain);
	if (e->named ? key != NULL && memcmp(key->id, e->key, ID_LEN) == 0 :
		       !chain_recovery_changed(&chain))
		return 0;
	rc = l->db->epoch_last(l->db, e->space_id, &last, f);
	if (rc != 0)
		return rc;
	*out = json_pack("{s:I}", "epoch", (json_int_t)last);
	return fault_set(f, FAULT_CONFLICT,
	    "the recovery key has changed meanwhile");
}

static int
add(struct ledger *l, const struct epoch *e,
    const uint8_t request[static DB_HASH_LEN], json_t **out,
    struct fault *f)
{
	struct keymsg_secret under;
	struct db_slot covered;
	int rc = check_new(l, e, out, f);

	if (rc == 0)
		rc = check_recovery(l, e, out, f);
	if (rc == 0)
		rc = ledger_custody_covers(l, &e->space, &e->set, e->epoch,
		    e->slots, f);
	if (rc == 0)
		rc = ledger_secret_for(l, &e->space, e->epoch, &under, f);
	if (rc == 0 && e->home)
		rc = ledger_secret_cover(l, &e->space, DB_RECOVERY,
		    &e->recovery, &covered, f);
	if (rc == 0 && e->home)
		rc = l->db->slot_add(l->db, e->space_id, DB_RECOVERY,
		    &covered, f);
	if (rc == 0)
		rc = ledger_custody_add(l, &e->space, &e->set, e->slots, f);
	if (rc == 0)
		rc = l->db->epoch_add(l->db, e->space_id, e->epoch, request,
		    f);
	return rc;
}

int
ledger_epoch(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	struct epoch e defer(epoch_wipe) = { 0 };
	uint8_t hash[DB_HASH_LEN], before[DB_HASH_LEN];
	int rc = read_body(c->body, &e);

	if (rc != 0)
		return fault_set(f, rc, "epochs: members");
	rc = find(l, c, &e, f);
	if (rc != 0)
		return rc;
	/* [authority] repeated with the same body, the same answer. */
	hash_sha256(&c->q->body, 1, hash);
	rc = l->db->epoch_get(l->db, e.space_id, e.epoch, before, f);
	if (rc == 0 && memcmp(hash, before, sizeof(hash)) != 0)
		rc = FAULT_NOT_FOUND; /* another with its number: too late */
	if (rc == 0)
		rc = log_epoch(l, c, &e, LEAF_EPOCH, true, f);
	else if (rc == FAULT_NOT_FOUND) {
		rc = add(l, &e, hash, out, f);
		if (rc == 0)
			rc = log_epoch(l, c, &e, LEAF_EPOCH, false, f);
	}
	return rc != 0 ? rc : ledger_json_done(json_object(), out);
}

/* [custody] Not that of the head, which would take the space with it.  Only the
 * home knows the head, whatever home an operator's set names: another holder
 * takes the device's word. */
static int
check_end(struct ledger *l, const struct epoch *e, struct fault *f)
{
	struct db_head head;
	uint32_t keep = 0;
	uint64_t number;
	int rc = l->db->head_get(l->db, e->space_id, &head, f);

	if (rc == 0 && head.number == 0 && !e->home)
		return 0;
	if (rc == 0 && head.number != 0)
		rc = head_clear(bytes_of(head.head, HEAD_LEN), &keep, &number);
	else if (rc == 0)
		rc = l->db->epoch_last(l->db, e->space_id, &keep, f);
	if (rc == 0 && e->epoch == keep)
		rc = fault_set(f, FAULT_DENIED, "the epoch is in use");
	return rc;
}

/* [custody] The home ends an epoch that it never had, too: its number is used
 * up, so that whoever has begun it elsewhere cannot go on with it here while
 * the others destroy it. */
static int
end_unknown(struct ledger *l, const struct epoch *e, struct fault *f)
{
	const uint8_t none[DB_HASH_LEN] = { 0 };
	uint32_t last = 0;
	int rc = l->db->epoch_last(l->db, e->space_id, &last, f);

	if (rc == 0 && (!e->home || e->epoch <= last ||
	    e->epoch - last > GAP_MAX))
		rc = fault_set(f, FAULT_NOT_FOUND, "the epoch is not live");
	return rc != 0 ? rc :
			 l->db->epoch_add(l->db, e->space_id, e->epoch, none,
			     f);
}

static int
end(struct ledger *l, const struct epoch *e,
    uint8_t out[static RECEIPT_LEN], struct fault *f)
{
	struct buf blobs defer(buf_wipe) = buf_init(DB_BLOBS_MAX);
	struct keymsg_receipt m = { .r = { .what = RECEIPT_EPOCH,
		.epoch = e->epoch, .time = (int64_t)time(NULL) } };
	struct bytes all;
	int rc = check_end(l, e, f);

	if (rc == 0)
		rc = l->db->epoch_blobs(l->db, e->space_id, e->epoch, &blobs,
		    f);
	if (rc == 0 && blobs.n == 0)
		rc = end_unknown(l, e, f);
	if (rc != 0)
		return rc;
	all = buf_bytes(&blobs);
	memcpy(m.r.space, e->space_id, ID_LEN);
	hash_sha256(&all, 1, m.r.blobs);
	rc = keymsg_receipt(&l->keys, &m, out);
	if (rc != 0)
		return fault_set(f, rc, "receipt: %s", keymsg_text(rc));
	rc = l->db->epoch_drop(l->db, e->space_id, e->epoch, f);
	return rc != 0 ? rc : l->db->receipt_add(l->db, e->space_id, e->epoch,
	    out, f);
}

int
ledger_epoch_destroy(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f)
{
	struct epoch e defer(epoch_wipe) = { 0 };
	uint8_t receipt[RECEIPT_LEN];
	json_int_t epoch;
	json_t *space;
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT, "{s:o,s:I}",
	        "space", &space, "epoch", &epoch) != 0 ||
	    epoch < 1 || epoch > UINT32_MAX ||
	    ledger_json_id(space, e.space_id) != 0)
		return fault_set(f, FAULT_MALFORMED, "epochs: members");
	e.epoch = (uint32_t)epoch;
	rc = find(l, c, &e, f);
	/* [custody] Shares of a move that was broken off go, too. */
	if (rc == FAULT_CONFLICT)
		rc = 0;
	if (rc != 0)
		return rc;
	/* [authority] repeated, the same answer, and the same care. */
	rc = l->db->receipt_get(l->db, e.space_id, e.epoch, receipt, f);
	if (rc == 0)
		rc = log_epoch(l, c, &e, LEAF_SHRED, true, f);
	else if (rc == FAULT_NOT_FOUND) {
		rc = end(l, &e, receipt, f);
		if (rc == 0)
			rc = log_epoch(l, c, &e, LEAF_SHRED, false, f);
	}
	if (rc == 0)
		rc = ledger_secret_doom(l, e.space_id, e.epoch, f);
	return rc != 0 ? rc : ledger_json_done(json_pack("{s:o}", "receipt",
	    jsontext_b64(receipt, sizeof(receipt))), out);
}
