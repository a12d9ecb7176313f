// SPDX-License-Identifier: Apache-2.0
/* The keyslots that only the recovery code opens: /v1/recovery, and how those
 * of another code take their place. */
#include <string.h>

#include "authority/ledger.h"
#include "authority/ledger_json.h"
#include "authority/ledger_secret.h"
#include "net/jsontext.h"

int
ledger_recovery(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	json_t *a defer(ledger_json_freep) = json_array();
	uint8_t account_id[ID_LEN], space_id[ID_LEN];
	struct db_slot slot[DB_SLOTS_MAX];
	json_t *account, *space;
	struct db_space s;
	size_t n = 0;
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT, "{s:o,s:o}",
	        "account", &account, "space", &space) != 0 ||
	    ledger_json_id(account, account_id) != 0 ||
	    ledger_json_id(space, space_id) != 0)
		return fault_set(f, FAULT_MALFORMED, "recovery: members");
	rc = ledger_space(l, c, space_id, &s, f);
	if (rc == 0 && memcmp(account_id, s.account, ID_LEN) != 0)
		rc = fault_set(f, FAULT_DENIED, "another account");
	if (rc == 0)
		rc = l->db->slot_list(l->db, space_id, DB_RECOVERY, slot, &n,
		    f);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		rc = ledger_secret_uncover(l, &s, DB_RECOVERY, &slot[i],
		    &slot[i], f);
		if (rc != 0)
			return rc;
		if (json_array_append_new(a, json_pack("{s:I,s:o}", "epoch",
		        (json_int_t)slot[i].epoch, "blob",
		        jsontext_b64(slot[i].blob, slot[i].n))) != 0)
			return fault_set(f, FAULT_MEMORY, "recovery");
	}
	return ledger_json_done(json_pack("{s:O}", "keyslots", a), out);
}

/* One of another recovery key: in "keyslots" of /v1/devices. */
static int
read_slot(const json_t *j, uint8_t space[static ID_LEN], struct db_slot *out)
{
	struct db_slot s = { .n = DB_SEALED_LEN };
	json_t *id, *blob;
	json_int_t epoch;
	const char *kind;

	if (json_unpack_ex((json_t *)j, NULL, JSON_STRICT,
	        "{s:o,s:I,s:s,s:o}", "space", &id, "epoch", &epoch, "kind",
	        &kind, "blob", &blob) != 0 ||
	    epoch < 1 || epoch > UINT32_MAX || strcmp(kind, "recovery") != 0 ||
	    ledger_json_id(id, space) != 0 ||
	    ledger_json_bytes(blob, s.blob, s.n) != 0)
		return FAULT_MALFORMED;
	s.epoch = (uint32_t)epoch;
	*out = s;
	return 0;
}

/* FAULT_NOT_FOUND: there is none for this epoch. */
static int
find_slot(const json_t *slots, const struct db_space *space, uint32_t epoch,
    struct db_slot *out)
{
	const json_t *j;
	size_t i;

	json_array_foreach (slots, i, j) {
		uint8_t id[ID_LEN];
		int rc = read_slot(j, id, out);

		if (rc != 0)
			return rc;
		if (out->epoch == epoch && memcmp(id, space->id, ID_LEN) == 0)
			return 0;
	}
	return FAULT_NOT_FOUND;
}

/* Adds to *n how many there are; none is replaced where slots is NULL. */
static int
replace(struct ledger *l, const struct db_space *space, const json_t *slots,
    size_t *n, struct fault *f)
{
	struct db_slot live[DB_SLOTS_MAX], slot;
	size_t k = 0;
	int rc = l->db->slot_list(l->db, space->id, DB_RECOVERY, live, &k, f);

	for (size_t i = 0; rc == 0 && slots != NULL && i < k; i++) {
		rc = find_slot(slots, space, live[i].epoch, &slot);
		if (rc == FAULT_NOT_FOUND)
			return fault_set(f, FAULT_CONFLICT, "keyslots: none "
			    "for epoch %u, which was begun meanwhile",
			    live[i].epoch);
		if (rc != 0)
			return fault_set(f, rc, "keyslots: members");
		rc = ledger_secret_cover(l, space, DB_RECOVERY, &slot, &slot,
		    f);
		if (rc == 0)
			rc = l->db->slot_set(l->db, space->id, DB_RECOVERY,
			    &slot, f);
	}
	*n += k;
	return rc;
}

static bool
same_key(const struct chain_device *a, const struct chain_device *b)
{
	return a == NULL || (b != NULL && memcmp(a->id, b->id, ID_LEN) == 0);
}

/* [devices] The moment at which one recovery code ends and another begins. */
int
ledger_recovery_follow(struct ledger *l, const struct chain *before,
    const struct chain *after, const json_t *slots, struct fault *f)
{
	const struct chain_device *next = chain_recovery(after);
	struct db_space space[DB_SPACES_MAX];
	size_t spaces = 0, n = 0;
	int rc;

	if (same_key(chain_recovery(before), next))
		return slots == NULL ? 0 : fault_set(f, FAULT_DENIED,
		    "keyslots: the recovery key stays");
	rc = l->db->space_list(l->db, after->account, space, &spaces, f);
	for (size_t i = 0; rc == 0 && i < spaces; i++)
		rc = replace(l, &space[i], slots, &n, f);
	if (rc != 0)
		return rc;
	if (n != 0 && next == NULL)
		return fault_set(f, FAULT_DENIED,
		    "the only recovery key is not revoked");
	if ((n != 0) != (slots != NULL))
		return fault_set(f, FAULT_DENIED, n != 0 ?
		    "keyslots: those of the next recovery key are wanted" :
		    "keyslots: the recovery ones are for the home");
	return n == json_array_size(slots) ? 0 : fault_set(f, FAULT_CONFLICT,
	    "keyslots: an epoch has ended meanwhile");
}
