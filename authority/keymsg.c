// SPDX-License-Identifier: Apache-2.0
#include "authority/keymsg.h"

#include <string.h>

#include "authority/permit.h"
#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"

static void
space_write(struct wr *w, const struct keymsg_space *s)
{
	wr_copy(w, s->account, ID_LEN);
	wr_copy(w, s->space, ID_LEN);
	wr_u32(w, s->epoch);
	wr_u8(w, s->index);
}

static void
space_read(struct rd *r, struct keymsg_space *s)
{
	rd_copy(r, s->account, ID_LEN);
	rd_copy(r, s->space, ID_LEN);
	s->epoch = rd_u32(r);
	s->index = rd_u8(r);
}

static void
secret_write(struct wr *w, const struct keymsg_secret *s)
{
	wr_u8(w, s->has);
	if (s->has)
		wr_copy(w, s->wrapped, WRAP_LEN);
}

static void
secret_read(struct rd *r, struct keymsg_secret *s)
{
	uint8_t has = rd_u8(r);

	rd_require(r, has <= 1);
	s->has = has == 1;
	if (s->has)
		rd_copy(r, s->wrapped, WRAP_LEN);
}

static void
cover_write(struct wr *w, const struct keymsg_cover *m)
{
	space_write(w, &m->of);
	secret_write(w, &m->under);
	wr_u8(w, m->kind);
	wr_u16(w, (uint16_t)m->n);
	wr_copy(w, m->blob, m->n);
}

static void
cover_read(struct rd *r, struct keymsg_cover *m)
{
	space_read(r, &m->of);
	secret_read(r, &m->under);
	m->kind = rd_u8(r);
	m->n = rd_u16(r);
	rd_require(r, m->n >= 1 && m->n <= sizeof(m->blob));
	if (!r->failed)
		rd_copy(r, m->blob, m->n);
}

static void
receipt_write(struct wr *w, const struct receipt *r)
{
	wr_u8(w, (uint8_t)r->what);
	wr_u32(w, r->epoch);
	wr_copy(w, r->space, ID_LEN);
	wr_u64(w, (uint64_t)r->time);
	wr_copy(w, r->blobs, HASH_LEN);
}

static void
receipt_read(struct rd *r, struct receipt *m)
{
	uint8_t what = rd_u8(r);

	rd_require(r, what == RECEIPT_EPOCH || what == RECEIPT_CUSTODY);
	m->what = what;
	m->epoch = rd_u32(r);
	rd_copy(r, m->space, ID_LEN);
	m->time = (int64_t)rd_u64(r);
	rd_copy(r, m->blobs, HASH_LEN);
}

static void
capability_read(struct rd *r, struct keymsg_capability *m)
{
	size_t n = rd_u8(r);

	rd_require(r, n >= 1 && n <= CAPABILITY_DEPOT_MAX);
	if (r->failed)
		return;
	rd_copy(r, m->depot, n);
	rd_require(r, memchr(m->depot, 0, n) == NULL);
	m->depot[n] = '\0';
	rd_copy(r, m->prefix, ID_LEN);
	m->now = (int64_t)rd_u64(r);
}

static void
proof_write(struct wr *w, const struct merkle_proof *p)
{
	wr_u8(w, (uint8_t)p->n);
	wr_copy(w, p->hash, p->n * MERKLE_LEN);
}

static void
proof_read(struct rd *r, struct merkle_proof *p)
{
	size_t n = rd_u8(r);

	rd_require(r, n <= MERKLE_PROOF_MAX);
	p->n = r->failed ? 0 : n;
	rd_copy(r, p->hash, p->n * MERKLE_LEN);
}

static void
tree_write(struct wr *w, const struct keymsg_tree *t)
{
	wr_u64(w, t->size);
	wr_copy(w, t->root.b, MERKLE_LEN);
}

static void
tree_read(struct rd *r, struct keymsg_tree *t)
{
	t->size = rd_u64(r);
	rd_require(r, t->size <= MERKLE_SIZE_MAX);
	rd_copy(r, t->root.b, MERKLE_LEN);
}

static void
release_write(struct wr *w, const struct keymsg_release *m)
{
	space_write(w, &m->of);
	secret_write(w, &m->under);
	wr_copy(w, m->wrapped, WRAP_LEN);
	wr_copy(w, m->sign.b, sizeof(m->sign.b));
	wr_copy(w, m->box.b, sizeof(m->box.b));
	wr_u64(w, m->created);
	wr_copy(w, m->nonce, sizeof(m->nonce));
	wr_copy(w, m->digest, sizeof(m->digest));
	wr_copy(w, m->signature, sizeof(m->signature));
	wr_u16(w, (uint16_t)m->logged.entry.n);
	wr_copy(w, m->logged.entry.p, m->logged.entry.n);
	wr_copy(w, m->logged.key.b, sizeof(m->logged.key.b));
	wr_u64(w, m->logged.index);
	proof_write(w, &m->logged.path);
}

static void
release_read(struct rd *r, struct keymsg_release *m)
{
	space_read(r, &m->of);
	secret_read(r, &m->under);
	rd_copy(r, m->wrapped, WRAP_LEN);
	rd_copy(r, m->sign.b, sizeof(m->sign.b));
	rd_copy(r, m->box.b, sizeof(m->box.b));
	m->created = rd_u64(r);
	rd_copy(r, m->nonce, sizeof(m->nonce));
	rd_copy(r, m->digest, sizeof(m->digest));
	rd_copy(r, m->signature, sizeof(m->signature));
	m->logged.entry = rd_take(r, rd_u16(r));
	rd_require(r, m->logged.entry.n <= LEAF_MAX);
	rd_copy(r, m->logged.key.b, sizeof(m->logged.key.b));
	m->logged.index = rd_u64(r);
	proof_read(r, &m->logged.path);
}

int
keymsg_read(struct bytes in, struct keymsg *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct keymsg m = { .request = rd_u8(&r) };
	int rc;

	switch (m.request) {
	case PERMIT_ADMIT:
		space_read(&r, &m.u.admit.of);
		secret_read(&r, &m.u.admit.under);
		rd_copy(&r, m.u.admit.blob, sizeof(m.u.admit.blob));
		break;
	case PERMIT_RELEASE:
		release_read(&r, &m.u.release);
		break;
	case PERMIT_CAPABILITY:
		capability_read(&r, &m.u.capability);
		break;
	case PERMIT_RESUME:
		m.u.note = rd_take(&r, rd_u16(&r));
		break;
	case PERMIT_SIGN:
		m.u.sign.old = rd_u64(&r);
		tree_read(&r, &m.u.sign.tree);
		proof_read(&r, &m.u.sign.proof);
		break;
	case PERMIT_SECRET:
		space_read(&r, &m.u.secret);
		break;
	case PERMIT_COVER:
	case PERMIT_UNCOVER:
		cover_read(&r, &m.u.cover);
		break;
	case PERMIT_RECEIPT:
		receipt_read(&r, &m.u.receipt.r);
		break;
	default:
		return FAULT_MALFORMED;
	}
	rc = rd_finish(&r);
	if (rc != 0)
		return rc;
	*out = m;
	return 0;
}

const char *
keymsg_text(int code)
{
	return code == FAULT_AUTHORITY ?
	    "the authority's keys cannot be used now: their token or process "
	    "does not answer; try again" :
	    fault_text(code);
}

int
keymsg_next(struct bytes *packet, struct bytes *out)
{
	struct rd r = rd_from(packet->p, packet->n);
	struct bytes one = rd_take(&r, rd_u16(&r));

	if (r.failed)
		return FAULT_MALFORMED;
	*packet = bytes_of(r.p, r.left);
	*out = one;
	return 0;
}

int
keymsg_add(struct buf *packet, struct bytes one)
{
	struct wr w = wr_to(packet);
	size_t n = packet->n;

	wr_u16(&w, (uint16_t)one.n);
	wr_copy(&w, one.p, one.n);
	if (wr_finish(&w) != 0)
		packet->n = n;
	return wr_finish(&w);
}

/* An answer is u8 code (0, or that of a fault without its sign), then data. */
static int
answer_read(struct bytes *packet, struct bytes *data)
{
	struct bytes one;
	int rc = keymsg_next(packet, &one);

	if (rc == 0 && one.n == 0)
		rc = FAULT_MALFORMED;
	if (rc != 0)
		return rc;
	*data = bytes_of(one.p + 1, one.n - 1);
	return -(int)one.p[0];
}

static void round_take(struct keymsg_round *r);

/* Behind what is on its way: what that is answered is kept for who asked. */
static int
call_behind(struct keymsg_round *r, struct bytes ask, int ms,
    struct buf *answer)
{
	struct link *l = &r->line->link;

	r->rc = link_more(l, ask);
	while (r->rc == 0 && r->packets > 0)
		round_take(r);
	/* Without it, whatever came would be taken for the next packet's. */
	if (r->rc == 0)
		r->rc = link_next(l, ms, answer);
	return r->rc;
}

static int
call(struct keymsg_line *l, struct bytes ask, int ms, struct buf *answer)
{
	struct keymsg_round *r = l->round;

	return r != NULL && r->rc == 0 && r->packets > 0 ?
	    call_behind(r, ask, ms, answer) :
	    link_call(&l->link, ask, ms, answer);
}

static int
ask_for(struct keymsg_line *l, const struct wr *w, int ms, struct buf *data)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct buf packet defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct bytes left, got;
	int rc = wr_finish(w);

	if (rc == 0)
		rc = keymsg_add(&packet, buf_bytes(w->b));
	if (rc == 0)
		rc = call(l, buf_bytes(&packet), ms, &b);
	left = buf_bytes(&b);
	if (rc == 0)
		rc = answer_read(&left, &got);
	return rc != 0 ? rc : buf_append(data, got.p, got.n);
}

static int
ask(struct keymsg_line *l, const struct wr *w, struct buf *data)
{
	return ask_for(l, w, KEYMSG_WAIT_MS, data);
}

static int
ask_exact(struct keymsg_line *l, const struct wr *w, uint8_t *out, size_t n)
{
	struct buf data defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	int rc = ask(l, w, &data);

	if (rc != 0)
		return rc;
	if (data.n != n)
		return FAULT_MALFORMED;
	memcpy(out, data.p, n);
	return 0;
}

int
keymsg_admit(struct keymsg_line *l, const struct keymsg_admit *m,
    uint8_t out[static WRAP_LEN])
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);

	wr_u8(&w, PERMIT_ADMIT);
	space_write(&w, &m->of);
	secret_write(&w, &m->under);
	wr_copy(&w, m->blob, sizeof(m->blob));
	return ask_exact(l, &w, out, WRAP_LEN);
}

#define ROUND_GOT_MAX 1048576

struct keymsg_round
keymsg_round(struct keymsg_line *l)
{
	return (struct keymsg_round){ .line = l,
		.ask = buf_init(LINK_PIPE_MAX - 8),
		.got = buf_init(ROUND_GOT_MAX) };
}

void
keymsg_round_wipe(struct keymsg_round *r)
{
	if (r->line->round == r)
		r->line->round = NULL;
	buf_wipe(&r->ask);
	buf_wipe(&r->got);
}

bool
keymsg_round_full(const struct keymsg_round *r)
{
	return r->packets == KEYMSG_PACKETS;
}

static void
round_take(struct keymsg_round *r)
{
	if (r->at == r->got.n)
		r->got.n = r->at = 0;
	r->rc = r->packets == 0 ? FAULT_INTERNAL :
	    link_next(&r->line->link, KEYMSG_WAIT_MS, &r->got);
	r->packets--;
}

static void
round_send(struct keymsg_round *r)
{
	if (r->rc == 0 && keymsg_round_full(r))
		round_take(r);
	if (r->rc != 0 || r->asks == 0)
		return;
	r->line->round = r;
	r->rc = r->packets != 0 ?
	    link_more(&r->line->link, buf_bytes(&r->ask)) :
	    link_send(&r->line->link, buf_bytes(&r->ask));
	r->packets++;
	r->ask.n = r->asks = 0;
}

static void
round_put(struct keymsg_round *r, const struct wr *w)
{
	int rc = wr_finish(w);

	if (rc == 0 && r->asks == KEYMSG_MANY)
		round_send(r);
	if (rc == 0 && keymsg_add(&r->ask, buf_bytes(w->b)) != 0) {
		round_send(r);
		rc = keymsg_add(&r->ask, buf_bytes(w->b));
	}
	r->asks++;
	if (r->rc == 0)
		r->rc = rc;
}

void
keymsg_round_release(struct keymsg_round *r, const struct keymsg_release *m)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);

	wr_u8(&w, PERMIT_RELEASE);
	release_write(&w, m);
	round_put(r, &w);
}

void
keymsg_round_capability(struct keymsg_round *r,
    const struct keymsg_capability *m)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);
	size_t n = strnlen(m->depot, sizeof(m->depot) - 1);

	wr_u8(&w, PERMIT_CAPABILITY);
	wr_u8(&w, (uint8_t)n);
	wr_copy(&w, m->depot, n);
	wr_copy(&w, m->prefix, ID_LEN);
	wr_u64(&w, (uint64_t)m->now);
	round_put(r, &w);
}

/* Whether nothing is left of what came, and more is to come. */
static bool
round_dry(struct keymsg_round *r)
{
	if (r->rc == 0 && r->at == r->got.n && r->packets == 0)
		round_send(r);
	return r->rc == 0 && r->at == r->got.n;
}

bool
keymsg_round_waits(struct keymsg_round *r)
{
	return round_dry(r) && !link_ready(&r->line->link);
}

int
keymsg_round_get(struct keymsg_round *r, struct bytes *out)
{
	struct bytes left;
	int rc;

	if (round_dry(r))
		round_take(r);
	if (r->rc != 0 && r->at == r->got.n)
		return r->rc;
	left = bytes_of(r->got.p + r->at, r->got.n - r->at);
	rc = answer_read(&left, out);
	if (left.n == r->got.n - r->at) /* no answer at all */
		r->rc = rc;
	r->at = r->got.n - left.n;
	return rc;
}

int
keymsg_resume(struct keymsg_line *l, struct bytes note, int wait_ms,
    struct keymsg_tree *out)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct buf data defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);
	struct keymsg_tree t;
	struct rd r;
	int rc;

	wr_u8(&w, PERMIT_RESUME);
	wr_u16(&w, (uint16_t)note.n);
	wr_copy(&w, note.p, note.n);
	rc = ask_for(l, &w, wait_ms, &data);
	if (rc != 0)
		return rc;
	r = rd_from(data.p, data.n);
	tree_read(&r, &t);
	rc = rd_finish(&r);
	if (rc == 0)
		*out = t;
	return rc;
}

int
keymsg_sign(struct keymsg_line *l, const struct keymsg_sign *m,
    struct buf *note)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);

	wr_u8(&w, PERMIT_SIGN);
	wr_u64(&w, m->old);
	tree_write(&w, &m->tree);
	proof_write(&w, &m->proof);
	return ask(l, &w, note);
}

int
keymsg_secret(struct keymsg_line *l, const struct keymsg_space *of,
    uint8_t out[static WRAP_LEN])
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);

	wr_u8(&w, PERMIT_SECRET);
	space_write(&w, of);
	return ask_exact(l, &w, out, WRAP_LEN);
}

int
keymsg_cover(struct keymsg_line *l, const struct keymsg_cover *m, uint8_t *out)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);

	wr_u8(&w, PERMIT_COVER);
	cover_write(&w, m);
	return ask_exact(l, &w, out, m->n + WRAP_OVERHEAD);
}

int
keymsg_uncover(struct keymsg_line *l, const struct keymsg_cover *m,
    uint8_t *out)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);

	if (m->n <= WRAP_OVERHEAD)
		return FAULT_MALFORMED;
	wr_u8(&w, PERMIT_UNCOVER);
	cover_write(&w, m);
	return ask_exact(l, &w, out, m->n - WRAP_OVERHEAD);
}

int
keymsg_receipt(struct keymsg_line *l, const struct keymsg_receipt *m,
    uint8_t out[static RECEIPT_LEN])
{
	struct buf b defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct wr w = wr_to(&b);

	wr_u8(&w, PERMIT_RECEIPT);
	receipt_write(&w, &m->r);
	return ask_exact(l, &w, out, RECEIPT_LEN);
}
