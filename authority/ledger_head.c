// SPDX-License-Identifier: Apache-2.0
/* The head, moved by compare-and-swap: spec/50-authority.md, /v1/head. */
#include <string.h>

#include "authority/ledger.h"
#include "authority/ledger_json.h"
#include "object/head.h"

struct move {
	uint8_t space[ID_LEN];
	uint64_t expect;
	uint32_t epoch;
	struct db_head to;
};

/* [authority] A head is taken only if its number is expect + 1. */
static int
read_body(const json_t *body, struct move *out)
{
	json_t *space, *head;
	json_int_t expect;
	struct move m;
	int rc;

	if (json_unpack_ex((json_t *)body, NULL, JSON_STRICT,
	        "{s:o,s:I,s:o}", "space", &space, "expect", &expect, "head",
	        &head) != 0 ||
	    expect < 0 || expect == INT64_MAX)
		return FAULT_MALFORMED;
	if (ledger_json_id(space, m.space) != 0 ||
	    ledger_json_bytes(head, m.to.head, HEAD_LEN) != 0)
		return FAULT_MALFORMED;
	rc = head_clear(bytes_of(m.to.head, HEAD_LEN), &m.epoch,
	    &m.to.number);
	if (rc != 0)
		return rc;
	m.expect = (uint64_t)expect;
	if (m.to.number != m.expect + 1)
		return FAULT_MALFORMED;
	*out = m;
	return 0;
}

static int
check_epoch(struct ledger *l, const struct move *m,
    const struct db_head *now, struct fault *f)
{
	struct db_slot slot[DB_SLOTS_MAX];
	uint32_t epoch = 0;
	uint64_t number;
	size_t n = 0;
	int rc = 0;

	/* [authority] No way back into an epoch that was left. */
	if (now->number != 0)
		rc = head_clear(bytes_of(now->head, HEAD_LEN), &epoch,
		    &number);
	if (rc == 0 && m->epoch < epoch)
		return fault_set(f, FAULT_DENIED,
		    "the head's epoch was left");
	if (rc == 0)
		rc = l->db->slot_list(l->db, m->space, DB_RECOVERY, slot, &n,
		    f);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (slot[i].epoch == m->epoch)
			return 0;
	if (rc != 0)
		return rc;
	return fault_set(f, FAULT_DENIED, "the head's epoch is not live");
}

int
ledger_head(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	struct db_space space;
	struct db_head now;
	struct move m;
	int rc = read_body(c->body, &m);

	if (rc != 0)
		return fault_set(f, rc, "head: %s", fault_text(rc));
	rc = ledger_space(l, c, m.space, &space, f);
	if (rc == 0)
		rc = l->db->head_get(l->db, m.space, &now, f);
	if (rc != 0)
		return rc;
	if (now.number != m.to.number ||
	    memcmp(now.head, m.to.head, HEAD_LEN) != 0) {
		if (now.number != m.expect) {
			*out = json_pack("{s:o}", "head",
			    ledger_head_json(&now));
			return fault_set(f, FAULT_CONFLICT,
			    "the head has moved");
		}
		rc = check_epoch(l, &m, &now, f);
		if (rc == 0)
			rc = l->db->head_move(l->db, m.space, &m.to, f);
		if (rc != 0)
			return rc;
	}
	return ledger_json_done(json_pack("{s:I}", "number",
	    (json_int_t)m.to.number), out);
}
