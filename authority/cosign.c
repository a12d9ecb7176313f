// SPDX-License-Identifier: Apache-2.0
#include "authority/cosign.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/trouble.h"
#include "tlog/checkpoint.h"
#include "tlog/cosig.h"
#include "tlog/line.h"

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
	const struct trouble who = { .event = event, .whose = "witness",
		.number = a->witness };
	struct logline l;
	char text[256];
	size_t n = a->text.n < sizeof(text) ? a->text.n : sizeof(text) - 1;

	if (n != 0)
		memcpy(text, a->text.p, n);
	text[n] = '\0';
	if (!trouble_begin(&who, LOGLINE_WARN, &l))
		return;
	logline_u64(&l, "size", r->size);
	if (a->kind == POSTING_SIZE)
		logline_u64(&l, "theirs", a->size);
	else
		logline_str(&l, "text", text);
	logline_end(&l);
}

/* What the one signature of n is worth: 0, of a witness that is known;
 * FAULT_NOT_FOUND, of a key that is not; FAULT_TAMPERED, else. */
static int
weigh(const struct trust *t, const struct note *n)
{
	uint64_t when;
	size_t at = 0;

	for (size_t i = 0; i < t->nlogs; i++, at = 0)
		if (note_find(n, &t->log[i].key, &at) != NULL)
			return FAULT_TAMPERED; /* is there already */
	for (size_t i = 0; i < t->nwitnesses; i++) {
		int rc = cosig_verify(n, &t->witness[i].key, &when);

		if (rc != FAULT_NOT_FOUND)
			return rc;
	}
	return FAULT_NOT_FOUND;
}

static bool
is_there(const struct note *n, const struct note_sig *s)
{
	for (size_t i = 0; i < n->nsigs; i++)
		if (n->sig[i].id == s->id &&
		    bytes_cmp(n->sig[i].name, s->name) == 0)
			return true;
	return false;
}

/* Appends one of lines, if it is worth what is wanted.  True: it is there. */
static bool
take_line(struct round *r, const struct note_sig *s, struct bytes line,
    int want)
{
	struct note have, one;

	if (note_parse(buf_bytes(r->out), &have) != 0)
		return false;
	one = (struct note){ .text = have.text, .nsigs = 1, .sig = { *s } };
	if (weigh(r->c->trust, &one) != want)
		return false;
	return is_there(&have, s) || (have.nsigs < NOTE_SIGS_MAX &&
	    buf_append(r->out, line.p, line.n) == 0);
}

/* Up to max lines that are worth what is wanted.  Returns how many. */
static size_t
take_worth(struct round *r, const struct note *n, int want, size_t max)
{
	struct bytes left = n->lines, line;
	size_t taken = 0;

	for (size_t i = 0; i < n->nsigs && taken < max &&
	    line_next(&left, &line) == 0; i++) {
		line.n++; /* its newline */
		if (line.n <= NOTE_LINE_MAX)
			taken += take_line(r, &n->sig[i], line, want);
	}
	return taken;
}

/* [log] One line of each known witness, if it holds; where there is none, one
 * that nobody here can check.  So no witness fills the note, or spoils it by a
 * line of another's key. */
static bool
take_lines(struct round *r, struct bytes lines)
{
	struct note n;

	return note_parse_lines(lines, &n) == 0 &&
	    (take_worth(r, &n, 0, NOTE_SIGS_MAX) != 0 ||
	    take_worth(r, &n, FAULT_NOT_FOUND, 1) != 0);
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
