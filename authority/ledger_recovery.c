// SPDX-License-Identifier: Apache-2.0
/* The keyslots that only the recovery code opens: /v1/recovery. */
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
