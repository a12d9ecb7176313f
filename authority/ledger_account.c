// SPDX-License-Identifier: Apache-2.0
/* Making and showing an account: /v1/accounts, /v1/account. */
#include <string.h>

#include "authority/keymsg.h"
#include "authority/ledger.h"
#include "authority/ledger_custody.h"
#include "authority/ledger_json.h"
#include "authority/ledger_secret.h"
#include "crypt/hash.h"
#include "crypt/invitation.h"
#include "crypt/secret.h"
#include "net/jsontext.h"
#include "object/chain.h"

#define FIRST 2 /* entries of a new chain: a device, the recovery key */

struct account {
	uint8_t id[ID_LEN];
	uint8_t chain[FIRST * CHAIN_ENTRY_LEN];
	struct db_space space;
	uint8_t authority[KEYSTORE_SEALED_LEN];
	struct db_slot recovery;
	struct custody custody;
	struct leaf_log_key log;
	bool invited;
	struct invitation invitation; /* if invited */
};

static int
read_chain(const json_t *a, uint8_t out[static FIRST * CHAIN_ENTRY_LEN])
{
	if (json_array_size(a) != FIRST)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < FIRST; i++)
		if (ledger_json_bytes(json_array_get(a, i),
		        out + i * CHAIN_ENTRY_LEN, CHAIN_ENTRY_LEN) != 0)
			return FAULT_MALFORMED;
	return 0;
}

static int
read_slot(json_t *j, const char *want, void *out, size_t n)
{
	json_int_t epoch;
	const char *kind;
	json_t *blob;

	if (json_unpack_ex(j, NULL, JSON_STRICT, "{s:I,s:s,s:o}", "epoch",
	        &epoch, "kind", &kind, "blob", &blob) != 0 ||
	    epoch != 1 || strcmp(kind, want) != 0)
		return FAULT_MALFORMED;
	return ledger_json_bytes(blob, out, n);
}

static int
read_name(const json_t *j, char out[static DB_NAME_MAX + 1])
{
	size_t n = json_string_length(j);

	if (!json_is_string(j) || n < 1 || n > DB_NAME_MAX)
		return FAULT_MALFORMED;
	memcpy(out, json_string_value(j), n + 1);
	return 0;
}

static int
read_body(const json_t *body, struct account *out)
{
	json_t *id, *chain, *space, *residency, *depot, *slots, *set, *log;
	json_t *invitation = NULL;
	json_int_t epoch;
	struct account a = { 0 };

	if (json_unpack_ex((json_t *)body, NULL, JSON_STRICT,
	        "{s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:o,s?o}", "account", &id,
	        "chain", &chain, "space", &space, "residency", &residency,
	        "depot", &depot, "keyslots", &slots, "head_epoch", &epoch,
	        "custody", &set, "log_key", &log, "invitation",
	        &invitation) != 0 ||
	    epoch != 1 || json_array_size(slots) != 2)
		return FAULT_MALFORMED;
	if (ledger_json_id(id, a.id) != 0 ||
	    ledger_json_id(space, a.space.id) != 0 ||
	    read_chain(chain, a.chain) != 0 ||
	    read_name(residency, a.space.residency) != 0 ||
	    read_name(depot, a.space.depot) != 0)
		return FAULT_MALFORMED;
	if (read_slot(json_array_get(slots, 0), "authority", a.authority,
	        sizeof(a.authority)) != 0 ||
	    read_slot(json_array_get(slots, 1), "recovery", a.recovery.blob,
	        DB_SEALED_LEN) != 0)
		return FAULT_MALFORMED;
	a.recovery.n = DB_SEALED_LEN;
	if (ledger_custody_read(set, &a.custody) != 0 ||
	    ledger_json_bytes(log, a.log.b, sizeof(a.log.b)) != 0)
		return FAULT_MALFORMED;
	a.invited = invitation != NULL;
	if (a.invited && ledger_json_bytes(invitation, a.invitation.b,
	        sizeof(a.invitation.b)) != 0)
		return FAULT_MALFORMED;
	a.recovery.epoch = 1;
	memcpy(a.space.account, a.id, ID_LEN);
	*out = a;
	return 0;
}

int
ledger_account_sender(const json_t *body, struct db_device *out)
{
	struct chain chain defer(chain_wipe) = { 0 };
	uint8_t entry[FIRST * CHAIN_ENTRY_LEN];
	struct db_device d = { .live = true };
	int rc = read_chain(json_object_get(body, "chain"), entry);

	if (rc == 0)
		rc = chain_append(&chain, bytes_of(entry, CHAIN_ENTRY_LEN));
	if (rc != 0)
		return rc;
	memcpy(d.id, chain.device[0].id, ID_LEN);
	memcpy(d.account, chain.account, ID_LEN);
	d.sign = chain.device[0].sign;
	d.box = chain.device[0].box;
	*out = d;
	return 0;
}

/* [authority] One answer to all that is no good; the use is undone with the
 * rest of a request that fails. */
static int
admit(struct ledger *l, const struct ledger_call *c, const struct account *a,
    struct fault *f)
{
	uint8_t hash[DB_HASH_LEN];
	int rc;

	if (!l->by_invitation)
		return 0;
	if (!a->invited)
		return fault_set(f, FAULT_DENIED, "an account is made here by "
		    "invitation only: --invitation is needed");
	invitation_hash(&a->invitation, hash);
	rc = l->db->invitation_use(l->db, hash, c->now, f);
	return rc != FAULT_NOT_FOUND ? rc : fault_set(f, FAULT_DENIED,
	    "the invitation is not good here, or is no longer");
}

/* [authority] only in a residency that is served here, at a depot of it. */
static int
check_policy(const struct ledger *l, const struct account *a, struct fault *f)
{
	const struct policy_residency *r = policy_find_residency(l->policy,
	    a->space.residency);

	if (r == NULL || !ledger_serves(l, r))
		return fault_set(f, FAULT_DENIED,
		    "the residency is not served here");
	if (!policy_allows(r, a->space.depot))
		return fault_set(f, FAULT_DENIED,
		    "the residency does not allow the depot");
	return 0;
}

static int
check_chain(const struct account *a, struct chain *chain, struct fault *f)
{
	int rc = chain_append_all(chain, bytes_of(a->chain, sizeof(a->chain)));

	if (rc != 0)
		return fault_set(f, rc, "chain: %s", fault_text(rc));
	if (memcmp(chain->account, a->id, ID_LEN) != 0 ||
	    chain->devices != FIRST || chain->device[0].recovery ||
	    !chain->device[1].recovery)
		return fault_set(f, FAULT_MALFORMED,
		    "chain: a device and its recovery key are wanted");
	return 0;
}

static int
add_devices(struct ledger *l, const struct account *a,
    const struct chain *chain, struct fault *f)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < FIRST; i++) {
		struct db_device d = { .sign = chain->device[i].sign,
			.box = chain->device[i].box,
			.recovery = chain->device[i].recovery, .live = true };

		memcpy(d.id, chain->device[i].id, ID_LEN);
		memcpy(d.account, a->id, ID_LEN);
		rc = l->db->chain_add(l->db, a->id, i,
		    a->chain + i * CHAIN_ENTRY_LEN, f);
		if (rc == 0)
			rc = l->db->device_add(l->db, &d, f);
	}
	return rc;
}

/* [custody] Serial 1: standard, here, signed by the first device. */
static int
add_custody(struct ledger *l, const struct ledger_call *c,
    const struct account *a, struct fault *f)
{
	const struct custody *s = &a->custody;
	int rc = ledger_custody_signed(l, c, s, f);

	if (rc != 0)
		return rc;
	if (s->mode != CUSTODY_STANDARD || s->epoch != 1 ||
	    custody_follows(NULL, s, a->space.id) != 0 ||
	    !ledger_custody_home(l, s) ||
	    strcmp(s->holder[0].jurisdiction, l->jurisdiction) != 0)
		return fault_set(f, FAULT_DENIED,
		    "custody: not that of a new space here");
	return l->db->custody_add(l->db, s, false, f);
}

/* [authority] the keys role wraps the space key before anything is stored. */
static int
add_space(struct ledger *l, const struct account *a,
    const uint8_t request[static DB_HASH_LEN], struct fault *f)
{
	struct db_space space = a->space;
	struct db_slot slot = { .epoch = 1, .n = WRAP_LEN }, recovery;
	struct keymsg_admit m = { .of.epoch = 1 };
	int rc;

	secret_random(space.prefix, ID_LEN);
	/* First, so that a space that is taken is not looked into. */
	rc = l->db->space_add(l->db, &space, f);
	if (rc == 0)
		rc = ledger_secret_for(l, &space, 1, &m.under, f);
	if (rc == 0)
		rc = ledger_secret_cover(l, &space, DB_RECOVERY, &a->recovery,
		    &recovery, f);
	if (rc != 0)
		return rc;
	memcpy(m.of.account, a->id, ID_LEN);
	memcpy(m.of.space, space.id, ID_LEN);
	memcpy(m.blob, a->authority, sizeof(m.blob));
	rc = keymsg_admit(&l->keys, &m, slot.blob);
	if (rc != 0)
		return fault_set(f, rc, "keyslot: %s", keymsg_text(rc));
	rc = l->db->slot_add(l->db, space.id, DB_AUTHORITY, &slot, f);
	if (rc == 0)
		rc = l->db->log_key_add(l->db, space.id, &a->log, f);
	if (rc == 0)
		rc = l->db->slot_add(l->db, space.id, DB_RECOVERY, &recovery,
		    f);
	if (rc == 0)
		rc = l->db->epoch_add(l->db, space.id, 1, request, f);
	return rc;
}

/* Its enrolment, and its first custody set; of one that is made again, the
 * entries of then. */
static int
log_account(struct ledger *l, const struct ledger_call *c,
    const struct account *a, bool again, struct fault *f)
{
	uint8_t body[OUTBOX_CHAIN_LEN];
	struct outbox_what w = { .type = LEAF_ENROLMENT, .time = c->now,
		.body = bytes_of(body, sizeof(body)) };
	struct outbox_item set;
	int rc;

	memcpy(w.subject, a->id, ID_LEN);
	outbox_chain(a->id, a->space.id, a->chain, body);
	rc = again ? ledger_log_again(l, c, &w, &a->log, f) :
	             ledger_log_add(l, c, &w, &a->log, f);
	if (rc == 0)
		rc = outbox_custody(l->db, a->id, &a->custody, c->now, &set,
		    f);
	return rc != 0 ? rc : ledger_log_item(c, &set, f);
}

int
ledger_account_create(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f)
{
	struct chain chain defer(chain_wipe) = { 0 };
	uint8_t hash[DB_HASH_LEN], before[DB_HASH_LEN];
	struct account a;
	int rc = read_body(c->body, &a);

	if (rc != 0)
		return fault_set(f, rc, "account: %s", fault_text(rc));

	/* [authority] repeated with the same body, the same answer. */
	hash_sha256(&c->q->body, 1, hash);
	rc = l->db->account_get(l->db, a.id, before, f);
	if (rc == 0 && memcmp(hash, before, sizeof(hash)) == 0) {
		rc = log_account(l, c, &a, true, f);
		return rc != 0 ? rc : ledger_json_done(json_object(), out);
	}
	if (rc == 0)
		return fault_set(f, FAULT_EXISTS, "the account is there");
	if (rc != FAULT_NOT_FOUND)
		return rc;

	rc = admit(l, c, &a, f);
	if (rc == 0)
		rc = check_policy(l, &a, f);
	if (rc == 0)
		rc = check_chain(&a, &chain, f);
	if (rc == 0)
		rc = l->db->account_add(l->db, a.id, hash, f);
	if (rc == 0)
		rc = add_devices(l, &a, &chain, f);
	if (rc == 0)
		rc = add_space(l, &a, hash, f);
	if (rc == 0)
		rc = add_custody(l, c, &a, f);
	if (rc == 0)
		rc = log_account(l, c, &a, false, f);
	if (rc != 0)
		return rc;
	return ledger_json_done(json_object(), out);
}

static json_t *
spaces_json(const struct db_space *s, size_t n)
{
	json_t *a defer(ledger_json_freep) = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(a, json_pack("{s:o,s:s,s:s}",
		        "space", jsontext_id(s[i].id), "residency",
		        s[i].residency, "depot", s[i].depot)) != 0)
			return NULL;
	return take(a);
}

int
ledger_account_list(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f)
{
	struct buf chain defer(buf_wipe) =
	    buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	struct db_space space[DB_SPACES_MAX];
	uint8_t device[ID_LEN];
	json_int_t seen;
	json_t *id;
	size_t n = 0;
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT, "{s:o,s:I}",
	        "device", &id, "chain_seen", &seen) != 0 ||
	    ledger_json_id(id, device) != 0 || seen < 0 || seen > UINT32_MAX)
		return fault_set(f, FAULT_MALFORMED, "account: members");
	if (memcmp(device, c->sender.id, ID_LEN) != 0)
		return fault_set(f, FAULT_DENIED, "another device");
	rc = l->db->chain_get(l->db, c->sender.account, (uint32_t)seen,
	    &chain, f);
	if (rc == 0)
		rc = l->db->space_list(l->db, c->sender.account, space, &n, f);
	if (rc != 0)
		return rc;
	return ledger_json_done(json_pack("{s:o,s:o,s:o}", "account",
	    jsontext_id(c->sender.account), "chain",
	    ledger_json_list(buf_bytes(&chain), CHAIN_ENTRY_LEN), "spaces",
	    spaces_json(space, n)), out);
}
