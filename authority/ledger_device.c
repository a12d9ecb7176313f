// SPDX-License-Identifier: Apache-2.0
/* Devices: asking to be let in, looking up who asks, and the chain:
 * /v1/enrolments, /v1/enrolments/lookup, /v1/devices. */
#include <string.h>

#include "authority/ledger.h"
#include "authority/ledger_json.h"
#include "net/jsontext.h"
#include "object/chain.h"

/* Where an entry has them: spec/15-devices.md. */
#define ENTRY_OP 1
#define ENTRY_DEVICE 56
#define ENTRY_SIGNER 136

int
ledger_enrol_sender(const json_t *body, struct db_device *out)
{
	struct db_device d = { .live = true };
	json_t *ed, *box;

	if (json_unpack_ex((json_t *)body, NULL, JSON_STRICT, "{s:o,s:o}",
	        "ed", &ed, "box", &box) != 0 ||
	    ledger_json_bytes(ed, d.sign.b, sizeof(d.sign.b)) != 0 ||
	    ledger_json_bytes(box, d.box.b, sizeof(d.box.b)) != 0)
		return FAULT_MALFORMED;
	chain_device_id(&d.sign, &d.box, d.id);
	*out = d;
	return 0;
}

int
ledger_enrol(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	struct db_enrolment e = { .sign = c->sender.sign,
		.box = c->sender.box,
		.expires = c->now + LEDGER_ENROLMENT_SECONDS };
	int rc;

	memcpy(e.device, c->sender.id, ID_LEN);
	rc = l->db->enrolment_add(l->db, &e, e.expires - LEDGER_ENROLMENT_KEPT,
	    &e, f);
	if (rc != 0)
		return rc;
	return ledger_json_done(json_pack("{s:I}", "expires",
	    (json_int_t)e.expires), out);
}

int
ledger_enrol_lookup(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f)
{
	uint8_t account[ID_LEN], device[ID_LEN];
	json_t *account_text, *device_text;
	struct db_enrolment e;
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT, "{s:o,s:o}",
	        "account", &account_text, "device", &device_text) != 0 ||
	    ledger_json_id(account_text, account) != 0 ||
	    ledger_json_id(device_text, device) != 0)
		return fault_set(f, FAULT_MALFORMED, "lookup: members");
	if (memcmp(account, c->sender.account, ID_LEN) != 0)
		return fault_set(f, FAULT_DENIED, "another account");
	rc = l->db->enrolment_get(l->db, device, &e, f);
	if (rc == FAULT_NOT_FOUND || (rc == 0 && e.expires < c->now))
		return fault_set(f, FAULT_NOT_FOUND, "no such enrolment");
	if (rc != 0)
		return rc;
	return ledger_json_done(json_pack("{s:o,s:o}", "ed",
	    jsontext_b64(e.sign.b, sizeof(e.sign.b)), "box",
	    jsontext_b64(e.box.b, sizeof(e.box.b))), out);
}

struct addition {
	uint8_t account[ID_LEN], entry[CHAIN_ENTRY_LEN];
	uint32_t seen;
	json_t *slots; /* with another recovery key; NULL: none */
};

static int
read_body(const json_t *body, struct addition *out)
{
	json_t *account, *entry;
	json_int_t seen;
	struct addition a = { 0 };

	if (json_unpack_ex((json_t *)body, NULL, JSON_STRICT,
	        "{s:o,s:o,s:I,s?o}", "account", &account, "entry", &entry,
	        "chain_seen", &seen, "keyslots", &a.slots) != 0 ||
	    (a.slots != NULL && !json_is_array(a.slots)) || seen < 0 ||
	    seen > CHAIN_MAX ||
	    ledger_json_id(account, a.account) != 0 ||
	    ledger_json_bytes(entry, a.entry, sizeof(a.entry)) != 0)
		return FAULT_MALFORMED;
	a.seen = (uint32_t)seen;
	*out = a;
	return 0;
}

/* Brings the devices to what the chain says after its last entry. */
static int
follow(struct ledger *l, const struct chain *before,
    const struct chain *after, struct fault *f)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < after->devices; i++) {
		const struct chain_device *x = &after->device[i];
		struct db_device d = { .sign = x->sign, .box = x->box,
			.recovery = x->recovery, .live = x->live };

		memcpy(d.id, x->id, ID_LEN);
		memcpy(d.account, after->account, ID_LEN);
		if (i >= before->devices)
			rc = l->db->device_add(l->db, &d, f);
		else if (before->device[i].live && !x->live)
			rc = l->db->device_revoke(l->db, d.id, f);
		/* [custody] Nobody is to be shown those again. */
		if (rc == 0 && i < before->devices && !x->live)
			rc = l->db->device_slot_forget(l->db, d.id, f);
	}
	return rc;
}

int
ledger_device_follow(struct ledger *l, const uint8_t account[static ID_LEN],
    struct bytes old, struct bytes whole, const json_t *slots,
    struct fault *f)
{
	struct chain before defer(chain_wipe) = { 0 };
	struct chain after defer(chain_wipe) = { 0 };
	int rc;

	if (chain_append_all(&before, old) != 0)
		return fault_set(f, FAULT_INTERNAL, "stored chain");
	if (whole.n < old.n || (old.n != 0 &&
	    memcmp(whole.p, old.p, old.n) != 0))
		return fault_set(f, FAULT_CONFLICT,
		    "another chain is known here");
	rc = chain_append_all(&after, whole);
	if (rc != 0)
		return fault_set(f, rc, "entry: %s", fault_text(rc));
	for (uint32_t i = before.n; rc == 0 && i < after.n; i++)
		rc = l->db->chain_add(l->db, account, i,
		    whole.p + (size_t)i * CHAIN_ENTRY_LEN, f);
	if (rc == 0)
		rc = follow(l, &before, &after, f);
	return rc != 0 ? rc : ledger_recovery_follow(l, &before, &after,
	    slots, f);
}

/* [devices] Whoever is in can be put out again. */
static int
check_room(const struct addition *a, struct bytes old, struct fault *f)
{
	struct chain c defer(chain_wipe) = { 0 };

	if (a->entry[ENTRY_OP] == CHAIN_REVOKE)
		return 0;
	if (chain_append_all(&c, old) != 0)
		return fault_set(f, FAULT_INTERNAL, "stored chain");
	return chain_has_room(&c, a->entry[ENTRY_OP]) ? 0 :
	    fault_set(f, FAULT_LIMIT, "entry: the chain's last ones are for "
	    "revoking");
}

static int
append(struct ledger *l, const struct addition *a, struct bytes old,
    struct fault *f)
{
	struct buf whole defer(buf_wipe) =
	    buf_init(CHAIN_ENTRY_LEN * (CHAIN_MAX + 1));
	int rc = check_room(a, old, f);

	if (rc != 0)
		return rc;
	rc = buf_append(&whole, old.p, old.n);
	if (rc == 0)
		rc = buf_append(&whole, a->entry, sizeof(a->entry));
	if (rc != 0)
		return fault_set(f, rc, "entry");
	return ledger_device_follow(l, a->account, old, buf_bytes(&whole),
	    a->slots, f);
}

/* Where the chain has this very entry; n if nowhere. */
static size_t
position(struct bytes chain, const uint8_t entry[static CHAIN_ENTRY_LEN])
{
	size_t n = chain.n / CHAIN_ENTRY_LEN, i = 0;

	while (i < n && memcmp(chain.p + i * CHAIN_ENTRY_LEN, entry,
	                    CHAIN_ENTRY_LEN) != 0)
		i++;
	return i;
}

/* [authority] Who is out asks for nothing any more, but for the answer to the
 * request by which it revoked itself. */
static bool
is_own_end(const uint8_t entry[static CHAIN_ENTRY_LEN])
{
	return entry[ENTRY_OP] == CHAIN_REVOKE &&
	    memcmp(entry + ENTRY_DEVICE, entry + ENTRY_SIGNER, ID_LEN) == 0;
}

static int
log_entry(struct ledger *l, const struct ledger_call *c,
    const struct addition *a, bool again, struct fault *f)
{
	return again ?
	    ledger_log_chain_again(l, c, a->entry, f) :
	    ledger_log_chain(l, c, bytes_of(a->entry, CHAIN_ENTRY_LEN), 0, f);
}

int
ledger_device(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	struct buf chain defer(buf_wipe) =
	    buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	struct addition a;
	size_t n, seq;
	int rc = read_body(c->body, &a);

	if (rc != 0)
		return fault_set(f, rc, "devices: %s", fault_text(rc));
	if (memcmp(a.account, c->sender.account, ID_LEN) != 0)
		return fault_set(f, FAULT_DENIED, "another account");
	if (memcmp(a.entry + ENTRY_SIGNER, c->sender.id, ID_LEN) != 0)
		return fault_set(f, FAULT_DENIED,
		    "the entry is signed by another device");
	rc = l->db->chain_get(l->db, a.account, 0, &chain, f);
	if (rc != 0)
		return rc;
	n = chain.n / CHAIN_ENTRY_LEN;
	seq = position(buf_bytes(&chain), a.entry);
	if (!c->sender.live && (seq == n || !is_own_end(a.entry)))
		return fault_set(f, FAULT_DENIED, "device was revoked");
	if (seq == n) {
		size_t seen = a.seen < n ? a.seen : n;

		if (a.seen != n) {
			*out = json_pack("{s:o}", "chain", ledger_json_list(
			    bytes_of(chain.p + seen * CHAIN_ENTRY_LEN,
			        (n - seen) * CHAIN_ENTRY_LEN),
			    CHAIN_ENTRY_LEN));
			return fault_set(f, FAULT_CONFLICT,
			    "the chain has grown");
		}
		rc = append(l, &a, buf_bytes(&chain), f);
	}
	if (rc == 0)
		rc = log_entry(l, c, &a, seq < n, f);
	if (rc != 0)
		return rc;
	return ledger_json_done(json_pack("{s:I}", "seq", (json_int_t)seq),
	    out);
}
