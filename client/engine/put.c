// SPDX-License-Identifier: Apache-2.0
/*
 * The walk over the sources, by another thread, goes along with a cursor over
 * the old tree.  What
 * did not change is a run, copied from the old tree by whole nodes; what did is
 * a record, whose content the pool stows meanwhile.
 */
#include "client/engine/put.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/engine/journal.h"
#include "client/engine/leaves.h"
#include "client/engine/lost.h"
#include "client/engine/mend.h"
#include "client/engine/pool.h"
#include "client/engine/publish.h"
#include "client/engine/reader.h"
#include "client/engine/record.h"
#include "client/engine/source.h"
#include "client/engine/walk.h"
#include "client/engine/walkahead.h"
#include "client/path.h"
#include "client/state.h"
#include "object/key.h"

/* Records that may wait behind a file that is being stowed. */
#define QUEUE_MAX 4096u
#define ROTATIONS_MAX 4

struct putting {
	struct put *p;
	struct space *space;
	struct journal *journal;
	struct packer_stats stats;
	struct packer *packer;
	struct fresh *fresh;
	struct stow *stow;      /* this thread's */
	struct pool *pool;      /* NULL where nothing is read */
	struct chunker *chunker;
	struct records records;
	struct source source;

	struct cursor *old;     /* along the walk */
	struct leaves leaves;   /* of it, ahead */
	struct statcache *stats_cache;
	bool running;           /* a run of unchanged keys is open … */
	struct buf run_from;    /* … from this key on */
	struct buf made;        /* the last folder made above a source */
	bool stored;            /* something was read, to be stored */
	struct mend mend;
	struct bytes *keys;     /* owned; of the sources, for mend */
	bool rotated;           /* the space has got another epoch meanwhile */
};

static void
putting_wipe(struct putting *w)
{
	pool_free(w->pool);
	records_wipe(&w->records);
	statcache_close(w->stats_cache, false);
	cursor_free(w->old);
	stow_free(w->stow);
	packer_free(w->packer);
	fresh_free(w->fresh);
	chunker_free(w->chunker);
	journal_close(w->journal);
	space_close(w->space);
	free(w->keys);
	buf_wipe(&w->run_from);
	buf_wipe(&w->made);
}

static int
recall(void *arg, const struct index_entry *e)
{
	return fresh_journaled(arg, e);
}

static int
open_journal(struct putting *w, struct fault *f)
{
	const struct session *ses = w->p->ses;
	const struct space_key *key = session_key(ses,
	    session_epoch_now(ses));
	int rc;

	if (w->space->cache.dir < 0 || key == NULL)
		return 0;
	rc = journal_open(w->space->cache.dir, key, &w->journal, f);
	if (rc != 0 || w->journal == NULL)
		return rc;
	rc = journal_read(w->journal, recall, w->fresh);
	return rc == 0 ? 0 : fault_set(f, rc, "journal: %s", fault_text(rc));
}

static unsigned
workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 2 ? 2 : n > 8 ? 8 : (unsigned)n;
}

/* What was found lost, as far as it can be, is there again. */
static int
mend(struct putting *w, struct fault *f)
{
	struct put *p = w->p;

	w->mend = (struct mend){ .space = w->space, .stow = w->stow,
		.key = p->key, .n = p->nkeys, .repair = p->repair,
		.warn = p->warn, .arg = p->warn_arg };
	if (p->sources != 0) {
		w->keys = calloc(p->sources, sizeof(*w->keys));
		if (w->keys == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		for (size_t i = 0; i < p->sources; i++)
			w->keys[i] = p->source[i].key;
		w->mend.key = w->keys;
		w->mend.n = p->sources;
	}
	return mend_all(&w->mend, f);
}

/* What both put and removal need. */
static int
begin(struct putting *w, struct fault *f)
{
	const struct ref *root;
	int rc;

	w->run_from = buf_init(KEY_BYTES_MAX + 1);
	w->made = buf_init(KEY_BYTES_MAX);
	w->running = true;
	rc = w->p->repair ? space_open_anew(w->p->ses, &w->space, f) :
			    space_open(w->p->ses, &w->space, f);
	if (rc != 0)
		return rc;
	lost_read(w->space->cache.dir, &w->space->lost);
	w->fresh = fresh_new();
	if (w->fresh == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = open_journal(w, f);
	if (rc == 0)
		rc = packer_new(w->p->ses->store, w->journal, &w->stats,
		    w->p->effort, &w->packer, f);
	if (rc == 0)
		rc = stow_new(w->space, w->packer, w->fresh, &w->stow, f);
	if (rc == 0)
		rc = mend(w, f);
	if (rc != 0)
		return rc;
	root = w->space->commit.has_root ? &w->space->commit.root : NULL;
	rc = records_init(&w->records, w->stow, &w->space->commit.dedup, root,
	    f);
	if (rc != 0)
		return rc;
	rc = cursor_new(root, CURSOR_LEVEL_ANY,
	    reader_nodes(stow_reader(w->stow)), &w->old);
	return rc == 0 ? 0 : fault_set(f, rc, "%s", fault_text(rc));
}

static int
begin_reading(struct putting *w, struct fault *f)
{
	int rc = chunker_new(&w->space->commit.dedup, &w->chunker);

	w->source = (struct source){ .records = &w->records,
		.chunker = w->chunker, .progress = w->p->progress,
		.stop = w->p->ses->stop };
	if (rc == 0)
		rc = source_init(&w->source, &w->space->commit.dedup);
	if (rc != 0)
		return fault_set(f, rc, "%s", fault_text(rc));
	rc = pool_new(w->space, w->packer, w->fresh, workers(),
	    (struct pool_done){ .done = source_done, .arg = &w->source },
	    &w->pool, f);
	w->source.pool = w->pool;
	return rc;
}

/* A fault of the walk's own cursor. */
static int
old_fault(struct putting *w, int rc, struct fault *f)
{
	const struct fault *inner = &stow_reader(w->stow)->fault;

	if (inner->code == rc)
		*f = *inner;
	else
		(void)fault_set(f, rc, "%s", fault_text(rc));
	return fault_add(f, rc, "tree");
}

/* Past the old entry ahead, which is within range. */
static int
step_old(struct putting *w, struct bytes range, struct fault *f)
{
	int rc = cursor_next(w->old);

	if (rc < 0)
		return old_fault(w, rc, f);
	leaves_ahead(&w->leaves, stow_reader(w->stow), w->old, range);
	return 0;
}

/* Ends the run before key: something changes there. */
static int
end_run(struct putting *w, struct bytes key, struct fault *f)
{
	if (!w->running)
		return 0;
	w->running = false;
	if (bytes_cmp(buf_bytes(&w->run_from), key) >= 0)
		return 0;
	return records_push_run(&w->records, buf_bytes(&w->run_from), key, f);
}

static int
begin_run(struct putting *w, struct bytes from, struct fault *f)
{
	if (w->running)
		return 0;
	w->running = true;
	w->run_from.n = 0;
	if (buf_append(&w->run_from, from.p, from.n) != 0)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	return 0;
}

/* The first key after key, whatever is below it. */
static int
begin_run_after(struct putting *w, struct bytes key, struct fault *f)
{
	int rc = begin_run(w, key, f);

	if (rc == 0 && buf_append(&w->run_from, "", 1) != 0)
		rc = fault_set(f, FAULT_MEMORY, "out of memory");
	return rc;
}

/* Old entries of the source's range before key are not there any more. */
static int
drop_until(struct putting *w, struct bytes range, struct bytes key,
    struct fault *f)
{
	while (!cursor_end(w->old) && key_within(cursor_key(w->old), range) &&
	    (key.n == 0 || bytes_cmp(cursor_key(w->old), key) < 0)) {
		int rc = end_run(w, cursor_key(w->old), f);

		if (rc != 0)
			return rc;
		w->p->changed = true;
		w->p->removed++;
		rc = step_old(w, range, f);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Keeps the queue short: takes back slabs, and takes out what is complete. */
static int
pump(struct putting *w, struct fault *f)
{
	int rc = records_drain(&w->records, f);

	while (rc == 0 && w->records.n > QUEUE_MAX) {
		if (pool_under_way(w->pool) == 0)
			rc = pool_submit(w->pool, f);
		if (rc == 0)
			rc = pool_reap(w->pool, f);
		if (rc == 0)
			rc = records_drain(&w->records, f);
	}
	return rc;
}

static int
note_unchanged(struct putting *w, struct bytes key, uint64_t stat_fp,
    uint64_t entry_fp, struct fault *f)
{
	struct record *r;
	int rc;

	if (w->records.first == NULL) {
		statcache_note(w->stats_cache, key, stat_fp, entry_fp);
		return 0;
	}
	rc = records_push(&w->records, RECORD_NOTE, key, &r, f);
	if (rc == 0) {
		r->stat_fp = stat_fp;
		r->entry_fp = entry_fp;
	}
	return rc;
}

/* Is the entry ahead in the old tree what the item became last time?  1, 0. */
static int
unchanged(struct putting *w, const struct walk_item *item, uint64_t stat_fp,
    bool have_old, struct fault *f)
{
	uint64_t was_stat, was_entry;
	struct bytes raw;
	int rc;

	if (!statcache_find(w->stats_cache, item->key, &was_stat, &was_entry) ||
	    !have_old || was_stat != stat_fp)
		return 0;
	rc = cursor_entry(w->old, &raw, NULL);
	if (rc != 0)
		return old_fault(w, rc, f);
	if (statcache_entry(w->stats_cache, raw) != was_entry)
		return 0;
	rc = note_unchanged(w, item->key, stat_fp, was_entry, f);
	return rc == 0 ? 1 : rc;
}

static void
warn(struct putting *w, struct bytes key, const char *text)
{
	if (w->p->warn != NULL)
		w->p->warn(w->p->warn_arg, key, text);
}

/* 0. */
static int
leave_out(struct putting *w, struct bytes key, struct fault *why)
{
	w->p->left_out++;
	warn(w, key, why->text);
	*why = (struct fault){ 0 };
	return 0;
}

/* What cannot be read or looked at: what the space has of it stays. */
static int
skip(struct putting *w, struct bytes range, struct bytes key,
    struct fault *why, struct fault *f)
{
	int rc = drop_until(w, range, key, f);

	if (rc == 0)
		rc = leave_out(w, key, why);
	if (rc != 0 || cursor_end(w->old) ||
	    !key_within(cursor_key(w->old), key))
		return rc;
	rc = begin_run(w, cursor_key(w->old), f);
	if (rc != 0)
		return rc;
	while (!cursor_end(w->old) && key_within(cursor_key(w->old), key)) {
		rc = step_old(w, key, f);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* FAULT_PARTIAL, and why, where it could not be read. */
static int
store_item(struct putting *w, const struct walk_item *item, uint64_t stat_fp,
    struct fault *why, struct fault *f)
{
	bool unsteady;
	int rc;

	rc = end_run(w, item->key, f);
	if (rc != 0)
		return rc;
	rc = source_add(&w->source, item, stat_fp, &unsteady, why);
	if (rc == FAULT_PARTIAL && S_ISDIR(item->st.st_mode))
		rc = leave_out(w, item->key, why);
	else if (rc != 0 && rc != FAULT_PARTIAL)
		*f = *why;
	if (rc != 0)
		return rc;
	w->stored = true;
	if (S_ISREG(item->st.st_mode))
		w->p->fresh_files++;
	if (unsteady) {
		w->p->unsteady++;
		warn(w, item->key, "it changed while it was read");
	}
	return 0;
}

static int
keep_item(struct putting *w, const struct walk_item *item, struct fault *f)
{
	if (S_ISREG(item->st.st_mode))
		progress_add(w->p->progress, 1, (uint64_t)item->st.st_size);
	return begin_run(w, item->key, f);
}

/* It was there when the walk came by, and is no more: nothing to warn of. */
static int
pass_vanished(struct putting *w, const struct put_source *src,
    const struct walk_item *item, bool have_old, struct fault *f)
{
	w->p->files--;
	w->p->bytes -= (uint64_t)item->st.st_size;
	if (!have_old)
		return 0;
	w->p->changed = true;
	w->p->removed++;
	return step_old(w, src->key, f);
}

static int
take_item(struct putting *w, const struct put_source *src,
    const struct walk_item *item, struct fault *f)
{
	uint64_t stat_fp = statcache_stat(w->stats_cache, &item->st);
	struct fault why = { 0 };
	bool have_old;
	int rc;

	if (item->key.n == 0)
		return 0; /* the root has no entry */
	rc = drop_until(w, src->key, item->key, f);
	if (rc != 0)
		return rc;
	have_old = !cursor_end(w->old) &&
	    bytes_cmp(cursor_key(w->old), item->key) == 0;
	if (S_ISREG(item->st.st_mode)) {
		w->p->files++;
		w->p->bytes += (uint64_t)item->st.st_size;
	}
	rc = unchanged(w, item, stat_fp, have_old, f);
	if (rc == 0)
		rc = store_item(w, item, stat_fp, &why, f);
	else if (rc == 1)
		rc = keep_item(w, item, f);
	if (rc == FAULT_PARTIAL && why.code == FAULT_NOT_FOUND &&
	    S_ISREG(item->st.st_mode) && item->key.n != src->key.n)
		return pass_vanished(w, src, item, have_old, f);
	if (rc == FAULT_PARTIAL)
		return skip(w, src->key, item->key, &why, f);
	return rc == 0 && have_old ? step_old(w, src->key, f) : rc;
}

/* A folder above a source that the space does not have. */
static int
make_folder(struct putting *w, struct bytes key, struct fault *f)
{
	struct timespec now = { 0 };
	struct record *r;
	int rc = end_run(w, key, f);

	if (rc == 0)
		rc = records_push(&w->records, RECORD_ENTRY, key, &r, f);
	if (rc != 0)
		return rc;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	w->p->changed = true;
	r->entry.type = ENTRY_FOLDER;
	r->entry.mode = 0755;
	r->entry.uid = getuid();
	r->entry.gid = getgid();
	r->entry.mtime_sec = now.tv_sec;
	r->entry.mtime_nsec = (uint32_t)now.tv_nsec;
	w->made.n = 0;
	if (buf_append(&w->made, key.p, key.n) != 0)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	return begin_run_after(w, key, f);
}

int
put_in_the_way(struct bytes key, struct fault *f)
{
	char path[PATH_SHOW_MAX];

	path_show(key, path);
	return fault_set(f, FAULT_EXISTS,
	    "%s is in the way: it is no folder in the space", path);
}

static int
need_folders(struct putting *w, struct bytes key, struct fault *f)
{
	size_t depth = key_depth(key);
	int rc;

	for (size_t d = 1; d < depth; d++) {
		const struct tree_entry *e;
		struct bytes up = key;

		for (size_t i = depth; i > d; i--)
			up = key_parent(up);
		if (key_within(buf_bytes(&w->made), up) && w->made.n != 0)
			continue;
		rc = cursor_seek(w->old, up);
		if (rc < 0)
			return old_fault(w, rc, f);
		if (rc == 0 || bytes_cmp(cursor_key(w->old), up) != 0) {
			rc = make_folder(w, up, f);
			if (rc != 0)
				return rc;
			continue;
		}
		rc = cursor_entry(w->old, NULL, &e);
		if (rc != 0)
			return old_fault(w, rc, f);
		if (e->type != ENTRY_FOLDER)
			return put_in_the_way(up, f);
	}
	return 0;
}

static bool
stopped(const struct putting *w)
{
	return w->p->ses->stop != NULL && atomic_load(w->p->ses->stop);
}

static int
walk_source(struct putting *w, const struct put_source *src,
    struct walkahead *walk, struct fault *f)
{
	for (;;) {
		struct walk_item item;
		struct fault why = { 0 };
		int rc;

		if (stopped(w))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		rc = walkahead_next(walk, &item, &why);
		if (rc == WALK_END)
			return drop_until(w, src->key, bytes_of(NULL, 0), f);
		if (rc == WALK_ITEM)
			rc = take_item(w, src, &item, f);
		else if (rc == WALK_UNREADABLE)
			rc = skip(w, src->key, item.key, &why, f);
		else if (rc != WALK_TOO_LONG)
			*f = why;
		else
			rc = leave_out(w, item.key, &why);
		if (rc == 0)
			rc = pump(w, f);
		if (rc != 0)
			return rc;
	}
}

/* Everything that was handed to the pool comes back, and goes to the tree. */
static int
settle(struct putting *w, struct fault *f)
{
	int rc = 0;

	if (w->pool != NULL)
		rc = pool_submit(w->pool, f);
	while (rc == 0 && w->pool != NULL && pool_under_way(w->pool) != 0)
		rc = pool_reap(w->pool, f);
	return rc == 0 ? records_drain(&w->records, f) : rc;
}

static int
put_source(struct putting *w, const struct put_source *src, bool *keep,
    struct fault *f)
{
	struct walk *walk defer(walk_closep) = NULL;
	struct walkahead *ahead defer(walkahead_closep) = NULL;
	int rc;

	rc = walk_open(src->path, src->key, &walk, f);
	if (rc == 0)
		rc = need_folders(w, src->key, f);
	if (rc != 0)
		return rc;
	if (w->p->ses->state != NULL)
		walk_hide(walk, w->p->ses->state->fd);
	walk_hide(walk, w->space->cache.dir);
	walk_leave_out(walk, &w->p->rules);
	rc = cursor_seek(w->old, src->key);
	if (rc < 0)
		return old_fault(w, rc, f);
	w->stats_cache = statcache_open(w->space->cache.dir, src->path,
	    src->key, buf_bytes(&w->space->lost), &w->space->commit.dedup);
	w->records.stats = w->stats_cache;
	rc = walkahead_new(walk, w->p->progress,
	    src == &w->p->source[w->p->sources - 1], &ahead, f);
	if (rc == 0)
		rc = walk_source(w, src, ahead, f);
	if (rc == 0)
		w->p->excluded += walk_excluded(walk);
	if (rc == 0)
		rc = settle(w, f);
	/* What follows the source is kept. */
	if (rc == 0 && !w->running && src->key.n != 0) {
		struct buf end defer(buf_wipe) = buf_init(KEY_BYTES_MAX + 1);

		rc = key_end(src->key, &end);
		if (rc != 0)
			return fault_set(f, rc, "%s", fault_text(rc));
		rc = begin_run(w, buf_bytes(&end), f);
	}
	*keep = rc == 0;
	return rc;
}

/* Whether there is anything to commit.  What came to the depot for want of it
 * is made known by a commit even where the tree is the same. */
static bool
is_news(struct putting *w)
{
	size_t fresh;

	(void)fresh_entries(w->fresh, &fresh);
	return w->p->changed || w->records.differs || w->mend.mended ||
	    (w->stored && fresh != 0);
}

/* The rest of the old tree, and then the commit. */
static int
finish(struct putting *w, struct fault *f)
{
	struct publish pub = { .space = w->space, .packer = w->packer,
		.stow = w->stow, .fresh = w->fresh,
		.message = w->p->message, .repair = w->p->repair };
	struct builder_tree tree;
	int rc = settle(w, f);

	w->p->number = w->space->has_head ? w->space->head.number : 0;
	w->p->changed = rc == 0 && is_news(w);
	if (!w->p->changed)
		return rc;
	if (w->running)
		rc = records_push_run(&w->records, buf_bytes(&w->run_from),
		    bytes_of(NULL, 0), f);
	if (rc == 0)
		rc = settle(w, f);
	if (rc == 0)
		rc = records_finish(&w->records, &tree, f);
	if (rc != 0)
		return rc;
	/* The workers' stows must not read an index that publish replaces. */
	pool_free(w->pool);
	w->pool = NULL;
	rc = publish_tree(&pub, &tree, f);
	w->p->conflicts += pub.conflicts;
	w->p->renamed = pub.renamed;
	w->rotated = pub.rotated;
	if (rc != 0)
		return rc;
	w->p->number = pub.number;
	if (w->journal != NULL)
		journal_clear(w->journal);
	return 0;
}

/* After an interruption: what was sealed goes to the depot and the journal. */
static void
save_progress(struct putting *w)
{
	struct fault ignored = { 0 };

	if (settle(w, &ignored) == 0 && w->packer != NULL &&
	    packer_flush(w->packer, &ignored) != 0)
		return;
}

static int
run(struct putting *w, struct fault *f)
{
	int rc = begin(w, f);

	if (rc == 0)
		rc = begin_reading(w, f);
	progress_grows(w->p->progress, true);
	for (size_t i = 0; rc == 0 && i < w->p->sources; i++) {
		bool keep = false;

		rc = put_source(w, &w->p->source[i], &keep, f);
		statcache_close(w->stats_cache, keep);
		w->stats_cache = w->records.stats = NULL;
	}
	if ((rc == FAULT_MISSING || rc == FAULT_TAMPERED) &&
	    w->space != NULL && w->space->has_head && w->space->lost.n == 0)
		return fault_add(f, rc, "the space is damaged: check says "
		    "where, and a put after it stores again what it can");
	if (rc == FAULT_INTERRUPTED) {
		save_progress(w);
		rc = fault_set(f, rc, "interrupted: nothing was committed; "
		    "the same put goes on from here");
	}
	if (rc == 0)
		rc = finish(w, f);
	/* What was noted is of a tree that others see now. */
	for (size_t i = 0; rc == 0 && i < w->p->sources; i++)
		statcache_commit(w->space->cache.dir, w->p->source[i].path,
		    w->p->source[i].key, &w->space->commit.dedup);
	return rc;
}

/* One try; the results of the last one count. */
static int
once(struct put *p, int (*how)(struct putting *w, struct fault *f),
    bool *again, struct fault *f)
{
	struct putting w = { .p = p };
	int rc;

	p->changed = false;
	p->files = p->bytes = p->fresh_files = p->removed = 0;
	p->excluded = p->left_out = p->unsteady = 0;
	rc = how(&w, f);
	*again = rc == FAULT_CONFLICT && w.rotated;
	p->objects += atomic_load(&w.stats.objects);
	p->sent += atomic_load(&w.stats.bytes);
	putting_wipe(&w);
	return rc;
}

static int
retry(struct put *p, int (*how)(struct putting *w, struct fault *f),
    struct fault *f)
{
	bool again = true;
	int rc = 0;

	for (int i = 0; again && i < ROTATIONS_MAX; i++) {
		if (i > 0) {
			*f = (struct fault){ 0 };
			rc = session_refresh(p->ses, f);
		}
		if (rc == 0)
			rc = once(p, how, &again, f);
		else
			again = false;
	}
	return rc;
}

int
put_run(struct put *p, struct fault *f)
{
	return retry(p, run, f);
}

static int
remove_key(struct putting *w, struct bytes key, struct fault *f)
{
	struct buf end defer(buf_wipe) = buf_init(KEY_BYTES_MAX + 1);
	struct buf path defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	int rc = cursor_seek(w->old, key);

	if (rc < 0)
		return old_fault(w, rc, f);
	if (rc == 0 || bytes_cmp(cursor_key(w->old), key) != 0) {
		if (key_to_path(key, &path) != 0)
			path.n = 0;
		return fault_set(f, FAULT_NOT_FOUND,
		    "%.*s is not in the space", (int)path.n,
		    (const char *)path.p);
	}
	rc = drop_until(w, key, bytes_of(NULL, 0), f);
	if (rc == 0)
		rc = key_end(key, &end);
	return rc == 0 ? begin_run(w, buf_bytes(&end), f) : rc;
}

static int
remove_all(struct putting *w, struct fault *f)
{
	int rc = begin(w, f);

	for (size_t i = 0; rc == 0 && i < w->p->nkeys; i++)
		rc = remove_key(w, w->p->key[i], f);
	return rc == 0 ? finish(w, f) : rc;
}

int
put_remove(struct put *p, const struct bytes *key, size_t n, struct fault *f)
{
	p->key = key;
	p->nkeys = n;
	return retry(p, remove_all, f);
}
