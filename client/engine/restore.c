// SPDX-License-Identifier: Apache-2.0
#include "client/engine/restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/engine/restore_impl.h"
#include "client/path.h"

/* A folder's metadata, set when all in it is done. */
struct folder_what {
	struct restore_meta meta;
	size_t key_len;
	uint8_t data[]; /* key || attributes */
};

void
restore_warn(struct restore *rs, struct bytes key, uint64_t n,
    const char *text)
{
	pthread_mutex_lock(&rs->lock);
	if (n == 0)
		rs->res->incomplete++;
	else
		rs->res->failed += n;
	if (rs->o->warn != NULL)
		rs->o->warn(rs->o->arg, key, text);
	pthread_mutex_unlock(&rs->lock);
}

int
restore_fault(struct fault *f, int err, const char *what)
{
	if (err == EEXIST)
		return fault_set(f, FAULT_EXISTS,
		    "is there already, and was not replaced");
	return fault_sys(f, fault_from_errno(err), err, "%s", what);
}

void
restore_count(struct restore *rs, uint64_t bytes)
{
	pthread_mutex_lock(&rs->lock);
	rs->res->entries++;
	rs->res->bytes += bytes;
	pthread_mutex_unlock(&rs->lock);
	progress_add(rs->o->progress, 1, 0);
}

void
restore_kept(struct restore *rs, uint64_t bytes)
{
	pthread_mutex_lock(&rs->lock);
	rs->res->kept++;
	pthread_mutex_unlock(&rs->lock);
	progress_add(rs->o->progress, 1, bytes);
}

void
restore_name(struct bytes key, char out[static KEY_NAME_MAX + 1])
{
	struct bytes name = key_name(key);

	memcpy(out, name.p, name.n);
	out[name.n] = '\0';
}

/* The attributes of e to rs->attrs; a failure costs only them. */
static void
folder_attrs(struct restore *rs, struct bytes key, const struct tree_entry *e)
{
	struct fault f = { 0 };
	int rc;

	rs->attrs.n = 0;
	rc = reader_attrs(rs->reader, e, &rs->attrs, &f);
	if (rc == 0)
		return;
	rs->attrs.n = 0;
	restore_warn(rs, key, 0, f.text);
}

int
restore_set_folder(struct restore *rs, struct folder *d, bool found,
    struct bytes key, const struct tree_entry *e, struct fault *f)
{
	struct folder_what *w;

	folder_attrs(rs, key, e);
	w = malloc(sizeof(*w) + key.n + rs->attrs.n);
	if (w == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	w->meta = restore_meta_of(e, rs->root);
	w->meta.found = found;
	w->key_len = key.n;
	memcpy(w->data, key.p, key.n);
	if (rs->attrs.n != 0)
		memcpy(w->data + key.n, rs->attrs.p, rs->attrs.n);
	w->meta.attrs = bytes_of(w->data + key.n, rs->attrs.n);
	d->what = w;
	return 0;
}

/* For struct folders. */
static void
folder_done(void *arg, struct folder *d)
{
	struct restore *rs = arg;
	struct folder_what *w = d->what;
	struct fault f;
	const char *what;
	int err = EBADF;

	if (w == NULL)
		return;
	what = d->fd < 0 ? "folder" : restore_meta_set(d->fd, &w->meta, &err);
	if (what != NULL) {
		(void)fault_sys(&f, FAULT_IO, err, "%s not restored", what);
		restore_warn(rs, bytes_of(w->data, w->key_len), 0, f.text);
	}
	free(w);
	d->what = NULL;
}

static int
begin(struct restore *rs, struct fault *f)
{
	const struct restore_options *o = rs->o;
	struct fetch_sink sink = { .chunks = restore_file_chunks, .arg = rs };
	int rc;

	rc = fetch_reader(rs->space, o->commit, &rs->reader, f);
	if (rc != 0)
		return rc;
	rs->at = buf_init(KEY_BYTES_MAX);
	rs->dead = buf_init(KEY_BYTES_MAX);
	rs->list = buf_init((size_t)1 << 30);
	rs->attrs = buf_init(XATTR_MAX);
	rs->links.later = buf_init((size_t)1 << 30);
	rs->root = geteuid() == 0;
	rs->level = calloc(64, sizeof(*rs->level));
	if (rs->level == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rs->levels_cap = 64;
	rs->level[0].d = folder_top(o->dir);
	if (rs->level[0].d == NULL)
		return fault_sys(f, FAULT_IO, errno, "target folder");
	rs->level[0].found = true;
	rs->nlevels = 1;
	restore_temp_clean(rs->level[0].d->fd);
	return fetch_new(rs->space, o->commit, sink, o->threads, &rs->fetch, f);
}

static void
end(struct restore *rs)
{
	while (rs->nlevels > 0)
		folder_leave(&rs->folders, rs->level[--rs->nlevels].d);
	fetch_free(rs->fetch);
	reader_free(rs->reader);
	free(rs->level);
	buf_wipe(&rs->at);
	buf_wipe(&rs->dead);
	buf_wipe(&rs->list);
	buf_wipe(&rs->attrs);
	restore_link_wipe(&rs->links);
	pthread_mutex_destroy(&rs->folders.lock);
	pthread_mutex_destroy(&rs->lock);
}

int
restore_find(struct reader *r, const struct bytes *key, size_t n,
    struct fault *f)
{
	struct fault lost = { 0 };
	size_t nlost = 0;

	for (size_t i = 0; i < n; i++) {
		struct tour *t defer(tour_closep) = NULL;
		int rc = tour_open(r, key[i], &t, f);
		char path[PATH_SHOW_MAX];

		if (rc == 0)
			continue;
		path_show(key[i], path);
		(void)fault_add(f, rc, "%s", path);
		if (rc == FAULT_NOT_FOUND || !fetch_is_local(rc))
			return rc;
		if (nlost++ == 0)
			lost = *f;
	}
	if (nlost == 0)
		return 0;
	*f = nlost == n ? lost : (struct fault){ 0 };
	return f->code;
}

/* Of all that can be read below the paths; the nodes are wanted anyway. */
static void
expect_paths(struct restore *rs)
{
	const struct restore_options *o = rs->o;

	for (size_t i = 0; i < o->n; i++) {
		struct tour *t defer(tour_closep) = NULL;
		struct fault scrap = { 0 };
		struct tour_item it = { 0 };
		int rc = tour_open(rs->reader, o->key[i], &t, &scrap);

		while (rc == 0 && (rc = tour_next(t, &it, &scrap)) > 0) {
			if (rc == TOUR_ENTRY)
				progress_expect(o->progress, 1, it.e->size);
			rc = 0;
		}
	}
}

static int
run(struct restore *rs, struct fault *f)
{
	const struct restore_options *o = rs->o;
	struct fault waited = { 0 };
	int rc = begin(rs, f), wrc;

	if (rc == 0)
		rc = restore_find(rs->reader, o->key, o->n, f);
	if (rc != 0)
		return rc;
	if (o->n == 0) {
		progress_expect(o->progress, o->commit->entries,
		    o->commit->bytes);
		rc = restore_walk(rs, bytes_of(NULL, 0), f);
	}
	if (o->progress != NULL)
		expect_paths(rs);
	for (size_t i = 0; rc == 0 && i < o->n; i++)
		rc = restore_walk(rs, o->key[i], f);
	wrc = fetch_wait(rs->fetch, &waited);
	if (rc == 0 && wrc == 0) {
		rc = restore_link_finish(rs, f);
		wrc = fetch_wait(rs->fetch, &waited);
	}
	rs->res->requests = fetch_requests(rs->fetch);
	/* What ended the fetch is the cause of what the walk saw. */
	if (wrc != 0) {
		*f = waited;
		return wrc;
	}
	return rc;
}

int
restore_run(struct space *sp, const struct restore_options *o,
    struct restore_result *out, struct fault *f)
{
	struct restore rs = { .space = sp, .o = o, .res = out };
	char without[64] = "";
	int rc;

	*out = (struct restore_result){ 0 };
	pthread_mutex_init(&rs.lock, NULL);
	pthread_mutex_init(&rs.folders.lock, NULL);
	rs.folders.done = folder_done;
	rs.folders.arg = &rs;
	rc = run(&rs, f);
	end(&rs);
	/* Which object was under way then is of no use to anybody. */
	if (rc == FAULT_INTERRUPTED)
		return fault_set(f, rc, "interrupted: done again, it goes on "
		    "from here");
	if (rc == FAULT_SPACE)
		return fault_add(f, rc, "the target is full: once it has "
		    "room, done again, it goes on from here");
	if (rc != 0)
		return rc;
	if (out->failed == 0 && out->incomplete == 0)
		return 0;
	if (out->incomplete != 0)
		(void)snprintf(without, sizeof(without),
		    ", %llu without some metadata",
		    (unsigned long long)out->incomplete);
	return fault_set(f, FAULT_PARTIAL, "%llu restored, %llu left out%s",
	    (unsigned long long)out->entries, (unsigned long long)out->failed,
	    without);
}
