// SPDX-License-Identifier: Apache-2.0
#include "authority/cosign.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/logline.h"
#include "tlog/checkpoint.h"
#include "tlog/cosig.h"

#define QUORUM_MS 4000
#define COURTESY_MS 1000
#define AVOID_MS 10000 /* who failed is not waited for where nobody has to */

struct round {
	struct cosign *c;
	struct log *log;
	struct bytes note;
	uint64_t size;
	struct buf *out;
	unsigned wait; /* witnesses, as bits */
	unsigned again; /* those that named another size */
	int64_t until;
};

static bool
met(const struct cosign *c, const struct buf *note)
{
	struct checkpoint cp;
	struct note n;

	return note_parse(buf_bytes(note), &n) == 0 &&
	    trust_check(c->trust, &n, &cp) == 0;
}

static void
tell(const struct round *r, const struct posting_answer *a, const char *event)
{
	struct logline l = logline_begin(LOGLINE_WARN, event);
	char text[256];
	size_t n = a->text.n < sizeof(text) ? a->text.n : sizeof(text) - 1;

	if (n != 0)
		memcpy(text, a->text.p, n);
	text[n] = '\0';
	logline_u64(&l, "witness", a->witness);
	logline_u64(&l, "size", r->size);
	if (a->kind == POSTING_SIZE)
		logline_u64(&l, "theirs", a->size);
	else
		logline_str(&l, "text", text);
	logline_end(&l);
}

/* Lines are taken only if the note with them is still good: one bad line of a
 * known witness would spoil it. */
static bool
take_lines(struct round *r, struct bytes lines)
{
	struct buf with defer(buf_wipe) = buf_init(NOTE_MAX);
	const struct trust *t = r->c->trust;
	uint64_t when;
	struct note n;

	if (note_parse_lines(lines, &n) != 0 ||
	    buf_append(&with, r->out->p, r->out->n) != 0 ||
	    buf_append(&with, lines.p, lines.n) != 0 ||
	    note_parse(buf_bytes(&with), &n) != 0)
		return false;
	for (size_t i = 0; i < t->nwitnesses; i++)
		if (cosig_verify(&n, &t->witness[i].key, &when) ==
		    FAULT_TAMPERED)
			return false;
	return buf_append(r->out, lines.p, lines.n) == 0;
}

static void
on_answer(struct round *r, const struct posting_answer *a)
{
	unsigned bit = 1u << a->witness;

	if ((r->wait & bit) == 0)
		return;
	r->wait &= ~bit;
	if (a->kind == POSTING_LINES && take_lines(r, a->text)) {
		r->c->witness[a->witness].size = r->size;
		r->c->witness[a->witness].failed = 0;
		return;
	}
	if (a->kind == POSTING_SIZE && a->size <= r->size &&
	    a->size != r->c->witness[a->witness].size) {
		r->c->witness[a->witness].size = a->size;
		r->again |= bit;
		return;
	}
	/* A larger tree than was ever signed here is a log with two faces. */
	tell(r, a, a->kind == POSTING_SIZE && a->size > r->size ?
	    "witness-ahead" : "witness-failed");
	r->c->witness[a->witness].failed = clock_ms();
}

static int
send(struct round *r, unsigned who)
{
	struct tile_tree *t = malloc(sizeof(*t));
	struct buf ask defer(buf_wipe) = buf_init(LINK_SOCKET_MAX);
	struct posting p = { .note = r->note };
	struct merkle_source s;
	int rc = t == NULL ? FAULT_MEMORY : 0;

	if (rc == 0) {
		tile_tree_init(t, r->log->ops->tiles(r->log), r->size);
		s = tile_tree_source(t);
	}
	for (unsigned i = 0; rc == 0 && i < r->c->n; i++) {
		struct posting_one *o = &p.one[p.n];

		if ((who & 1u << i) == 0)
			continue;
		o->witness = (uint8_t)i;
		o->old = r->c->witness[i].size;
		rc = merkle_prove_consistency(&s, o->old, r->size, &o->proof);
		p.n++;
	}
	free(t);
	if (rc == 0)
		rc = posting_write(&p, &ask);
	return rc != 0 ? rc : link_send(&r->c->courier, buf_bytes(&ask));
}

/* Until all answered, or the quorum is there, or it is too late. */
static int
listen(struct round *r)
{
	while (r->wait != 0) {
		struct buf b defer(buf_wipe) = buf_init(LINK_SOCKET_MAX);
		struct posting_answer a;
		int64_t left = r->until - clock_ms();
		int rc;

		if (left <= 0)
			return FAULT_AUTHORITY;
		rc = link_next(&r->c->courier, (int)left, &b);
		if (rc == 0)
			rc = posting_answer_read(buf_bytes(&b), &a);
		if (rc != 0)
			return rc;
		on_answer(r, &a);
		if (!r->c->trust->none && met(r->c, r->out))
			return 0;
	}
	return 0;
}

static void
ask(struct round *r, unsigned who)
{
	for (int i = 0; i < 2 && who != 0; i++) {
		r->wait = who;
		r->again = 0;
		if (send(r, who) != 0 || listen(r) != 0)
			break;
		who = r->again;
	}
	for (unsigned i = 0; i < r->c->n; i++)
		if ((r->wait & 1u << i) != 0 && clock_ms() >= r->until)
			r->c->witness[i].failed = clock_ms();
}

int
cosign_collect(struct cosign *c, struct log *log, struct bytes note,
    struct buf *out, struct fault *f)
{
	struct round r = { .c = c, .log = log, .note = note, .out = out };
	bool any = c->trust->none;
	struct checkpoint cp;
	unsigned who = 0;
	struct note n;
	int rc = note_parse(note, &n);

	if (rc == 0)
		rc = checkpoint_parse(n.text, &cp);
	if (rc == 0)
		rc = buf_append(out, note.p, note.n);
	if (rc != 0)
		return fault_set(f, rc, "checkpoint: %s", fault_text(rc));
	r.size = cp.size;
	r.until = clock_ms() + (any ? COURTESY_MS : QUORUM_MS);
	for (unsigned i = 0; i < c->n; i++)
		if (!any || c->witness[i].failed == 0 ||
		    clock_ms() - c->witness[i].failed > AVOID_MS)
			who |= 1u << i;
	ask(&r, who);
	return met(c, out) ? 0 : fault_set(f, FAULT_AUTHORITY,
	    "the log's witnesses have not cosigned, and nothing is released "
	    "until they do; try again");
}
