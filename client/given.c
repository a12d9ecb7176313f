// SPDX-License-Identifier: Apache-2.0
#include "client/given.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/rd.h"
#include "base/wr.h"
#include "client/custodian.h"
#include "client/file.h"
#include "client/state.h"

#define GIVEN_FILE "given"
#define ONE_LEN (sizeof(struct sign_pub) + 4)
#define BODY_MAX (GIVEN_MAX * ONE_LEN)

static void
givens_freep(struct givens **g)
{
	free(*g);
}

int
given_parse(struct bytes body, struct givens *out)
{
	struct rd r = rd_from(body.p, body.n);

	if (body.n % ONE_LEN != 0)
		return FAULT_MALFORMED;
	if (body.n > BODY_MAX)
		return FAULT_LIMIT;
	out->n = body.n / ONE_LEN;
	for (size_t i = 0; i < out->n; i++) {
		rd_copy(&r, out->one[i].holder.b, sizeof(struct sign_pub));
		out->one[i].epoch = rd_u32(&r);
	}
	return rd_finish(&r);
}

int
given_format(const struct givens *g, struct buf *out)
{
	struct wr w = wr_to(out);

	for (size_t i = 0; i < g->n; i++) {
		wr_copy(&w, g->one[i].holder.b, sizeof(struct sign_pub));
		wr_u32(&w, g->one[i].epoch);
	}
	return wr_finish(&w);
}

static int
load(const struct state *st, struct givens *out, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int rc = file_load(st->fd, GIVEN_FILE, FILE_GIVEN, &b, f);

	if (rc == 0)
		rc = given_parse(buf_bytes(&b), out);
	if (rc == FAULT_NOT_FOUND)
		out->n = rc = 0;
	if (rc == FAULT_MALFORMED)
		return fault_set(f, FAULT_CONFIG, "%s: " GIVEN_FILE
		    ": damaged", st->dir);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

static int
save(const struct state *st, const struct givens *g, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int rc;

	if (g->n == 0)
		return file_remove(st->fd, GIVEN_FILE, f);
	rc = given_format(g, &b);
	if (rc == 0)
		rc = file_save(st->fd, GIVEN_FILE, FILE_GIVEN, buf_bytes(&b),
		    f);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

static size_t
find(const struct givens *g, const struct given *x)
{
	size_t i = 0;

	while (i < g->n && (g->one[i].epoch != x->epoch ||
	    memcmp(&g->one[i].holder, &x->holder, sizeof(x->holder)) != 0))
		i++;
	return i;
}

static int
add(struct givens *g, const struct given *x, struct fault *f)
{
	if (find(g, x) < g->n)
		return 0;
	if (g->n == GIVEN_MAX)
		return fault_set(f, FAULT_LIMIT, "too many moves of the "
		    "custody were broken off: run skerry rotate");
	g->one[g->n++] = *x;
	return 0;
}

int
given_note(const struct session *ses, const struct custody *set,
    struct fault *f)
{
	struct givens *g defer(givens_freep) = malloc(sizeof(*g));
	int lock defer(fd_close) = -1;
	int rc;

	if (g == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = state_lock(ses->state, &lock, f);
	if (rc == 0)
		rc = load(ses->state, g, f);
	for (size_t e = 0; e < ses->nepochs; e++)
		for (int i = 1; rc == 0 && i < set->n; i++)
			rc = add(g, &(struct given){ .epoch =
			    ses->epochs[e].epoch, .holder =
			    set->holder[i].signing }, f);
	return rc != 0 || set->n == 1 ? rc : save(ses->state, g, f);
}

static int
forget(const struct state *st, const struct given *x, struct fault *f)
{
	struct givens *g defer(givens_freep) = malloc(sizeof(*g));
	int lock defer(fd_close) = -1;
	size_t i;
	int rc;

	if (g == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = state_lock(st, &lock, f);
	if (rc == 0)
		rc = load(st, g, f);
	if (rc != 0)
		return rc;
	i = find(g, x);
	if (i < g->n)
		g->one[i] = g->one[--g->n];
	return save(st, g, f);
}

/* FAULT_PARTIAL: it is away, or the policy does not have it any more. */
static int
destroy(struct session *ses, const struct given *x, struct epoch_ends *ends,
    struct fault *f)
{
	const struct policy_authority *p = policy_find_signing(
	    ses->state->policy, &x->holder);
	int rc = p == NULL ? fault_set(f, FAULT_PARTIAL, "epoch %u: a holder "
	    "that a move was broken off for is not in the policy", x->epoch) :
	    epoch_end_at(ses, p, x->epoch, ends, f);

	/* It was never given any, nor the chain that it would know us by. */
	if (rc == FAULT_DENIED)
		return 0;
	return rc != FAULT_AUTHORITY ? rc : fault_set(f, FAULT_PARTIAL,
	    "epoch %u is not destroyed everywhere (%s, in %s, which a move "
	    "was broken off for, does not answer): run skerry rotate again",
	    x->epoch, p->name, p->jurisdiction);
}

int
given_settle(struct session *ses, struct epoch_ends *ends, size_t *left,
    struct fault *f)
{
	struct givens *g defer(givens_freep) = malloc(sizeof(*g));
	const uint32_t now = epoch_of_head(ses);
	struct custodian c;
	int worst = 0, rc;

	if (g == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	*left = 0;
	rc = load(ses->state, g, f);
	if (rc == 0)
		rc = custodian_load(ses->state, &c, f);
	for (size_t i = 0; rc == 0 && i < g->n; i++) {
		const struct given *x = &g->one[i];
		bool holds = custody_find(&c.set, &x->holder) >= 0;
		struct fault why = { 0 };

		if (!holds && x->epoch >= now) {
			++*left;
			continue;
		}
		if (!holds)
			rc = destroy(ses, x, ends, &why);
		if (rc == 0)
			rc = forget(ses->state, x, &why);
		if (rc != 0)
			*f = why;
		if (rc == FAULT_PARTIAL) {
			worst = rc;
			rc = 0;
		}
	}
	return rc != 0 ? rc : worst;
}
