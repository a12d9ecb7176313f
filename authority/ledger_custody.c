// SPDX-License-Identifier: Apache-2.0
/* Who holds the keys: /v1/custody, and what a session is shown of it.
 * spec/55-custody.md. */
#include <string.h>

#include "authority/keymsg.h"
#include "authority/ledger.h"
#include "authority/ledger_custody.h"
#include "authority/ledger_json.h"
#include "authority/ledger_left.h"
#include "authority/ledger_secret.h"
#include "net/jsontext.h"

#define SETS_MAX 256 /* of one answer */
#define SETS_BYTES ((SETS_MAX + 1) * (CUSTODY_MAX + 2))

int
ledger_custody_read(const json_t *j, struct custody *out)
{
	uint8_t raw[CUSTODY_MAX];

	for (size_t n = 1; n <= CUSTODY_HOLDERS_MAX; n++)
		if (ledger_json_bytes(j, raw, CUSTODY_LEN(n)) == 0)
			return custody_decode(bytes_of(raw, CUSTODY_LEN(n)),
			    out);
	return FAULT_MALFORMED;
}

/* live: the signer's standing.  FAULT_DENIED: no device of the account. */
static int
check_signer(struct ledger *l, const struct ledger_call *c,
    const struct custody *s, bool *live, struct fault *f)
{
	struct buf raw defer(buf_wipe) = buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	struct chain chain defer(chain_wipe) = { 0 };
	const struct custody_who who = { .chain = &chain };
	int rc = l->db->chain_get(l->db, c->sender.account, 0, &raw, f);

	if (rc == 0 && chain_append_all(&chain, buf_bytes(&raw)) != 0)
		rc = fault_set(f, FAULT_INTERNAL, "stored chain");
	if (rc != 0)
		return rc;
	if (s->kind != CUSTODY_DEVICE || custody_check(s, &who, live) != 0)
		return fault_set(f, FAULT_DENIED,
		    "custody: not signed by a device of the account");
	return 0;
}

int
ledger_custody_signed(struct ledger *l, const struct ledger_call *c,
    const struct custody *s, struct fault *f)
{
	bool live = false;
	int rc = check_signer(l, c, s, &live, f);

	if (rc == 0 && (!live || memcmp(s->signer, c->sender.id, ID_LEN) != 0))
		rc = fault_set(f, FAULT_DENIED,
		    "custody: not signed by the sender");
	return rc;
}

/* [custody] Who only holds is told that a set is in force by any device: the
 * one that made it may be gone. */
static int
check_sender(struct ledger *l, const struct ledger_call *c,
    const struct custody *s, bool tells, struct fault *f)
{
	bool live;

	return tells ? check_signer(l, c, s, &live, f) :
		       ledger_custody_signed(l, c, s, f);
}

/* [custody] What was announced and is due for sure is in force, at the home:
 * devices are shown no other's. */
static int
promote(struct ledger *l, const uint8_t space[static ID_LEN], bool *has,
    struct custody *next, struct fault *f)
{
	struct custody current;
	bool home;
	int rc = l->db->custody_home(l->db, space, &home, f);

	*has = false;
	if (rc != 0 || !home)
		return rc;
	rc = l->db->announced_get(l->db, space, next, f);
	*has = rc == 0;
	if (rc == FAULT_NOT_FOUND)
		return 0;
	if (rc == 0)
		rc = l->db->custody_get(l->db, space, &current, f);
	if (rc != 0)
		return rc;
	if (custody_follows(&current, next, space) == 0 &&
	    next->effective > l->pace.kept.sure)
		return 0;
	/* Due, or overtaken by a set of the user's own. */
	*has = false;
	if (custody_follows(&current, next, space) == 0)
		rc = l->db->custody_add(l->db, next, false, f);
	return rc != 0 ? rc : l->db->announced_set(l->db, space, NULL, f);
}

static json_t *
sets_json(struct bytes b)
{
	json_t *a defer(ledger_json_freep) = json_array();

	while (b.n > 2) {
		size_t n = (size_t)b.p[0] << 8 | b.p[1];

		if (json_array_append_new(a, jsontext_b64(b.p + 2, n)) != 0)
			return NULL;
		b = bytes_of(b.p + 2 + n, b.n - 2 - n);
	}
	return take(a);
}

int
ledger_custody_json(struct ledger *l, const uint8_t space[static ID_LEN],
    uint32_t seen, json_t **out, struct fault *f)
{
	struct buf raw defer(buf_wipe) = buf_init(SETS_BYTES);
	json_t *sets defer(ledger_json_freep) = NULL;
	struct custody current, next;
	bool has;
	int rc = promote(l, space, &has, &next, f);

	if (rc == 0)
		rc = l->db->custody_get(l->db, space, &current, f);
	if (rc == FAULT_NOT_FOUND)
		return fault_set(f, FAULT_CONFLICT, "no custody is known to "
		    "be in force here");
	if (rc == 0)
		rc = l->db->custody_list(l->db, space, seen, SETS_MAX + 1, &raw,
		    f);
	if (rc != 0)
		return rc;
	sets = sets_json(buf_bytes(&raw));
	if (json_array_size(sets) > SETS_MAX)
		return fault_set(f, FAULT_LIMIT, "custody: more than %d sets "
		    "after number %u", SETS_MAX, (unsigned)seen);
	return ledger_json_done(json_pack("{s:o,s:O,s:o}", "current",
	    jsontext_b64(current.raw, current.len), "sets", sets, "announced",
	    has ? jsontext_b64(next.raw, next.len) : json_null()), out);
}

/* [custody] Those that one session has no room for. */
int
ledger_custody_sets(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f)
{
	struct buf sets defer(buf_wipe) = buf_init(SETS_BYTES);
	uint8_t id[ID_LEN];
	struct db_space space;
	json_t *space_text;
	json_int_t after;
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT, "{s:o,s:I}",
	        "space", &space_text, "after", &after) != 0 || after < 0 ||
	    after > UINT32_MAX || ledger_json_id(space_text, id) != 0)
		return fault_set(f, FAULT_MALFORMED, "sets: members");
	rc = ledger_space(l, c, id, &space, f);
	if (rc == 0)
		rc = l->db->custody_list(l->db, id, (uint32_t)after, SETS_MAX,
		    &sets, f);
	return rc != 0 ? rc : ledger_json_done(json_pack("{s:o}", "sets",
	    sets_json(buf_bytes(&sets))), out);
}

bool
ledger_custody_home(const struct ledger *l, const struct custody *c)
{
	return memcmp(&c->holder[0].signing, &l->signing,
	    sizeof(l->signing)) == 0;
}

/* One member of "keyslots". */
struct slot {
	uint32_t epoch;
	const char *kind;
	uint8_t index, device[ID_LEN], blob[DB_SEALED_LEN];
};

static int
read_slot(const json_t *j, struct slot *out)
{
	struct slot s = { 0 };
	json_t *blob, *device = NULL;
	json_int_t epoch, index = 0;

	if (json_unpack_ex((json_t *)j, NULL, JSON_STRICT,
	        "{s:I,s:s,s:o,s?o,s?I}", "epoch", &epoch, "kind", &s.kind,
	        "blob", &blob, "device", &device, "index", &index) != 0 ||
	    epoch < 1 || epoch > UINT32_MAX || index < 0 ||
	    index > CUSTODY_HOLDERS_MAX ||
	    ledger_json_bytes(blob, s.blob, sizeof(s.blob)) != 0 ||
	    (device != NULL && ledger_json_id(device, s.device) != 0))
		return FAULT_MALFORMED;
	if ((strcmp(s.kind, "device") == 0) != (device != NULL) ||
	    (strcmp(s.kind, "share") == 0) != (index != 0))
		return FAULT_MALFORMED;
	s.epoch = (uint32_t)epoch;
	s.index = (uint8_t)index;
	*out = s;
	return 0;
}

static int
admit(struct ledger *l, const struct db_space *space, const struct slot *s,
    uint8_t out[static WRAP_LEN], struct fault *f)
{
	struct keymsg_admit m = { .of.epoch = s->epoch, .of.index = s->index };
	int rc;

	memcpy(m.of.account, space->account, ID_LEN);
	memcpy(m.of.space, space->id, ID_LEN);
	memcpy(m.blob, s->blob, sizeof(m.blob));
	rc = ledger_secret_for(l, space, s->epoch, &m.under, f);
	if (rc != 0)
		return rc;
	rc = keymsg_admit(&l->keys, &m, out);
	return rc == 0 ? 0 :
			 fault_set(f, rc, "keyslot: %s", keymsg_text(rc));
}

static int
add_whole(struct ledger *l, const struct db_space *space,
    const struct slot *s, struct fault *f)
{
	struct db_slot slot = { .epoch = s->epoch, .n = WRAP_LEN };
	int rc = admit(l, space, s, slot.blob, f);

	return rc != 0 ? rc : l->db->slot_add(l->db, space->id, DB_AUTHORITY,
	    &slot, f);
}

static int
add_share(struct ledger *l, const struct db_space *space,
    const struct custody *set, const struct slot *s, struct fault *f)
{
	struct db_share share = { .epoch = s->epoch, .serial = set->serial,
		.index = s->index };
	uint8_t hash[HASH_LEN];
	int rc = admit(l, space, s, share.blob, f);

	custody_hash(set, hash);
	memcpy(share.mark, hash, sizeof(share.mark));
	return rc != 0 ? rc :
			 l->db->share_add(l->db, space->id, &share, f);
}

/* [custody] Only for devices of the account: nobody else gets a way in. */
static int
add_device(struct ledger *l, const struct db_space *space,
    const struct slot *s, struct fault *f)
{
	struct db_device_slot slot = { .epoch = s->epoch };
	struct db_slot own = { .epoch = s->epoch, .n = sizeof(s->blob) };
	struct keymsg_secret under;
	struct db_device d;
	int rc = l->db->device_get(l->db, s->device, &d, f);

	if (rc == FAULT_NOT_FOUND || (rc == 0 && (!d.live ||
	    memcmp(d.account, space->account, ID_LEN) != 0)))
		return fault_set(f, FAULT_DENIED,
		    "keyslot: not for a live device");
	if (rc != 0)
		return rc;
	memcpy(slot.device, s->device, ID_LEN);
	memcpy(own.blob, s->blob, own.n);
	rc = ledger_secret_for(l, space, s->epoch, &under, f);
	if (rc == 0)
		rc = ledger_secret_cover(l, space, DB_DEVICE, &own, &own, f);
	if (rc != 0)
		return rc;
	slot.n = own.n;
	memcpy(slot.blob, own.blob, own.n);
	return l->db->device_slot_add(l->db, space->id, &slot, f);
}

/* [custody] What was destroyed does not come back by a keyslot that was under
 * way. */
static int
check_live(struct ledger *l, const struct db_space *space, uint32_t epoch,
    struct fault *f)
{
	uint8_t receipt[RECEIPT_LEN];
	int rc = l->db->receipt_get(l->db, space->id, epoch, receipt, f);

	if (rc == FAULT_NOT_FOUND)
		return 0;
	return rc != 0 ? rc : fault_set(f, FAULT_CONFLICT,
	    "keyslots: epoch %u has ended meanwhile", epoch);
}

/* [custody] Kinds of the mode, and no other; a share is this holder's own. */
int
ledger_custody_add(struct ledger *l, const struct db_space *space,
    const struct custody *set, const json_t *slots, struct fault *f)
{
	int own = custody_find(set, &l->signing);
	const json_t *j;
	size_t i;
	int rc = 0;

	json_array_foreach (slots, i, j) {
		struct slot s;

		rc = read_slot(j, &s);
		if (rc != 0)
			return fault_set(f, rc, "keyslots: members");
		rc = check_live(l, space, s.epoch, f);
		if (rc != 0)
			return rc;
		if (set->mode == CUSTODY_STANDARD &&
		    strcmp(s.kind, "authority") == 0)
			rc = add_whole(l, space, &s, f);
		else if (set->mode == CUSTODY_SPLIT && s.index == own + 1)
			rc = add_share(l, space, set, &s, f);
		else if (set->mode == CUSTODY_SEALED &&
		    strcmp(s.kind, "device") == 0)
			rc = add_device(l, space, &s, f);
		else
			rc = fault_set(f, FAULT_DENIED,
			    "keyslots: not of this custody");
		if (rc != 0)
			return rc;
	}
	return 0;
}

static bool
has_slot(const json_t *slots, uint32_t epoch,
    const uint8_t device[static ID_LEN])
{
	const json_t *j;
	size_t i;

	json_array_foreach (slots, i, j) {
		struct slot s;

		if (read_slot(j, &s) == 0 && s.epoch == epoch &&
		    memcmp(s.device, device, ID_LEN) == 0)
			return true;
	}
	return false;
}

/* [custody] A device that came while they were made is not left without. */
int
ledger_custody_covers(struct ledger *l, const struct db_space *space,
    const struct custody *set, uint32_t epoch, const json_t *slots,
    struct fault *f)
{
	struct buf raw defer(buf_wipe) = buf_init(CHAIN_ENTRY_LEN * CHAIN_MAX);
	struct chain chain defer(chain_wipe) = { 0 };
	int rc;

	if (set->mode != CUSTODY_SEALED)
		return 0;
	rc = l->db->chain_get(l->db, space->account, 0, &raw, f);
	if (rc == 0 && chain_append_all(&chain, buf_bytes(&raw)) != 0)
		rc = fault_set(f, FAULT_INTERNAL, "stored chain");
	for (uint32_t i = 0; rc == 0 && i < chain.devices; i++) {
		const struct chain_device *d = &chain.device[i];

		if (d->live && !d->recovery && !has_slot(slots, epoch, d->id))
			rc = fault_set(f, FAULT_CONFLICT, "keyslots: none for "
			    "a device that was let in meanwhile");
	}
	return rc;
}

/* Every live epoch has to stay open to somebody, in sealed custody to every
 * device. */
static int
check_epochs(struct ledger *l, const struct db_space *space,
    const struct custody *set, const json_t *slots, struct fault *f)
{
	struct db_slot live[DB_SLOTS_MAX];
	size_t n = 0, i;
	const json_t *j;
	int rc = l->db->slot_list(l->db, space->id, DB_RECOVERY, live, &n, f);

	for (size_t k = 0; rc == 0 && k < n; k++) {
		bool has = false;

		json_array_foreach (slots, i, j)
			has |= json_integer_value(json_object_get(j,
			    "epoch")) == live[k].epoch;
		if (!has)
			return fault_set(f, FAULT_CONFLICT, "keyslots: none "
			    "for epoch %u, which was begun meanwhile",
			    live[k].epoch);
		rc = ledger_custody_covers(l, space, set, live[k].epoch,
		    slots, f);
	}
	return rc;
}

static int
at_home(struct ledger *l, const struct db_space *space,
    const struct custody *current, const struct custody *set,
    const json_t *slots, struct fault *f)
{
	int rc;

	if (custody_follows(current, set, space->id) != 0)
		return fault_set(f, FAULT_CONFLICT,
		    "the custody has changed meanwhile");
	if (!ledger_custody_home(l, set))
		return fault_set(f, FAULT_DENIED,
		    "custody: the home authority stays");
	rc = check_epochs(l, space, set, slots, f);
	if (rc == 0)
		rc = ledger_left_end(l, set, f);
	if (rc == 0)
		rc = ledger_custody_add(l, space, set, slots, f);
	if (rc == 0)
		rc = l->db->custody_add(l->db, set, false, f);
	return rc != 0 ? rc : l->db->announced_set(l->db, space->id, NULL, f);
}

static int
log_set(struct ledger *l, const struct ledger_call *c,
    const struct db_space *space, const struct custody *set, struct fault *f)
{
	struct outbox_item i;
	int rc = outbox_custody(l->db, space->account, set, c->now, &i, f);

	if (rc == FAULT_NOT_FOUND)
		return fault_set(f, FAULT_VERSION, "the space is from before "
		    "the log; it has no log key here");
	return rc != 0 ? rc : ledger_log_item(c, &i, f);
}

/* [custody] Another holder keeps shares of a set that may come, and destroys
 * those of the sets before once it came; not those of one that is to come after
 * it. */
static int
elsewhere(struct ledger *l, const struct db_space *space,
    const struct custody *set, const json_t *slots, struct fault *f)
{
	struct custody current;
	int rc = l->db->custody_get(l->db, space->id, &current, f);

	if (rc == 0 && set->serial < current.serial)
		return fault_set(f, FAULT_CONFLICT,
		    "a later custody is known here");
	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return rc;
	if (json_array_size(slots) != 0)
		return ledger_custody_add(l, space, set, slots, f);
	rc = l->db->custody_add(l->db, set, true, f);
	return rc != 0 ? rc : ledger_left_end(l, set, f);
}

int
ledger_custody(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	json_t *space_text, *set_text, *slots, *receipts = NULL;
	struct custody set, current;
	uint8_t id[ID_LEN];
	struct db_space space;
	bool home = false;
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT,
	        "{s:o,s:o,s:o}", "space", &space_text, "set", &set_text,
	        "keyslots", &slots) != 0 ||
	    !json_is_array(slots) || ledger_json_id(space_text, id) != 0 ||
	    ledger_custody_read(set_text, &set) != 0 ||
	    memcmp(set.space, id, ID_LEN) != 0)
		return fault_set(f, FAULT_MALFORMED, "custody: members");
	rc = ledger_space(l, c, id, &space, f);
	if (rc == 0)
		rc = l->db->custody_home(l->db, id, &home, f);
	if (rc == 0)
		rc = check_sender(l, c, &set,
		    !home && json_array_size(slots) == 0, f);
	if (rc != 0)
		return rc;
	if (!home)
		rc = elsewhere(l, &space, &set, slots, f);
	else
		rc = l->db->custody_get(l->db, id, &current, f);
	if (rc == 0 && home && !custody_same(&current, &set))
		rc = at_home(l, &space, &current, &set, slots, f);
	/* Shares that another holder is to keep are no set in force yet. */
	if (rc == 0 && (home || json_array_size(slots) == 0))
		rc = log_set(l, c, &space, &set, f);
	if (rc == 0)
		rc = ledger_left_tell(l, c, &space, &set, &receipts, f);
	if (rc != 0)
		return rc;
	return ledger_json_done(json_pack("{s:o}", "receipts", receipts),
	    out);
}

/* [custody] Who is let into a sealed space gets its keys from who lets it
 * in. */
int
ledger_custody_slots(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f)
{
	json_t *space_text, *slots;
	struct custody current;
	struct db_space space;
	uint8_t id[ID_LEN];
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT, "{s:o,s:o}",
	        "space", &space_text, "keyslots", &slots) != 0 ||
	    !json_is_array(slots) || ledger_json_id(space_text, id) != 0)
		return fault_set(f, FAULT_MALFORMED, "keyslots: members");
	rc = ledger_space(l, c, id, &space, f);
	if (rc == 0)
		rc = l->db->custody_get(l->db, id, &current, f);
	if (rc != 0)
		return rc;
	if (current.mode != CUSTODY_SEALED ||
	    !ledger_custody_home(l, &current))
		return fault_set(f, FAULT_CONFLICT,
		    "keyslots: the custody is another");
	rc = ledger_custody_add(l, &space, &current, slots, f);
	return rc != 0 ? rc : ledger_json_done(json_object(), out);
}
