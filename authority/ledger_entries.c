// SPDX-License-Identifier: Apache-2.0
/* What the log's entries of a space say, for who reads them there:
 * /v1/entries. */
#include <string.h>

#include "authority/ledger.h"
#include "authority/ledger_json.h"
#include "net/jsontext.h"

#define ENTRIES_MAX 256 /* of one answer */

struct list {
	json_t *entries;
	uint64_t last;
};

static int
on_leaf(void *arg, const struct db_leaf *leaf)
{
	struct list *x = arg;

	x->last = leaf->index;
	return json_array_append_new(x->entries, json_pack("{s:I,s:o}",
	    "index", (json_int_t)leaf->index, "body",
	    jsontext_b64(leaf->body.p, leaf->body.n))) == 0 ?
	    0 : FAULT_MEMORY;
}

int
ledger_entries(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	json_t *entries defer(ledger_json_freep) = json_array();
	struct list x = { .entries = entries };
	struct db_leaf_of of = { .max = ENTRIES_MAX };
	json_t *space_text;
	struct db_space space;
	json_int_t from;
	int rc;

	if (json_unpack_ex((json_t *)c->body, NULL, JSON_STRICT, "{s:o,s:I}",
	        "space", &space_text, "from", &from) != 0 || from < 0 ||
	    ledger_json_id(space_text, of.subject[0]) != 0)
		return fault_set(f, FAULT_MALFORMED, "entries: members");
	rc = ledger_space(l, c, of.subject[0], &space, f);
	memcpy(of.subject[1], c->sender.account, ID_LEN);
	of.from = (uint64_t)from;
	if (rc == 0)
		rc = l->db->leaf_of(l->db, &of, on_leaf, &x, f);
	if (rc != 0)
		return rc;
	return ledger_json_done(json_pack("{s:O,s:o}", "entries", entries,
	    "next", json_array_size(entries) == ENTRIES_MAX ?
	    json_integer((json_int_t)x.last + 1) : json_null()), out);
}
