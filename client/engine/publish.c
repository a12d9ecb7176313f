// SPDX-License-Identifier: Apache-2.0
#include "client/engine/publish.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/engine/fetch.h"
#include "client/engine/mend.h"
#include "client/engine/threeway.h"
#include "crypt/secret.h"
#include "object/merge.h"
#include "object/segwrite.h"

#define TRIES 20
/*
 * [pack] Merging: a segment joins while it has at most so many times the
 * entries of what is being written, or both are few.  So 10^6 entries are in
 * four segments at most, of which the newest is mostly in the space's tail: a
 * lookup takes three blocks.
 */
#define MERGE_RATIO 10u
#define MERGE_FEW 1024u

static int
inner_fault(struct publish *p, int rc, const char *what, struct fault *f)
{
	const struct fault *inner = &stow_reader(p->stow)->fault;

	if (inner->code == rc)
		*f = *inner;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return fault_add(f, rc, "%s", what);
}

/* What one pass over the merge reads: the new entries, then old segments. */
struct sources {
	struct merge_array fresh;
	struct merge_segment *seg;
	struct merge_source src[MERGE_SOURCES_MAX];
	size_t n;
};

static void
begin_sources(struct publish *p, const struct commit *c, size_t joined,
    const struct index_entry *e, size_t n, struct sources *s)
{
	const struct merge_blocks from = { .seal = stow_reader(p->stow)->seal,
		.load = reader_block, .pass = p->repair ? mend_pass : NULL,
		.arg = stow_reader(p->stow) };

	s->fresh = (struct merge_array){ .e = e, .n = n };
	s->src[0] = (struct merge_source){ .next = merge_array_next,
		.arg = &s->fresh };
	merge_segments(&from, c->segment, joined, s->seg, s->src + 1);
	s->n = joined + 1;
}

/* No entries in *out: there are none. */
static int
write_merged(struct publish *p, struct sources *s, const struct commit *c,
    size_t joined, const struct index_entry *e, size_t n, struct segment *out)
{
	struct segwrite *w defer(segwrite_freep) = NULL;
	struct index_entry one;
	struct merge *m = malloc(sizeof(*m));
	uint64_t total = 0;
	int rc;

	if (m == NULL)
		return FAULT_MEMORY;
	begin_sources(p, c, joined, e, n, s);
	rc = merge_init(m, s->src, s->n);
	if (rc == 0)
		rc = merge_count(m, &total);
	if (rc == 0 && total != 0)
		rc = segwrite_new(stow_reader(p->stow)->seal, total,
		    (struct segwrite_sink){ .put = stow_block,
		    .arg = p->stow }, &w);
	begin_sources(p, c, joined, e, n, s);
	if (rc == 0)
		rc = merge_init(m, s->src, s->n);
	while (rc == 0 && (rc = merge_next(m, &one)) == 1)
		rc = segwrite_add(w, &one);
	if (rc == 0 && total != 0)
		rc = segwrite_finish(w, out);
	secret_wipe(m, sizeof(*m));
	free(m);
	return rc;
}

/* How many of the newest segments are written anew with n new entries. */
static size_t
to_join(const struct commit *c, uint64_t n, const struct mend_index *mend)
{
	uint64_t sum = n;
	size_t joined = 0;

	while (joined < mend->most && (joined < mend->least ||
	    c->segment[joined].entries <= MERGE_RATIO * sum ||
		c->segment[joined].entries + sum <= MERGE_FEW))
		sum += c->segment[joined++].entries;
	return joined;
}

/* The new entries and the newest segments become one. */
static int
join(struct publish *p, struct commit *c, size_t joined,
    const struct index_entry *e, size_t n)
{
	struct sources s = { .seg = calloc(joined + 1, sizeof(*s.seg)) };
	struct segment seg defer(segment_wipe) = { 0 };
	int rc;

	if (s.seg == NULL)
		return FAULT_MEMORY;
	rc = write_merged(p, &s, c, joined, e, n, &seg);
	secret_wipe(s.seg, (joined + 1) * sizeof(*s.seg));
	free(s.seg);
	if (rc != 0)
		return rc;
	commit_drop_segments(c, joined);
	return seg.entries == 0 ? 0 : commit_add_segment(c, &seg);
}

/* Writes the new entries, and the newest small segments with them, as one. */
static int
write_index(struct publish *p, struct commit *c, struct fault *f)
{
	struct mend_index mend;
	struct index_entry *e;
	size_t n, joined;
	int rc;

	e = fresh_entries(p->fresh, &n);
	rc = mend_index(p->space, p->stow, c, p->repair, &mend, f);
	if (rc != 0 || (n == 0 && mend.least == 0))
		return rc;
	n = index_sort(e, n);
	joined = to_join(c, n, &mend);
	rc = join(p, c, joined, e, n);
	/* Lost blocks of which no check knows: what is new goes beside them. */
	if (joined > mend.least && fetch_is_local(rc))
		rc = join(p, c, mend.least, e, n);
	return rc == 0 ? 0 : inner_fault(p, rc, "index", f);
}

/* Cuts at a character's start, so that what is left is UTF-8. */
static void
set_message(struct commit *c, const char *message)
{
	size_t n = strlen(message);

	if (n > MESSAGE_MAX) {
		n = MESSAGE_MAX;
		while (n > 0 && ((unsigned char)message[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(c->message, message, n);
	c->message_len = (uint16_t)n;
}

static int
fill_commit(struct publish *p, const struct builder_tree *tree,
    struct commit *c, struct fault *f)
{
	const struct space *sp = p->space;
	const struct session *ses = sp->ses;
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return fault_set(f, FAULT_INTERNAL, "no clock");
	c->epoch = session_epoch_now(ses);
	c->number = sp->has_head ? sp->head.number + 1 : 1;
	c->time_sec = now.tv_sec;
	c->time_nsec = (uint32_t)now.tv_nsec;
	memcpy(c->device, ses->device, ID_LEN);
	c->dedup = sp->commit.dedup;
	c->has_parent = sp->has_head;
	if (sp->has_head)
		c->parent = sp->head.commit;
	c->has_root = tree->has_root;
	c->root = tree->root;
	c->entries = tree->entries;
	c->bytes = tree->bytes;
	set_message(c, p->message);
	if (commit_copy_segments(&sp->commit, c) != 0)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	return write_index(p, c, f);
}

static int
make_head(struct publish *p, const struct commit *c, const struct ref *ref,
    uint8_t out[static HEAD_LEN], struct fault *f)
{
	struct space *sp = p->space;
	struct session *ses = sp->ses;
	const struct space_key *key = session_key(ses, c->epoch);
	struct head h = { .epoch = c->epoch, .number = c->number };
	int rc;

	head_new_salt(&h);
	memcpy(h.space, ses->space, ID_LEN);
	if (sp->has_head)
		head_hash(bytes_of(ses->head, HEAD_LEN), h.prev);
	h.commit = *ref;
	memcpy(h.device, ses->device, ID_LEN);
	rc = head_seal(seal_bulk(stow_reader(p->stow)->seal), key, ses->sign,
	    &h, out);
	secret_wipe(&h, sizeof(h));
	return rc == 0 ? 0 : fault_set(f, rc, "sealing the head: %s",
	    fault_text(rc));
}

/* One try on top of the space's current head. */
static int
try_once(struct publish *p, const struct builder_tree *tree, struct fault *f)
{
	struct commit c defer(commit_wipe) = { 0 };
	struct buf plain defer(buf_wipe) = buf_init(COMMIT_MAX);
	uint8_t head[HEAD_LEN];
	struct ref ref;
	int rc;

	rc = fill_commit(p, tree, &c, f);
	if (rc != 0)
		return rc;
	rc = commit_encode(&c, &plain);
	if (rc != 0)
		return fault_set(f, rc, "commit: %s", fault_text(rc));
	rc = stow_ref(p->stow, SEAL_COMMIT, buf_bytes(&plain), &ref, f);
	if (rc == 0)
		rc = packer_flush(p->packer, f);
	if (rc == 0)
		rc = make_head(p, &c, &ref, head, f);
	if (rc != 0)
		return rc;
	p->number = c.number;
	return session_move_head(p->space->ses, c.number - 1, head, f);
}

int
publish_tree(struct publish *p, const struct builder_tree *tree,
    struct fault *f)
{
	struct builder_tree ours = *tree;
	struct ref base = p->space->commit.root;
	bool has_base = p->space->commit.has_root;
	uint32_t epoch = session_epoch_now(p->space->ses);

	for (unsigned i = 0; i < TRIES; i++) {
		struct threeway t = { .stow = p->stow };
		int rc = try_once(p, &ours, f);

		if (rc != FAULT_CONFLICT)
			return rc;
		p->conflicts++;
		/* [custody] What was found in the old index may be gone from
		 * the new one, and old nodes may not live on. */
		if (session_epoch_now(p->space->ses) != epoch) {
			p->rotated = true;
			return rc;
		}
		rc = space_reopen(p->space, f);
		if (rc != 0)
			return rc;
		t.base = has_base ? &base : NULL;
		t.ours = ours.has_root ? &ours.root : NULL;
		t.theirs = p->space->commit.has_root ?
		    &p->space->commit.root : NULL;
		t.dedup = &p->space->commit.dedup;
		memcpy(t.device, p->space->ses->device, ID_LEN);
		rc = threeway_merge(&t, &ours, f);
		if (rc != 0)
			return fault_add(f, rc, "merging");
		p->renamed += t.renamed;
		base = p->space->commit.root;
		has_base = p->space->commit.has_root;
	}
	return fault_set(f, FAULT_CONFLICT,
	    "the space is being changed by others all the time");
}
