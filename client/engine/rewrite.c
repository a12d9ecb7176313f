// SPDX-License-Identifier: Apache-2.0
#include "client/engine/rewrite.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/noun.h"
#include "client/engine/draft.h"
#include "client/engine/fetch.h"
#include "client/engine/fresh.h"
#include "client/engine/history.h"
#include "client/engine/idmap.h"
#include "client/engine/journal.h"
#include "client/engine/packer.h"
#include "client/engine/reader.h"
#include "client/engine/reindex.h"
#include "client/engine/reseal.h"
#include "client/engine/stow.h"
#include "crypt/secret.h"
#include "object/key.h"

#define TRIES 20
#define SHREDDED "(shredded)"

/* What names a chunk: something that is taken out, something that stays.  With
 * repair all that stays is noted, else only what of it is taken out, too. */
#define TAKEN 1u
#define KEPT 2u

/* A commit of the history, oldest last. */
struct past {
	struct ref ref;  /* as it is now */
	struct ref root; /* in the new epoch */
	bool has_root;
	uint64_t entries, bytes;
};

struct job {
	struct rewrite *w;
	struct space *space;
	struct journal *journal;
	struct packer_stats stats;
	struct packer *packer;
	struct fresh *fresh;
	struct stow *stow;
	struct reseal reseal;
	struct idmap chunks; /* ids: u8 of TAKEN, KEPT */
	struct idmap walked; /* leaves all of which is taken out */
	bool *found;        /* of each key: a commit had it, or may have */
	struct past *past;
	size_t n;
	bool cut;             /* there are more, which cannot be read */
	uint64_t number;      /* of the commit whose tree is sealed */
	struct commit index;  /* its segments alone: of all commits */
};

static void
job_wipe(struct job *j)
{
	commit_wipe(&j->index);
	reseal_wipe(&j->reseal);
	idmap_wipe(&j->chunks);
	idmap_wipe(&j->walked);
	free(j->found);
	if (j->past != NULL)
		secret_wipe(j->past, j->n * sizeof(*j->past));
	free(j->past);
	stow_free(j->stow);
	packer_free(j->packer);
	fresh_free(j->fresh);
	journal_close(j->journal);
	space_close(j->space);
}

static int
memory(struct fault *f)
{
	return fault_set(f, FAULT_MEMORY, "out of memory");
}

static int
failed(struct job *j, int rc, const char *what, struct fault *f)
{
	const struct fault *inner = &stow_reader(j->stow)->fault;

	if (inner->code == rc)
		*f = *inner;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return fault_add(f, rc, "%s", what);
}

/* Something that is lost, once: what began anew finds it again. */
static void
lose(struct job *j, struct bytes key, const struct fault *why)
{
	struct rewrite *w = j->w;

	w->lost++;
	if (w->why == 0 || why->code == FAULT_TAMPERED)
		w->why = why->code;
	if (w->warn != NULL)
		w->warn(w->warn_arg, key, why->text);
}

/* For struct reseal. */
static void
lose_node(void *arg, struct bytes key, uint64_t entries,
    const struct fault *why)
{
	struct job *j = arg;
	struct fault f = *why;
	char many[32] = "all";

	if (entries != 0)
		(void)snprintf(many, sizeof(many), "%llu",
		    (unsigned long long)entries);
	(void)fault_add(&f, f.code, "commit %llu: %s %s from here on %s "
	    "lost", (unsigned long long)j->number, many,
	    noun_for(entries, "entry", "entries"),
	    noun_for(entries, "is", "are"));
	lose(j, key, &f);
}

/* Whether the commits before c, of which f says why they are lost, can be left
 * as they are. */
static bool
leave_past(struct job *j, int rc, struct fault *f)
{
	if ((j->w->nkeys != 0 && !j->w->repair) || !fetch_is_lost(rc))
		return false;
	if (j->w->conflicts == 0)
		lose(j, bytes_of(NULL, 0), f);
	*f = (struct fault){ 0 };
	j->cut = true;
	return true;
}

/* The refs of all commits, from the head back. */
static int
find_past(struct job *j, struct fault *f)
{
	struct ref ref = j->space->head.commit;
	struct commit c defer(commit_wipe) = { 0 };
	size_t cap = 0;
	int rc;

	free(j->past);
	j->past = NULL;
	j->n = 0;
	j->cut = false;
	rc = reader_commit(stow_reader(j->stow), &ref, &c, f);
	while (rc == 0) {
		struct commit up = { 0 };

		if (j->n == cap) {
			struct past *p;

			cap = cap == 0 ? 64 : 2 * cap;
			p = reallocarray(j->past, cap, sizeof(*p));
			if (p == NULL)
				return memory(f);
			j->past = p;
		}
		j->past[j->n] = (struct past){ .ref = ref,
			.has_root = c.has_root, .root = c.root,
			.entries = c.entries, .bytes = c.bytes };
		j->n++;
		if (!c.has_parent)
			break;
		ref = c.parent;
		rc = history_parent(stow_reader(j->stow), &c, &up, f);
		commit_wipe(&c);
		c = up;
	}
	return rc == 0 || leave_past(j, rc, f) ? 0 : rc;
}

static int
take_chunk(void *arg, const uint8_t id[static CHUNK_ID_LEN])
{
	struct job *j = arg;
	uint8_t *why = idmap_add(&j->chunks, id);

	if (why == NULL)
		return FAULT_MEMORY;
	*why |= TAKEN;
	return 0;
}

static int
keep_chunk(void *arg, const uint8_t id[static CHUNK_ID_LEN])
{
	struct job *j = arg;
	uint8_t *why = j->w->repair ? idmap_add(&j->chunks, id) :
				      idmap_find(&j->chunks, id);

	if (why == NULL)
		return j->w->repair ? FAULT_MEMORY : 0;
	*why |= KEPT;
	return 0;
}

/* Of the chunks of an entry, those that can be known: with repair, some of its
 * content list may be lost. */
static int
each_chunk(struct job *j, const struct tree_entry *e,
    int (*each)(void *arg, const uint8_t id[static CHUNK_ID_LEN]),
    struct fault *f)
{
	int rc = reader_ids(stow_reader(j->stow), e, each, j, f);

	if (!j->w->repair || !fetch_is_lost(rc))
		return rc;
	(void)fault_add(f, rc, "commit %llu: a file's content",
	    (unsigned long long)j->number);
	lose(j, bytes_of(NULL, 0), f);
	*f = (struct fault){ 0 };
	return 0;
}

static int
keep_entry(void *arg, const struct tree_entry *e, struct fault *f)
{
	return each_chunk(arg, e, keep_chunk, f);
}

/* For struct reindex. */
static bool
stays(void *arg, const uint8_t id[static CHUNK_ID_LEN])
{
	struct job *j = arg;
	const uint8_t *why = idmap_find(&j->chunks, id);

	if (j->w->nkeys == 0)
		return true;
	return why == NULL ? !j->w->repair : (*why & KEPT) != 0;
}

/* For struct reindex. */
static bool
lose_block(void *arg, const struct fault *why)
{
	struct job *j = arg;

	if (j->w->nkeys != 0 && !j->w->repair)
		return false;
	if (j->w->conflicts == 0)
		lose(j, bytes_of(NULL, 0), why);
	return true;
}

/* Collects what one key and all below it name, in one commit's tree. */
static int
name_range(struct job *j, struct cursor *c, size_t k, struct fault *f)
{
	const struct bytes key = j->w->key[k];
	int rc = cursor_seek(c, key);

	while (rc == 1 && key_within(cursor_key(c), key)) {
		const struct tree_entry *e;
		struct cursor_node node;

		j->found[k] = true;
		/* A whole leaf that another commit had as well. */
		if (cursor_at_node(c, 0, &node) && !node.last &&
		    key_within(node.next, key)) {
			const uint8_t *hash = node.child.ref.hash;

			if (idmap_find(&j->walked, hash) != NULL) {
				rc = cursor_skip_node(c, 0);
				continue;
			}
			if (idmap_add(&j->walked, hash) == NULL)
				return memory(f);
		}
		rc = cursor_entry(c, NULL, &e);
		if (rc != 0)
			break;
		rc = each_chunk(j, e, take_chunk, f);
		if (rc != 0)
			return rc;
		rc = cursor_next(c);
	}
	if (fetch_is_lost(rc) && j->w->repair) {
		j->found[k] = true;
		return 0;
	}
	return rc < 0 ? failed(j, rc, "tree", f) : 0;
}

static int
check_found(struct job *j, struct fault *f)
{
	for (size_t k = 0; k < j->w->nkeys; k++) {
		struct buf path defer(buf_wipe) = buf_init(KEY_BYTES_MAX);

		if (j->found[k])
			continue;
		if (key_to_path(j->w->key[k], &path) != 0)
			path.n = 0;
		return fault_set(f, FAULT_NOT_FOUND, "%.*s is in no commit",
		    (int)path.n, (const char *)path.p);
	}
	return 0;
}

static int
name_all(struct job *j, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < j->n; i++) {
		struct cursor *c defer(cursor_freep) = NULL;

		if (!j->past[i].has_root)
			continue;
		j->number = j->space->head.number - i;
		rc = cursor_new(&j->past[i].root, CURSOR_LEVEL_ANY,
		    reader_nodes(stow_reader(j->stow)), &c);
		if (rc != 0)
			return memory(f);
		for (size_t k = 0; rc == 0 && k < j->w->nkeys; k++)
			rc = name_range(j, c, k, f);
	}
	return rc == 0 ? check_found(j, f) : rc;
}

/* For draft_salvage. */
static int
take_entry(void *arg, const struct tree_entry *e, struct fault *f)
{
	return each_chunk(arg, e, take_chunk, f);
}

/* The tree of one commit in the new epoch, without what is taken out; salvage:
 * and without what is lost.  Counts both. */
static int
seal_tree(struct job *j, const struct past *p, bool salvage,
    struct builder_tree *tree, struct fault *f)
{
	struct draft d defer(draft_wipe) = { 0 };
	struct draft_out out = { .key = j->w->key, .n = j->w->nkeys,
		.taken = take_entry, .lost = lose_node, .arg = j };
	struct ref root = p->root;
	int rc = 0;

	*tree = (struct builder_tree){ .has_root = p->has_root,
		.root = p->root, .entries = p->entries, .bytes = p->bytes };
	draft_init(&d, stow_reader(j->stow));
	if (salvage)
		rc = draft_salvage(&d, &j->space->commit.dedup, &out, tree, f);
	else if (j->w->nkeys != 0)
		rc = draft_without(&d, &j->space->commit.dedup, j->w->key,
		    j->w->nkeys, tree, f);
	j->reseal.source = draft_nodes(&d);
	if (rc == 0 && tree->has_root) {
		rc = reseal_tree(&j->reseal, &tree->root, &root, f);
		tree->root = root;
	}
	if (rc != 0)
		return rc;
	if (!salvage)
		out.removed = p->entries - tree->entries;
	else if (out.removed + out.entries < p->entries)
		j->w->given_up += p->entries - out.removed - out.entries;
	j->w->removed += out.removed;
	return 0;
}

static int
rewrite_tree(struct job *j, struct past *p, struct fault *f)
{
	struct builder_tree tree;
	int rc;

	if (!p->has_root)
		return 0;
	rc = seal_tree(j, p, false, &tree, f);
	if (j->w->repair && fetch_is_lost(rc)) {
		*f = (struct fault){ 0 };
		rc = seal_tree(j, p, true, &tree, f);
	}
	if (rc != 0)
		return rc;
	p->has_root = tree.has_root;
	p->root = tree.root;
	p->entries = tree.entries;
	p->bytes = tree.bytes;
	return 0;
}

static int
rewrite_index(struct job *j, struct fault *f)
{
	struct reindex x = { .stow = j->stow, .from = &j->space->commit,
		.out = &j->index, .stays = stays, .lost = lose_block,
		.arg = j, .keep = j->w->nkeys == 0 };
	int rc = reindex_run(&x, f);

	j->w->dropped = x.dropped;
	return rc;
}

static bool
mentions(const struct commit *c, struct bytes what)
{
	return what.n != 0 && memmem(c->message, c->message_len, what.p,
	    what.n) != NULL;
}

/* [custody] A message is somebody's words about the files: one that names what
 * is taken out goes, too. */
static void
clean_message(struct job *j, struct commit *c)
{
	for (size_t k = 0; k < j->w->nkeys; k++) {
		struct buf path defer(buf_wipe) = buf_init(KEY_BYTES_MAX);

		if (key_to_path(j->w->key[k], &path) == 0 &&
		    !mentions(c, buf_bytes(&path)) &&
		    !mentions(c, key_name(j->w->key[k])))
			continue;
		memcpy(c->message, SHREDDED, strlen(SHREDDED));
		c->message_len = strlen(SHREDDED);
		j->w->messages++;
		return;
	}
}

/* Seals a commit into the new epoch; its parent is *parent, unless that is none
 * yet, and then it is. */
static int
put_commit(struct job *j, struct commit *c, const struct past *p,
    struct ref *parent, struct fault *f)
{
	struct buf plain defer(buf_wipe) = buf_init(COMMIT_MAX);
	int rc;

	c->epoch = j->w->epoch;
	/* Of the oldest that can be read. */
	if (parent->plain_len == 0)
		c->has_parent = c->has_parent && j->w->nkeys == 0;
	else if (c->has_parent)
		c->parent = *parent;
	c->has_root = p->has_root;
	c->root = p->root;
	c->entries = p->entries;
	c->bytes = p->bytes;
	commit_drop_segments(c, c->segments);
	rc = commit_copy_segments(&j->index, c);
	if (rc == 0)
		rc = commit_encode(c, &plain);
	if (rc != 0)
		return fault_set(f, rc, "commit: %s", fault_text(rc));
	j->w->commits++;
	return stow_ref(j->stow, SEAL_COMMIT, buf_bytes(&plain), parent, f);
}

static int
put_commits(struct job *j, struct ref *last, struct fault *f)
{
	const struct space *sp = j->space;
	struct commit top defer(commit_wipe) = { .has_parent = true };
	struct timespec now;
	int rc = 0;

	for (size_t i = j->n; rc == 0 && i-- > 0;) {
		struct commit c defer(commit_wipe) = { 0 };

		rc = reader_commit(stow_reader(j->stow), &j->past[i].ref, &c,
		    f);
		if (rc != 0)
			return rc;
		clean_message(j, &c);
		rc = put_commit(j, &c, &j->past[i], last, f);
	}
	if (rc != 0)
		return rc;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	top.number = sp->head.number + 1;
	top.time_sec = now.tv_sec;
	top.time_nsec = (uint32_t)now.tv_nsec;
	memcpy(top.device, sp->ses->device, ID_LEN);
	top.dedup = sp->commit.dedup;
	top.message_len = (uint16_t)strlen(j->w->message);
	memcpy(top.message, j->w->message, top.message_len);
	j->w->number = top.number;
	return put_commit(j, &top, &j->past[0], last, f);
}

static int
move_head(struct job *j, const struct ref *ref, struct fault *f)
{
	struct session *ses = j->w->ses;
	const struct space_key *key = session_key(ses, j->w->epoch);
	struct head h = { .epoch = j->w->epoch, .number = j->w->number,
		.commit = *ref };
	uint8_t head[HEAD_LEN];
	int rc;

	if (key == NULL)
		return fault_set(f, FAULT_INTERNAL, "no key of the epoch");
	head_new_salt(&h);
	memcpy(h.space, ses->space, ID_LEN);
	head_hash(bytes_of(ses->head, HEAD_LEN), h.prev);
	memcpy(h.device, ses->device, ID_LEN);
	rc = head_seal(seal_bulk(stow_reader(j->stow)->seal), key, ses->sign,
	    &h, head);
	secret_wipe(&h, sizeof(h));
	if (rc != 0)
		return fault_set(f, rc, "head: %s", fault_text(rc));
	return session_move_head(ses, j->w->number - 1, head, f);
}

static bool
stopped(const struct job *j)
{
	return j->w->ses->stop != NULL && atomic_load(j->w->ses->stop);
}

static int
try_once(struct job *j, struct fault *f)
{
	struct rewrite *w = j->w;
	struct ref last = { 0 };
	int rc;

	w->removed = w->given_up = w->messages = w->commits = 0;
	rc = find_past(j, f);
	if (rc == 0 && w->nkeys != 0)
		rc = name_all(j, f);
	progress_expect(w->progress, j->n, 0);
	for (size_t i = j->n; rc == 0 && i-- > 0;) {
		if (stopped(j))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		j->number = j->space->head.number - i;
		rc = rewrite_tree(j, &j->past[i], f);
		progress_add(w->progress, 1, 0);
	}
	w->nodes = j->reseal.nodes;
	if (rc == 0)
		rc = rewrite_index(j, f);
	if (rc == 0)
		rc = put_commits(j, &last, f);
	if (rc == 0)
		rc = packer_flush(j->packer, f);
	return rc == 0 ? move_head(j, &last, f) : rc;
}

static int
begin(struct job *j, struct fault *f)
{
	struct rewrite *w = j->w;
	const struct space_key *key;
	int rc = space_open(w->ses, &j->space, f);

	if (rc != 0)
		return rc;
	if (!j->space->has_head)
		return fault_set(f, FAULT_NOT_FOUND,
		    "nothing was stored yet");
	key = session_key(w->ses, j->space->head.epoch);
	if (j->space->cache.dir >= 0 && key != NULL)
		rc = journal_open(j->space->cache.dir, key, &j->journal, f);
	if (rc != 0)
		return rc;
	j->chunks = idmap_init(1);
	j->walked = idmap_init(0);
	j->found = calloc(w->nkeys + 1, sizeof(*j->found));
	j->fresh = fresh_new();
	if (j->fresh == NULL || j->found == NULL)
		return memory(f);
	rc = packer_new(w->ses->store, NULL, &j->stats, EFFORT_AUTO,
	    &j->packer, f);
	if (rc == 0)
		rc = stow_new(j->space, j->packer, j->fresh, &j->stow, f);
	if (rc != 0)
		return rc;
	reseal_init(&j->reseal, j->stow);
	j->reseal.arg = j;
	if (w->nkeys != 0)
		j->reseal.entry = keep_entry;
	else
		j->reseal.lost = lose_node;
	return 0;
}

/* Another device was faster.  If it stored something, its commit is taken up;
 * what was sealed of the others stays good, unless more is to go now. */
static int
again(struct job *j, struct fault *f)
{
	int rc;

	j->w->conflicts++;
	if (session_epoch_now(j->w->ses) != j->space->head.epoch)
		return fault_set(f, FAULT_CONFLICT,
		    "another device rotates, too: run the command again");
	*f = (struct fault){ 0 };
	rc = space_reopen(j->space, f);
	if (rc == 0 && j->w->nkeys != 0)
		reseal_again(&j->reseal);
	return rc;
}

static void
count(struct job *j)
{
	for (size_t i = 0; i < j->chunks.cap; i++)
		if (j->chunks.used[i])
			j->w->kept += j->chunks.p[i * (IDMAP_KEY_LEN + 1) +
			    IDMAP_KEY_LEN] == (TAKEN | KEPT);
	j->w->objects = atomic_load(&j->stats.objects);
	j->w->sent = atomic_load(&j->stats.bytes);
}

/* With the new head, as any reader would: no commit has a key, and the index
 * has no chunk of those dropped. */
static int
verify(struct job *j, struct fault *f)
{
	struct reader *r = stow_reader(j->stow);
	int rc = space_reopen(j->space, f);

	if (rc == 0)
		rc = find_past(j, f);
	for (size_t i = 0; rc == 0 && i < j->n; i++) {
		struct cursor *c defer(cursor_freep) = NULL;

		if (!j->past[i].has_root)
			continue;
		if (cursor_new(&j->past[i].root, CURSOR_LEVEL_ANY,
		    reader_nodes(r), &c) != 0)
			return memory(f);
		for (size_t k = 0; k < j->w->nkeys; k++) {
			rc = cursor_seek(c, j->w->key[k]);
			if (rc < 0)
				return failed(j, rc, "tree", f);
			if (rc == 1 && key_within(cursor_key(c), j->w->key[k]))
				return fault_set(f, FAULT_INTERNAL,
				    "a path is still there");
		}
		rc = 0;
	}
	for (size_t i = 0; rc == 0 && i < j->chunks.cap; i++) {
		const uint8_t *p = j->chunks.p + i * (IDMAP_KEY_LEN + 1);
		struct index_entry e;

		if (!j->chunks.used[i] || (p[IDMAP_KEY_LEN] & KEPT) != 0)
			continue;
		rc = reader_find(r, p, &e, f);
		if (rc == 0)
			return fault_set(f, FAULT_INTERNAL,
			    "a chunk is still in the index");
		rc = rc == FAULT_NOT_FOUND ? 0 : rc;
	}
	return rc;
}

/* Sealings and journal of the epoch that is over, on this device. */
static void
drop_local(struct job *j)
{
	const struct cache *cache = &j->space->cache;
	const struct commit *c = &j->space->commit;

	if (j->journal != NULL)
		journal_clear(j->journal);
	reseal_drop_old(&j->reseal, cache);
	for (size_t i = 0; i < j->n; i++)
		cache_drop(cache, &j->past[i].ref.place);
	for (size_t i = 0; i < c->segments; i++)
		for (uint32_t b = 0; b < c->segment[i].blocks; b++) {
			struct place p = segment_block_place(&c->segment[i],
			    b);

			cache_drop(cache, &p);
		}
}

int
rewrite_run(struct rewrite *w, struct fault *f)
{
	struct job j defer(job_wipe) = { .w = w };
	int rc = begin(&j, f);

	for (unsigned i = 0; rc == 0 && i < TRIES; i++) {
		rc = try_once(&j, f);
		if (rc != FAULT_CONFLICT)
			break;
		rc = again(&j, f);
	}
	if (w->nkeys != 0 && !w->repair && fetch_is_lost(rc))
		return fault_add(f, rc, "what is lost cannot be searched, so "
		    "nothing was shredded: check --history names it, and a put "
		    "after that, from a device with a copy, stores it again; "
		    "with --repair shred gives it up");
	if (rc != 0)
		return rc;
	count(&j);
	drop_local(&j);
	rc = w->nkeys != 0 ? verify(&j, f) : 0;
	return rc == 0 ? 0 : fault_add(f, rc, "verification");
}
