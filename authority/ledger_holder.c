// SPDX-License-Identifier: Apache-2.0
/* A space whose home is elsewhere, made known to one more holder:
 * /v1/holders.  spec/55-custody.md. */
#include <string.h>

#include "authority/ledger.h"
#include "authority/ledger_custody.h"
#include "authority/ledger_json.h"
#include "net/capability.h"

/* Where an entry has it: spec/15-devices.md. */
#define ENTRY_ACCOUNT 40

struct holder {
	uint8_t device[ID_LEN];
	struct buf chain; /* as it was sent; then all of it that is known */
	uint32_t from;    /* of the first that was sent */
	bool in_part, more;
	struct db_device sender; /* of a part: its keys */
	struct db_space space;
	const char *capability;
	struct custody set;
	struct leaf_log_key log;
	bool has_log;
};

static void
wipe_holder(struct holder *h)
{
	buf_wipe(&h->chain);
}

static int
read_chain(const json_t *a, struct buf *out)
{
	const json_t *v;
	size_t i;
	int rc = 0;

	if (!json_is_array(a) || json_array_size(a) > CHAIN_MAX)
		return FAULT_MALFORMED;
	json_array_foreach (a, i, v) {
		uint8_t entry[CHAIN_ENTRY_LEN];

		if (rc == 0)
			rc = ledger_json_bytes(v, entry, sizeof(entry));
		if (rc == 0)
			rc = buf_append(out, entry, sizeof(entry));
	}
	return rc;
}

/* [custody] Who sends the chain in parts may come later in it. */
static int
read_part(const json_t *j, struct holder *out)
{
	struct db_device *d = &out->sender;
	json_int_t from;
	json_t *ed, *box;
	int more;

	if (json_unpack_ex((json_t *)j, NULL, JSON_STRICT,
	        "{s:I,s:b,s:o,s:o}", "from", &from, "more", &more, "ed", &ed,
	        "box", &box) != 0 || from < 0 || from > CHAIN_MAX ||
	    ledger_json_bytes(ed, d->sign.b, sizeof(d->sign.b)) != 0 ||
	    ledger_json_bytes(box, d->box.b, sizeof(d->box.b)) != 0)
		return FAULT_MALFORMED;
	chain_device_id(&d->sign, &d->box, d->id);
	if (memcmp(d->id, out->device, ID_LEN) != 0)
		return FAULT_MALFORMED;
	d->live = true;
	out->from = (uint32_t)from;
	out->more = more != 0;
	out->in_part = true;
	return 0;
}

static int
read_body(const json_t *body, struct holder *out)
{
	json_t *device, *account, *chain, *space, *set, *log = NULL;
	json_t *part = NULL;
	const char *residency;

	out->chain = buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	if (json_unpack_ex((json_t *)body, NULL, JSON_STRICT,
	        "{s:o,s:o,s:o,s:o,s:s,s:s,s:o,s?o,s?o}", "device", &device,
	        "account", &account, "chain", &chain, "space", &space,
	        "residency", &residency, "capability", &out->capability,
	        "set", &set, "log_key", &log, "part", &part) != 0 ||
	    strlen(residency) > DB_NAME_MAX)
		return FAULT_MALFORMED;
	memcpy(out->space.residency, residency, strlen(residency) + 1);
	out->has_log = log != NULL;
	if (log != NULL &&
	    ledger_json_bytes(log, out->log.b, sizeof(out->log.b)) != 0)
		return FAULT_MALFORMED;
	if (ledger_json_id(device, out->device) != 0 ||
	    ledger_json_id(account, out->space.account) != 0 ||
	    ledger_json_id(space, out->space.id) != 0 ||
	    ledger_custody_read(set, &out->set) != 0 ||
	    (part != NULL && read_part(part, out) != 0))
		return FAULT_MALFORMED;
	return read_chain(chain, &out->chain);
}

static bool
may_send(const struct chain_device *d)
{
	return d != NULL && d->live && !d->recovery;
}

int
ledger_holder_sender(const json_t *body, struct db_device *out)
{
	struct holder h defer(wipe_holder) = { 0 };
	struct chain c defer(chain_wipe) = { 0 };
	const struct chain_device *d;
	int rc = read_body(body, &h);

	if (rc == 0 && h.in_part) {
		*out = h.sender;
		memcpy(out->account, h.space.account, ID_LEN);
		return 0;
	}
	if (rc == 0)
		rc = chain_append_all(&c, buf_bytes(&h.chain));
	if (rc != 0)
		return rc;
	d = chain_find(&c, h.device);
	if (!may_send(d) ||
	    memcmp(c.account, h.space.account, ID_LEN) != 0)
		return FAULT_DENIED;
	*out = (struct db_device){ .sign = d->sign, .box = d->box,
		.live = true };
	memcpy(out->id, d->id, ID_LEN);
	memcpy(out->account, c.account, ID_LEN);
	return 0;
}

static int
check(struct ledger *l, const struct holder *h, struct fault *f)
{
	const struct policy_residency *r = policy_find_residency(l->policy,
	    h->space.residency);

	if (r == NULL || !ledger_serves(l, r))
		return fault_set(f, FAULT_DENIED,
		    "the residency is not served here");
	if (custody_find(&h->set, &l->signing) < 1 ||
	    memcmp(h->set.space, h->space.id, ID_LEN) != 0)
		return fault_set(f, FAULT_DENIED,
		    "custody: this authority is no other holder in it");
	return 0;
}

/* A set of some device of the chain, live or not: who brings it may be another
 * than who made it. */
static int
check_set(const struct holder *h, struct fault *f)
{
	struct chain chain defer(chain_wipe) = { 0 };
	const struct custody_who who = { .chain = &chain };
	bool live;
	int rc = chain_append_all(&chain, buf_bytes(&h->chain));

	if (rc == 0 && !may_send(chain_find(&chain, h->device)))
		return fault_set(f, FAULT_DENIED,
		    "not a live device of the chain");
	if (rc == 0 && h->set.kind == CUSTODY_DEVICE)
		rc = custody_check(&h->set, &who, &live);
	return rc == 0 ? 0 : fault_set(f, FAULT_DENIED,
	    "custody: not signed by a device of the chain");
}

/* [custody] Depot and prefix are not the sender's word: the home's capability
 * says them. */
static int
add_space(struct ledger *l, const struct ledger_call *c, struct holder *h,
    struct fault *f)
{
	const struct policy_residency *r = policy_find_residency(l->policy,
	    h->space.residency);
	const struct policy_authority *home = policy_find_signing(l->policy,
	    &h->set.holder[0].signing);
	struct capability cap;
	int rc;

	if (home == NULL || !policy_keys_in(r, home->jurisdiction) ||
	    capability_verify(&home->signing, bytes_of(h->capability,
	        strlen(h->capability)), &cap) != 0 ||
	    cap.exp < c->now || !policy_allows(r, cap.depot))
		return fault_set(f, FAULT_DENIED,
		    "the capability is none of the home's");
	if (!h->has_log)
		return fault_set(f, FAULT_MALFORMED,
		    "holders: a new space wants its log key");
	memcpy(h->space.depot, cap.depot, sizeof(cap.depot));
	memcpy(h->space.prefix, cap.prefix, ID_LEN);
	rc = l->db->space_add(l->db, &h->space, f);
	return rc != 0 ? rc :
	    l->db->log_key_add(l->db, h->space.id, &h->log, f);
}

/* [tlog] The account's enrolment here, and what its chain has gained since:
 * entry 1 is the recovery key, which came with the account. */
static int
log_chain(struct ledger *l, const struct ledger_call *c,
    const struct holder *h, size_t before, struct fault *f)
{
	uint8_t body[OUTBOX_CHAIN_LEN];
	struct outbox_what w = { .type = LEAF_ENROLMENT, .time = c->now,
		.body = bytes_of(body, sizeof(body)) };
	int rc = 0;

	if (before == 0) {
		memcpy(w.subject, h->space.account, ID_LEN);
		outbox_chain(h->space.account, h->space.id, h->chain.p, body);
		rc = ledger_log_add(l, c, &w, &h->log, f);
	}
	if (rc != 0 || before * CHAIN_ENTRY_LEN == h->chain.n)
		return rc;
	return ledger_log_chain(l, c, buf_bytes(&h->chain),
	    before < 2 ? 2 : before, f);
}

/* What a part follows on is what is here, and what it has of that again is the
 * same. */
static int
join_part(struct bytes old, struct holder *h, struct fault *f)
{
	size_t at = (size_t)h->from * CHAIN_ENTRY_LEN, again;
	struct buf whole = buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	int rc;

	if (at > old.n)
		return fault_set(f, FAULT_CONFLICT,
		    "%u entries of the chain are known here",
		    (unsigned)(old.n / CHAIN_ENTRY_LEN));
	again = old.n - at < h->chain.n ? old.n - at : h->chain.n;
	if (again != 0 && memcmp(old.p + at, h->chain.p, again) != 0)
		return fault_set(f, FAULT_CONFLICT,
		    "another chain is known here");
	rc = buf_append(&whole, old.p, old.n);
	if (rc == 0 && h->chain.n > again)
		rc = buf_append(&whole, h->chain.p + again,
		    h->chain.n - again);
	buf_wipe(&h->chain);
	h->chain = whole;
	if (rc != 0)
		return fault_set(f, rc, "chain: %s", fault_text(rc));
	if (whole.n == 0 || memcmp(whole.p + ENTRY_ACCOUNT, h->space.account,
	    ID_LEN) != 0)
		return fault_set(f, FAULT_DENIED, "another account's chain");
	return 0;
}

/* The chain as it is here has to be the beginning of the one sent. */
static int
take_chain(struct ledger *l, struct holder *h, size_t *before,
    struct fault *f)
{
	struct buf old defer(buf_wipe) = buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	static const uint8_t none[DB_HASH_LEN];
	uint8_t request[DB_HASH_LEN];
	int rc = l->db->account_get(l->db, h->space.account, request, f);

	if (rc == FAULT_NOT_FOUND)
		rc = l->db->account_add(l->db, h->space.account, none, f);
	if (rc == 0)
		rc = l->db->chain_get(l->db, h->space.account, 0, &old, f);
	if (rc == 0 && h->in_part)
		rc = join_part(buf_bytes(&old), h, f);
	if (rc != 0)
		return rc;
	*before = old.n / CHAIN_ENTRY_LEN;
	return ledger_device_follow(l, h->space.account, buf_bytes(&old),
	    buf_bytes(&h->chain), NULL, f);
}

int
ledger_holder(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	struct holder h defer(wipe_holder) = { 0 };
	struct db_space there;
	size_t before = 0;
	int rc = read_body(c->body, &h);

	if (rc != 0)
		return fault_set(f, rc, "holders: %s", fault_text(rc));
	rc = check(l, &h, f);
	if (rc == 0)
		rc = take_chain(l, &h, &before, f);
	if (rc == 0 && !h.more)
		rc = check_set(&h, f);
	if (rc != 0)
		return rc;
	rc = l->db->space_get(l->db, h.space.id, &there, f);
	if (rc == FAULT_NOT_FOUND)
		rc = add_space(l, c, &h, f);
	else if (rc == 0 && memcmp(there.account, h.space.account,
	    ID_LEN) != 0)
		rc = fault_set(f, FAULT_DENIED, "not a space of yours");
	if (rc == 0)
		rc = log_chain(l, c, &h, before, f);
	return rc != 0 ? rc : ledger_json_done(json_object(), out);
}
