// SPDX-License-Identifier: Apache-2.0
/* What governments and others demanded, for everybody: GET /v1/requests.
 * spec/60-log.md, Requests. */
#include <string.h>

#include "authority/ledger.h"
#include "authority/ledger_json.h"
#include "net/jsontext.h"
#include "tlog/demand.h"
#include "tlog/line.h"

#define REQUESTS_MAX 32 /* of one answer: texts are long */

struct list {
	json_t *requests;
	struct leaf_log_key desk;
	uint64_t last, now;
};

/* [log] Before the gag's date there is nothing but the date. */
static int
on_leaf(void *arg, const struct db_leaf *row)
{
	struct list *x = arg;
	struct leaf_key key;
	struct leaf leaf;
	struct demand d;
	json_t *j;

	if (leaf_decode(row->entry, &leaf) != 0 ||
	    demand_read(leaf.open, &d) != 0)
		return FAULT_INTERNAL;
	x->last = row->index;
	if (d.until > x->now) {
		j = json_pack("{s:I,s:I}", "index", (json_int_t)row->index,
		    "until", (json_int_t)d.until);
	} else {
		leaf_key(&x->desk, leaf.nonce, &key);
		j = json_pack("{s:I,s:o,s:o}", "index",
		    (json_int_t)row->index, "key", jsontext_b64(key.b,
		        sizeof(key.b)), "body",
		    jsontext_b64(row->body.p, row->body.n));
	}
	return json_array_append_new(x->requests, j) == 0 ? 0 : FAULT_MEMORY;
}

int
ledger_requests(struct ledger *l, const struct ledger_call *c, json_t **out,
    struct fault *f)
{
	json_t *requests defer(ledger_json_freep) = json_array();
	struct list x = { .requests = requests,
		.now = (uint64_t)pace_seen(&l->pace) };
	uint64_t from = 0;
	int rc;

	if (c->q->body.n != 0 && (line_u64(c->q->body, &from) != 0 ||
	                             from > INT64_MAX))
		return fault_set(f, FAULT_MALFORMED, "requests: from");
	rc = outbox_desk_key(l->db, &x.desk, f);
	if (rc == 0)
		rc = l->db->request_each(l->db, from, REQUESTS_MAX, on_leaf,
		    &x, f);
	explicit_bzero(&x.desk, sizeof(x.desk));
	if (rc != 0)
		return rc;
	return ledger_json_done(json_pack("{s:O,s:o}", "requests", requests,
	    "next", json_array_size(requests) == REQUESTS_MAX ?
	    json_integer((json_int_t)x.last + 1) : json_null()), out);
}
