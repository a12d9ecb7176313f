// SPDX-License-Identifier: Apache-2.0
#include "client/engine/preview.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/engine/leaves.h"
#include "client/engine/lost.h"
#include "client/engine/source.h"
#include "client/engine/space.h"
#include "client/engine/statcache.h"
#include "client/engine/walkahead.h"
#include "client/state.h"
#include "object/key.h"

struct preview {
	struct put *p;
	const struct preview_sink *sink;
	uint64_t fresh;
	struct space *space;
	struct reader *reader;
	struct cursor *old; /* along the walk */
	struct leaves leaves;
	struct statcache *stats;
	struct bytes range; /* of the source that is walked */
};

static void
preview_wipe(struct preview *v)
{
	statcache_close(v->stats, false);
	cursor_free(v->old);
	reader_free(v->reader);
	space_close(v->space);
}

static int
old_fault(struct preview *v, int rc, struct fault *f)
{
	if (v->reader->fault.code != rc)
		return fault_set(f, rc, "%s", fault_text(rc));
	*f = v->reader->fault;
	return fault_add(f, rc, "tree");
}

static int
step_old(struct preview *v, struct fault *f)
{
	int rc = cursor_next(v->old);

	if (rc < 0)
		return old_fault(v, rc, f);
	leaves_ahead(&v->leaves, v->reader, v->old, v->range);
	return 0;
}

static int
tell(struct preview *v, struct bytes key, enum compare_kind kind,
    const struct tree_entry *was, const struct tree_entry *is,
    struct fault *f)
{
	int rc = v->sink->each(v->sink->arg, key, kind, was, is);

	return rc == 0 ? 0 : fault_set(f, rc, "%s", fault_text(rc));
}

static bool
old_within(const struct preview *v, struct bytes key)
{
	return !cursor_end(v->old) && key_within(cursor_key(v->old), key);
}

/* Old entries before key, or all of the source's that are left, would go. */
static int
drop_until(struct preview *v, struct bytes key, struct fault *f)
{
	const struct tree_entry *e;
	int rc = 0;

	while (rc == 0 && old_within(v, v->range) &&
	    (key.n == 0 || bytes_cmp(cursor_key(v->old), key) < 0)) {
		rc = cursor_entry(v->old, NULL, &e);
		if (rc != 0)
			return old_fault(v, rc, f);
		v->p->removed++;
		rc = tell(v, cursor_key(v->old), COMPARE_REMOVED, e, NULL, f);
		if (rc == 0)
			rc = step_old(v, f);
	}
	return rc;
}

static void
leave_out(struct preview *v, struct bytes key, const struct fault *why)
{
	v->p->left_out++;
	v->p->warn(v->p->warn_arg, key, why->text);
}

/* What cannot be read or looked at: what the space has of it stays. */
static int
skip(struct preview *v, struct bytes key, const struct fault *why,
    struct fault *f)
{
	int rc = drop_until(v, key, f);

	leave_out(v, key, why);
	while (rc == 0 && old_within(v, key))
		rc = step_old(v, f);
	return rc;
}

/* By what stat tells: a link's target and a file's content by their times. */
static enum compare_kind
kind_of(const struct tree_entry *was, const struct tree_entry *is)
{
	if (was == NULL)
		return COMPARE_ADDED;
	if (was->type != is->type)
		return COMPARE_TYPE;
	if (is->type == ENTRY_FOLDER ||
	    (was->size == is->size && was->major == is->major &&
		was->minor == is->minor && was->mtime_sec == is->mtime_sec &&
		was->mtime_nsec == is->mtime_nsec))
		return COMPARE_METADATA;
	return COMPARE_CONTENT;
}

static bool
same_metadata(const struct tree_entry *was, const struct tree_entry *is)
{
	return was->mode == is->mode && was->uid == is->uid &&
	    was->gid == is->gid && was->mtime_sec == is->mtime_sec &&
	    was->mtime_nsec == is->mtime_nsec;
}

static bool
as_last_time(struct preview *v, const struct walk_item *item,
    struct bytes raw)
{
	uint64_t was_stat, was_entry;

	return statcache_find(v->stats, item->key, &was_stat, &was_entry) &&
	    was_stat == statcache_stat(v->stats, &item->st) &&
	    raw.n != 0 && statcache_entry(v->stats, raw) == was_entry;
}

/* A file that would be read.  1: it could not be, and why. */
static int
would_read(struct preview *v, const struct walk_item *item, struct fault *why)
{
	if (faccessat(item->dir, item->name, R_OK, AT_EACCESS) != 0) {
		(void)fault_sys(why, FAULT_DENIED, errno, "cannot be opened");
		return 1;
	}
	v->p->fresh_files++;
	v->fresh += (uint64_t)item->st.st_size;
	return 0;
}

static int
take_item(struct preview *v, const struct walk_item *item, struct fault *f)
{
	const struct tree_entry *was = NULL;
	struct tree_entry is;
	struct fault why = { 0 };
	struct bytes raw = { 0 };
	enum compare_kind kind;
	bool have_old;
	int rc;

	if (item->key.n == 0)
		return 0; /* the root has no entry */
	rc = drop_until(v, item->key, f);
	if (rc != 0)
		return rc;
	have_old = !cursor_end(v->old) &&
	    bytes_cmp(cursor_key(v->old), item->key) == 0;
	if (have_old)
		rc = cursor_entry(v->old, &raw, &was);
	if (rc != 0)
		return old_fault(v, rc, f);
	source_meta(&item->st, &is);
	if (is.type == ENTRY_FILE) {
		is.size = (uint64_t)item->st.st_size;
		v->p->files++;
		v->p->bytes += is.size;
	}
	if (!as_last_time(v, item, raw)) {
		if (is.type == ENTRY_FILE && would_read(v, item, &why) != 0)
			return skip(v, item->key, &why, f);
		kind = kind_of(was, &is);
		if (kind != COMPARE_METADATA || !same_metadata(was, &is))
			rc = tell(v, item->key, kind, was, &is, f);
	}
	return rc == 0 && have_old ? step_old(v, f) : rc;
}

static int
walk_source(struct preview *v, struct walkahead *walk, struct fault *f)
{
	const atomic_bool *stop = v->p->ses->stop;

	for (;;) {
		struct walk_item item;
		struct fault why = { 0 };
		int rc;

		if (stop != NULL && atomic_load(stop))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		rc = walkahead_next(walk, &item, &why);
		if (rc == WALK_END)
			return drop_until(v, bytes_of(NULL, 0), f);
		if (rc == WALK_ITEM)
			rc = take_item(v, &item, f);
		else if (rc == WALK_UNREADABLE)
			rc = skip(v, item.key, &why, f);
		else if (rc != WALK_TOO_LONG)
			*f = why;
		else
			leave_out(v, item.key, &why);
		if (rc != 0 && rc != WALK_TOO_LONG)
			return rc;
	}
}

/* What is above key in the space is folders, as far as it is there. */
static int
check_way(struct preview *v, struct bytes key, struct fault *f)
{
	const struct tree_entry *e;
	struct bytes up;

	for (up = key_parent(key); up.n != 0; up = key_parent(up)) {
		int rc = cursor_seek(v->old, up);

		if (rc < 0)
			return old_fault(v, rc, f);
		if (rc == 0 || bytes_cmp(cursor_key(v->old), up) != 0)
			continue;
		rc = cursor_entry(v->old, NULL, &e);
		if (rc != 0)
			return old_fault(v, rc, f);
		if (e->type != ENTRY_FOLDER)
			return put_in_the_way(up, f);
	}
	return 0;
}

static int
preview_source(struct preview *v, const struct put_source *src,
    struct fault *f)
{
	struct walk *walk defer(walk_closep) = NULL;
	struct walkahead *ahead defer(walkahead_closep) = NULL;
	int rc = walk_open(src->path, src->key, &walk, f);

	if (rc == 0)
		rc = check_way(v, src->key, f);
	if (rc != 0)
		return rc;
	if (v->p->ses->state != NULL)
		walk_hide(walk, v->p->ses->state->fd);
	walk_hide(walk, v->space->cache.dir);
	walk_leave_out(walk, &v->p->rules);
	v->range = src->key;
	rc = cursor_seek(v->old, src->key);
	if (rc < 0)
		return old_fault(v, rc, f);
	statcache_close(v->stats, false);
	v->stats = statcache_open(v->space->cache.dir, src->path, src->key,
	    buf_bytes(&v->space->lost), &v->space->commit.dedup);
	rc = walkahead_new(walk, NULL, true, &ahead, f);
	if (rc == 0)
		rc = walk_source(v, ahead, f);
	v->p->excluded += rc == 0 ? walk_excluded(walk) : 0;
	return rc;
}

int
preview_run(struct put *p, const struct preview_sink *sink, uint64_t *fresh,
    struct fault *f)
{
	struct preview v defer(preview_wipe) = { .p = p, .sink = sink };
	const struct commit *c;
	int rc = space_open(p->ses, &v.space, f);

	if (rc == 0)
		rc = reader_new(v.space, &v.reader, f);
	if (rc != 0)
		return rc;
	lost_read(v.space->cache.dir, &v.space->lost);
	c = &v.space->commit;
	p->number = v.space->has_head ? v.space->head.number : 0;
	rc = cursor_new(c->has_root ? &c->root : NULL, CURSOR_LEVEL_ANY,
	    reader_nodes(v.reader), &v.old);
	if (rc != 0)
		return fault_set(f, rc, "%s", fault_text(rc));
	for (size_t i = 0; rc == 0 && i < p->sources; i++)
		rc = preview_source(&v, &p->source[i], f);
	*fresh = v.fresh;
	return rc;
}
