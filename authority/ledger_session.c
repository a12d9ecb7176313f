// SPDX-License-Identifier: Apache-2.0
/* What a device needs to begin: spec/50-authority.md, Session answer. */
#include <string.h>

#include "authority/keymsg.h"
#include "authority/ledger.h"
#include "authority/ledger_custody.h"
#include "authority/ledger_json.h"
#include "authority/ledger_secret.h"
#include "net/jsontext.h"

struct session {
	uint8_t account[ID_LEN], space[ID_LEN];
	uint32_t seen;
	uint32_t custody_seen;
	uint64_t log_seen;
};

static int
read_body(const json_t *body, struct session *out)
{
	json_t *account, *space;
	json_int_t seen, custody, log;
	const char *reason;
	struct session s;

	if (json_unpack_ex((json_t *)body, NULL, JSON_STRICT,
	        "{s:o,s:o,s:I,s:I,s:I,s:s}", "account", &account, "space",
	        &space, "chain_seen", &seen, "custody_seen", &custody,
	        "log_seen", &log, "reason", &reason) != 0 ||
	    log < 0 ||
	    seen < 0 || seen > UINT32_MAX || custody < 0 ||
	    custody > UINT32_MAX || strcmp(reason, "user") != 0)
		return FAULT_MALFORMED;
	if (ledger_json_id(account, s.account) != 0 ||
	    ledger_json_id(space, s.space) != 0)
		return FAULT_MALFORMED;
	s.seen = (uint32_t)seen;
	s.custody_seen = (uint32_t)custody;
	s.log_seen = (uint64_t)log;
	*out = s;
	return 0;
}

/* [tlog] Its entry is made now; the key itself comes once that is shown. */
static int
release(struct ledger *l, const struct ledger_call *c,
    const struct db_space *s, const struct db_share *k, json_t *to,
    struct fault *f)
{
	struct keymsg_release m = { .of.epoch = k->epoch,
		.of.index = k->index, .sign = c->sender.sign,
		.box = c->sender.box };
	json_t *j = json_pack("{s:I,s:s,s:n}", "epoch", (json_int_t)k->epoch,
	    "kind", k->index != 0 ? "share" : "authority", "sealed");
	int rc;

	memcpy(m.of.account, s->account, ID_LEN);
	memcpy(m.of.space, s->id, ID_LEN);
	memcpy(m.wrapped, k->blob, WRAP_LEN);
	if (k->index != 0 && j != NULL)
		(void)json_object_set_new(j, "index", json_integer(k->index));
	if (json_array_append_new(to, j) != 0)
		return fault_set(f, FAULT_MEMORY, "release");
	rc = ledger_secret_get(l, s->id, k->epoch, &m.under, f);
	if (rc == 0)
		rc = ledger_log_release(l, c, &m, j, f);
	explicit_bzero(&m, sizeof(m));
	return rc;
}

static int
shares_of(struct ledger *l, const struct ledger_call *c,
    const struct db_space *s, uint32_t serial, json_t *to, struct fault *f)
{
	struct db_share share[DB_SLOTS_MAX];
	struct custody set;
	bool known;
	size_t n = 0;
	int rc = l->db->custody_get(l->db, s->id, &set, f);

	/* A set that was not confirmed here may be in force at home. */
	if (rc == 0 && (serial == 0 || ledger_custody_home(l, &set)))
		serial = set.serial;
	known = rc == 0 && serial == set.serial;
	if (rc == FAULT_NOT_FOUND)
		rc = 0;
	if (rc == 0)
		rc = l->db->share_list(l->db, &(struct db_share_of){
		    .space = s->id, .serial = serial,
		    .in_force = known ? &set : NULL }, share, &n, f);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = release(l, c, s, &share[i], to, f);
	return rc;
}

static int
device_slots_of(struct ledger *l, const struct ledger_call *c,
    const struct db_space *s, json_t *to, struct fault *f)
{
	struct db_device_slot slot[DB_SLOTS_MAX];
	size_t n = 0;
	int rc = l->db->device_slot_list(l->db, s->id, c->sender.id, slot, &n,
	    f);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct db_slot own = { .epoch = slot[i].epoch,
			.n = slot[i].n };

		memcpy(own.blob, slot[i].blob, own.n);
		rc = ledger_secret_uncover(l, s, DB_DEVICE, &own, &own, f);
		if (rc != 0)
			return rc;
		if (json_array_append_new(to, json_pack("{s:I,s:s,s:o}",
		        "epoch", (json_int_t)own.epoch, "kind", "device",
		        "sealed", jsontext_b64(own.blob, own.n))) != 0)
			rc = fault_set(f, FAULT_MEMORY, "keyslots");
	}
	return rc;
}

/* Every live epoch's, by whatever keyslots there are: kept wrapped, sealed anew
 * each time; a device's own as it is. */
static int
keys_of(struct ledger *l, const struct ledger_call *c,
    const struct db_space *s, uint32_t serial, json_t **out,
    struct fault *f)
{
	json_t *a defer(ledger_json_freep) = json_array();
	struct db_slot slot[DB_SLOTS_MAX];
	size_t n = 0;
	int rc = l->db->slot_list(l->db, s->id, DB_AUTHORITY, slot, &n, f);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct db_share whole = { .epoch = slot[i].epoch };

		if (slot[i].n != WRAP_LEN)
			return fault_set(f, FAULT_INTERNAL, "keyslot");
		memcpy(whole.blob, slot[i].blob, WRAP_LEN);
		rc = release(l, c, s, &whole, a, f);
	}
	if (rc == 0)
		rc = shares_of(l, c, s, serial, a, f);
	if (rc == 0)
		rc = device_slots_of(l, c, s, a, f);
	if (rc == 0)
		*out = take(a);
	return rc;
}

/* [authority] only for a depot that the space's residency allows now.  The
 * capability comes with the keys. */
static int
depot_of(struct ledger *l, const struct ledger_call *c,
    const struct db_space *s, json_t **out, struct fault *f)
{
	const struct policy_residency *r = policy_find_residency(l->policy,
	    s->residency);
	struct keymsg_capability m = { .now = c->now };
	json_t *j;

	if (r == NULL || !ledger_serves(l, r) || !policy_allows(r, s->depot))
		return fault_set(f, FAULT_DENIED,
		    "the policy does not allow the space's depot");
	memcpy(m.depot, s->depot, sizeof(s->depot));
	memcpy(m.prefix, s->prefix, ID_LEN);
	j = json_pack("{s:s,s:o}", "name", s->depot, "prefix",
	    jsontext_id(s->prefix));
	c->box->depot = json_incref(j);
	c->box->capability = m;
	return ledger_json_done(j, out);
}

int
ledger_session(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	struct buf chain defer(buf_wipe) =
	    buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	json_t *keys defer(ledger_json_freep) = NULL;
	json_t *depot defer(ledger_json_freep) = NULL;
	json_t *custody defer(ledger_json_freep) = NULL;
	struct session s;
	struct db_space space;
	struct db_head head;
	size_t seen;
	int rc = read_body(c->body, &s);

	if (rc != 0)
		return fault_set(f, rc, "session: %s", fault_text(rc));
	c->box->seen = s.log_seen;
	rc = ledger_space(l, c, s.space, &space, f);
	if (rc == 0 && memcmp(s.account, c->sender.account, ID_LEN) != 0)
		rc = fault_set(f, FAULT_DENIED, "another account");
	if (rc == 0)
		rc = l->db->chain_get(l->db, s.account, 0, &chain, f);
	if (rc == 0)
		rc = l->db->head_get(l->db, s.space, &head, f);
	if (rc == 0)
		rc = depot_of(l, c, &space, &depot, f);
	if (rc == 0)
		rc = ledger_custody_json(l, s.space, s.custody_seen,
		    &custody, f);
	if (rc == 0)
		rc = keys_of(l, c, &space, s.custody_seen, &keys, f);
	if (rc != 0)
		return rc;
	seen = (size_t)s.seen * CHAIN_ENTRY_LEN;
	if (seen > chain.n)
		seen = chain.n;
	return ledger_json_done(json_pack(
	    "{s:I,s:o,s:I,s:O,s:I,s:o,s:O,s:O}", "now", (json_int_t)c->now,
	    "chain", ledger_json_list(bytes_of(chain.p + seen, chain.n - seen),
	        CHAIN_ENTRY_LEN),
	    "chain_length", (json_int_t)(chain.n / CHAIN_ENTRY_LEN), "keys",
	    keys, "lease", (json_int_t)l->lease, "head",
	    ledger_head_json(&head), "depot", depot, "custody", custody),
	    out);
}
