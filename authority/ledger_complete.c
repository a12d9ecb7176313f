// SPDX-License-Identifier: Apache-2.0
/* The end of a batch, once its entries are shown: their proofs, the keys and
 * capabilities that waited for that, and the answers.  Keys works on some while
 * the ledger proves the next and answers the former.  spec/50-authority.md,
 * Log; spec/60-log.md, Order. */
#include <string.h>

#include "authority/keymsg.h"
#include "authority/ledger.h"
#include "authority/ledger_json.h"
#include "net/jsontext.h"
#include "tlog/line.h"
#include "tlog/proof.h"

static int
put_entry(struct buf *extra, struct bytes entry)
{
	const uint8_t n[2] = { (uint8_t)(entry.n >> 8), (uint8_t)entry.n };
	int rc = buf_append(extra, n, sizeof(n));

	return rc != 0 ? rc : buf_append(extra, entry.p, entry.n);
}

/* One proof as text, and the path for keys. */
static int
prove_item(struct ledger_log *g, const struct outbox_item *i,
    struct merkle_proof *path, json_t *proofs)
{
	struct buf extra defer(buf_wipe) = buf_init(PROOF_EXTRA_MAX);
	struct buf b64 defer(buf_wipe) = buf_init(2 * PROOF_EXTRA_MAX);
	struct buf text defer(buf_wipe) = buf_init(PROOF_MAX);
	struct merkle_source s = tile_tree_source(g->tree);
	struct proof p = { .index = i->index,
		.checkpoint = buf_bytes(&g->shown) };
	int rc = merkle_prove_inclusion(&s, i->index, g->shown_size, &p.path);

	if (rc == 0)
		rc = buf_append(&extra, i->key.b, sizeof(i->key.b));
	if (rc == 0)
		rc = put_entry(&extra, buf_bytes(&i->entry));
	if (rc == 0)
		rc = buf_append(&extra, i->body.p, i->body.n);
	if (rc == 0)
		rc = line_b64(buf_bytes(&extra), &b64);
	p.extra_b64 = buf_bytes(&b64);
	if (rc == 0)
		rc = proof_format(&p, &text);
	if (rc == 0 && json_array_append_new(proofs, json_stringn(
	        (const char *)text.p, text.n)) != 0)
		rc = FAULT_MEMORY;
	if (rc == 0)
		*path = p.path;
	return rc;
}

/* The proofs of what a request has made; each release gets its own. */
static int
prove(struct ledger_log *g, struct ledger_reply *r)
{
	struct ledger_outbox *b = &r->box;
	size_t next = 0;
	int rc = 0;

	r->proofs = json_array();
	for (size_t i = 0; rc == 0 && i < b->items; i++) {
		const struct outbox_item *item = &b->item[i];
		struct merkle_proof path;

		rc = prove_item(g, item, &path, r->proofs);
		if (rc == 0 && next < b->releases && b->release[next].item == i)
			b->release[next++].m.logged = (struct keymsg_logged){
				.entry = buf_bytes(&item->entry),
				.key = item->key, .index = item->index,
				.path = path };
	}
	return rc;
}

static void
ask(struct ledger *l, struct keymsg_round *round, struct ledger_reply *r)
{
	struct ledger_outbox *b = &r->box;
	int rc = 0;

	if (r->answered || r->fault.code != 0 || l->log.log == NULL)
		return;
	if (b->wanted && r->proofs == NULL)
		rc = prove(&l->log, r);
	if (rc != 0) {
		(void)fault_set(&r->fault, rc, "proof: %s", fault_text(rc));
		return;
	}
	for (size_t i = 0; i < b->releases; i++)
		keymsg_round_release(round, &b->release[i].m);
	if (b->depot != NULL)
		keymsg_round_capability(round, &b->capability);
	r->asked = b->releases + (b->depot != NULL);
}

static json_t *
sealed(struct bytes data)
{
	return data.n != KEYSTORE_SEALED_LEN ? NULL :
	    jsontext_b64(data.p, data.n);
}

/* What keys answered, into the reply.  Until then the next batch grows, whose
 * requests change nothing that is shown or proved here. */
static void
get(struct keymsg_round *round, struct ledger_reply *r,
    const struct ledger_sink *sink)
{
	struct ledger_outbox *b = &r->box;

	r->again = false;
	for (size_t i = 0; r->asked > 0; i++, r->asked--) {
		bool key = i < b->releases;
		const char *what = key ? "release" : "capability";
		struct bytes data;
		int rc;

		while (sink->meanwhile != NULL && keymsg_round_waits(round) &&
		    sink->meanwhile(sink->ctx))
			;
		rc = keymsg_round_get(round, &data);
		/* Started anew since they signed. */
		if (rc == FAULT_NOT_FOUND)
			r->again = true;
		else if (rc != 0)
			(void)fault_set(&r->fault, rc, "%s: %s", what,
			    keymsg_text(rc));
		else if (json_object_set_new(key ? b->release[i].to : b->depot,
		    key ? "sealed" : what, key ? sealed(data) : json_stringn(
		    (const char *)data.p, data.n)) != 0)
			(void)fault_set(&r->fault, FAULT_MEMORY, "%s", what);
	}
}

static json_t *
consistency(struct ledger_log *g, uint64_t seen)
{
	struct merkle_source s = tile_tree_source(g->tree);
	struct merkle_proof p = { 0 };

	/* Who has seen more than there is knows enough. */
	if (seen == 0 || seen > g->shown_size)
		return json_array();
	if (merkle_prove_consistency(&s, seen, g->shown_size, &p) != 0)
		return NULL;
	return ledger_json_list(bytes_of(p.hash, p.n * MERKLE_LEN),
	    MERKLE_LEN);
}

/* Adds the member "log".  An answer that failed has nothing of what was made of
 * it: there are sealed keys in it. */
static void
finish(struct ledger_log *g, struct ledger_reply *r, json_t *checkpoint)
{
	if (r->fault.code == 0 && r->box.wanted && g->log != NULL &&
	    json_object_set_new(r->json, "log", json_pack("{s:O,s:o,s:O}",
	        "proofs", r->proofs, "consistency",
	        consistency(g, r->box.seen), "checkpoint", checkpoint)) != 0)
		(void)fault_set(&r->fault, FAULT_MEMORY, "out of memory");
	if (r->fault.code != 0 && r->box.wanted) {
		json_decref(r->json);
		r->json = NULL;
	}
}

/* One round at keys.  Returns whether some are to be asked again. */
static bool
pass(struct ledger *l, struct ledger_batch *b, json_t *checkpoint, bool last,
    const struct ledger_sink *sink)
{
	struct keymsg_round round defer(keymsg_round_wipe) =
	    keymsg_round(&l->keys);
	bool again = false;
	size_t asked = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct ledger_reply *r = &b->reply[i];

		while (asked < b->n && !keymsg_round_full(&round))
			ask(l, &round, &b->reply[asked++]);
		if (r->answered)
			continue;
		get(&round, r, sink);
		if (r->again && r->fault.code == 0) {
			again = true;
			if (!last)
				continue;
			(void)fault_set(&r->fault, FAULT_AUTHORITY,
			    "release: %s", keymsg_text(FAULT_AUTHORITY));
		}
		finish(&l->log, r, checkpoint);
		ledger_reply_send(l, b, i, sink);
	}
	return again;
}

void
ledger_complete(struct ledger *l, struct ledger_batch *b,
    const struct ledger_sink *sink)
{
	struct ledger_log *g = &l->log;
	json_t *checkpoint = json_stringn((const char *)g->shown.p,
	    g->shown.n);
	struct fault scrap = { 0 };
	int rc;

	if (g->log != NULL)
		tile_tree_init(g->tree, g->log->ops->tiles(g->log),
		    g->shown_size);
	if (pass(l, b, checkpoint, false, sink)) {
		/* What fails here they answer once more. */
		rc = ledger_log_resume(g, KEYMSG_WAIT_MS, &scrap);
		(void)rc;
		(void)pass(l, b, checkpoint, true, sink);
	}
	json_decref(checkpoint);
}
