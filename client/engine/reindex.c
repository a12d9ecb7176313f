// SPDX-License-Identifier: Apache-2.0
#include "client/engine/reindex.h"

#include <stdlib.h>
#include <string.h>

#include "client/engine/fetch.h"
#include "crypt/secret.h"
#include "net/text.h"
#include "object/merge.h"
#include "object/segwrite.h"

/* Some of the old segments, read together. */
struct group {
	struct reindex *x;
	struct fault why;        /* the block at fault, the first time */
	bool again;              /* all blocks were read before */
	bool gaps[SEGMENTS_MAX]; /* of all: they have lost blocks */
	size_t from, to;
	struct merge_segment seg[SEGMENTS_MAX];
	struct merge m;
};

static int
load(void *arg, const struct place *p, bool again, struct bytes *out)
{
	struct group *g = arg;

	return reader_block(stow_reader(g->x->stow), p, again, out);
}

static bool
pass(void *arg, const struct segment *s, uint32_t block, int why)
{
	struct group *g = arg;
	struct place p = segment_block_place(s, block);
	char hex[TEXT_HEX_SIZE(ID_LEN)];

	if (!fetch_is_lost(why))
		return false;
	if (g->again)
		return true;
	text_hex(p.object, ID_LEN, hex, sizeof(hex));
	(void)fault_set(&g->why, why, "a block of the index is lost: object %s "
	    "at %u: %s", hex, p.offset, fault_text(why));
	g->gaps[s - g->x->from->segment] = true;
	return g->x->lost(g->x->arg, &g->why);
}

/* One pass over a group; the entries that stay go to out, if there is one;
 * *total is their number. */
static int
read_group(struct group *g, struct segwrite *out, uint64_t *total)
{
	struct reindex *x = g->x;
	const struct merge_blocks from = { .seal = stow_reader(x->stow)->seal,
		.load = load, .pass = pass, .arg = g };
	struct merge_source src[SEGMENTS_MAX];
	struct index_entry e;
	uint64_t n = 0;
	int rc;

	merge_segments(&from, x->from->segment + g->from, g->to - g->from,
	    g->seg, src);
	rc = merge_init(&g->m, src, g->to - g->from);
	while (rc == 0 && (rc = merge_next(&g->m, &e)) == 1) {
		bool stays = x->stays(x->arg, e.id);

		rc = 0;
		n += stays;
		x->dropped += !stays && !g->again;
		if (out != NULL && stays)
			rc = segwrite_add(out, &e);
	}
	secret_wipe(&e, sizeof(e));
	if (rc == 0)
		*total = n;
	return rc;
}

/* Puts a segment with what a group has in front of the new index. */
static int
write_group(struct group *g, uint64_t total)
{
	struct reindex *x = g->x;
	struct segwrite *out defer(segwrite_freep) = NULL;
	struct segment s = { 0 };
	int rc;

	if (total == 0)
		return 0;
	rc = segwrite_new(stow_reader(x->stow)->seal, total,
	    (struct segwrite_sink){ .put = stow_block, .arg = x->stow }, &out);
	if (rc == 0)
		rc = read_group(g, out, &total);
	if (rc == 0)
		rc = segwrite_finish(out, &s);
	if (rc == 0)
		rc = commit_add_segment(x->out, &s);
	segment_wipe(&s);
	return rc;
}

static int
keep_old(struct reindex *x, size_t i)
{
	struct segment s = { 0 };
	int rc = segment_copy(&x->from->segment[i], &s);

	if (rc == 0)
		rc = commit_add_segment(x->out, &s);
	segment_wipe(&s);
	return rc;
}

static int
write_groups(struct group *g, uint64_t total)
{
	struct reindex *x = g->x;
	size_t n = x->from->segments;
	int rc = 0;

	for (g->to = n; rc == 0 && g->to > 0; g->to = g->from) {
		g->from = g->to - 1;
		if (x->keep && g->gaps[g->from])
			rc = keep_old(x, g->from);
		while (g->from > 0 && !(x->keep && g->gaps[g->from - 1]))
			g->from--;
		/* All of them were counted. */
		if (rc == 0 && g->to - g->from != n)
			rc = read_group(g, NULL, &total);
		if (rc == 0)
			rc = write_group(g, total);
	}
	return rc;
}

int
reindex_run(struct reindex *x, struct fault *f)
{
	struct group *g = calloc(1, sizeof(*g));
	const struct fault *inner = &stow_reader(x->stow)->fault;
	uint64_t total = 0;
	int rc;

	if (g == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	commit_drop_segments(x->out, x->out->segments);
	x->dropped = 0;
	g->x = x;
	g->to = x->from->segments;
	rc = read_group(g, NULL, &total);
	g->again = true;
	if (rc == 0)
		rc = write_groups(g, total);
	if (rc != 0 && g->why.code == rc)
		*f = g->why;
	else if (rc != 0 && inner->code == rc)
		*f = *inner;
	else if (rc != 0)
		(void)fault_set(f, rc, "%s", fault_text(rc));
	secret_wipe(g, sizeof(*g));
	free(g);
	return rc == 0 ? 0 : fault_add(f, rc, "index");
}
