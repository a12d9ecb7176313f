// SPDX-License-Identifier: Apache-2.0
#include "client/auditproof.h"

#include "client/state.h"

int
auditproof_entry(const struct auditproof *p, uint64_t index, struct buf *out,
    struct fault *f)
{
	struct bytes entry[TILE_WIDTH], one;
	unsigned n = 0;
	int rc = logread_entries(p->read, index / TILE_WIDTH, entry, &n, f);

	if (rc != 0)
		return rc;
	one = entry[index % TILE_WIDTH];
	rc = buf_append(out, one.p, one.n);
	return rc == 0 ? 0 : fault_add(f, rc, "proof");
}

int
auditproof_format(const struct auditproof *p, struct logopen *o,
    struct buf *out, struct fault *f)
{
	struct merkle_source nodes = logread_nodes(p->read, f);
	int rc = merkle_prove_inclusion(&nodes, o->proof.index, p->size,
	    &o->proof.path);

	o->proof.checkpoint = p->note;
	if (rc == 0)
		rc = logopen_format(o, out);
	return rc == 0 || f->code == rc ? rc : fault_add(f, rc, "proof");
}

/* The desk key is not known: what was shown without a key has one of zeros. */
static int
prove(const struct auditproof *p, uint64_t index,
    const struct answer_request *shown, struct buf *out)
{
	struct buf entry defer(buf_wipe) = buf_init(LEAF_MAX);
	struct logopen o = { .proof = { .index = index } };
	struct fault scrap = { 0 };
	int rc = auditproof_entry(p, index, &entry, &scrap);

	o.entry = buf_bytes(&entry);
	if (shown != NULL && shown->body.n <= LEAF_BODY_MAX) {
		o.key = shown->key;
		o.body = shown->body;
	}
	return rc != 0 ? rc : auditproof_format(p, &o, out, &scrap);
}

void
auditproof_request(const struct auditproof *p,
    const struct auditrequest_alarm *x, const struct state *st,
    struct evidence_log *e, struct fault *f)
{
	struct buf one defer(buf_wipe) = buf_init(PROOF_MAX);
	struct buf two defer(buf_wipe) = buf_init(PROOF_MAX);

	if (prove(p, x->index, x->shown, &one) != 0)
		return;
	if (x->has_before)
		(void)!prove(p, x->before, NULL, &two);
	e->kind = "request";
	e->proof[0] = buf_bytes(&one);
	e->proof[1] = buf_bytes(&two);
	evidence_log(st, e, f);
}
