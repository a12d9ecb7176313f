// SPDX-License-Identifier: Apache-2.0
/* One entry after another, in key order: a folder before what is in it. */
#include "client/engine/restore_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define OPEN_LEVELS 16u /* folders above the innermost that stay open */

static struct restore_level *
top(struct restore *rs)
{
	return &rs->level[rs->nlevels - 1];
}

static void
pop(struct restore *rs)
{
	struct folder *d = top(rs)->d;

	rs->nlevels--;
	if (top(rs)->resting) {
		folder_wake(&rs->folders, d);
		top(rs)->resting = false;
	}
	folder_leave(&rs->folders, d);
}

static int
push(struct restore *rs, struct folder *d, struct bytes key, bool found)
{
	struct restore_level *far;

	if (rs->nlevels == rs->levels_cap) {
		size_t cap = 2 * rs->levels_cap;
		struct restore_level *p =
		    realloc(rs->level, cap * sizeof(*p));

		if (p == NULL)
			return FAULT_MEMORY;
		rs->level = p;
		rs->levels_cap = cap;
	}
	rs->at.n = 0;
	if (buf_append(&rs->at, key.p, key.n) != 0)
		return FAULT_MEMORY;
	rs->level[rs->nlevels++] =
	    (struct restore_level){ .d = d, .key_len = key.n,
		.found = found };
	if (rs->nlevels > OPEN_LEVELS) {
		far = &rs->level[rs->nlevels - 1 - OPEN_LEVELS];
		if (!far->resting) {
			folder_rest(&rs->folders, far->d);
			far->resting = true;
		}
	}
	return 0;
}

/* Enters a folder that was there.  Without what its owner may give himself,
 * only root could read or write it; it gets its mode when it is done. */
static struct folder *
enter_found(struct restore *rs, const char *name)
{
	struct folder *up = top(rs)->d;
	struct stat st;

	if (!rs->root &&
	    fstatat(up->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode) && (st.st_mode & S_IRWXU) != S_IRWXU &&
	    fchmodat(up->fd, name, (st.st_mode & 07777) | S_IRWXU,
		AT_SYMLINK_NOFOLLOW) != 0)
		errno = 0; /* it may do as it is */
	return folder_enter(&rs->folders, up, name);
}

/* Makes or finds a folder and opens it.  NULL: errno. */
static struct folder *
make_folder(struct restore *rs, const char *name, bool *found)
{
	struct folder *up = top(rs)->d, *d;

	*found = false;
	if (mkdirat(up->fd, name, 0700) == 0)
		return folder_enter(&rs->folders, up, name);
	if (errno != EEXIST)
		return NULL;
	d = enter_found(rs, name);
	if (d == NULL && (errno == ENOTDIR || errno == ELOOP) &&
	    rs->o->overwrite) {
		if (unlinkat(up->fd, name, 0) != 0 ||
		    mkdirat(up->fd, name, 0700) != 0)
			return NULL;
		return folder_enter(&rs->folders, up, name);
	}
	if (d == NULL) {
		if (errno == ELOOP || errno == ENOTDIR)
			errno = EEXIST;
		return NULL;
	}
	*found = true;
	restore_temp_clean(d->fd);
	return d;
}

/* e NULL: an implied folder, whose entry is lost. */
static int
enter(struct restore *rs, struct bytes key, const struct tree_entry *e,
    struct fault *f)
{
	char name[KEY_NAME_MAX + 1];
	struct folder *d;
	struct fault why;
	bool found;
	int rc = 0;

	restore_name(key, name);
	d = make_folder(rs, name, &found);
	if (d == NULL) {
		(void)restore_fault(&why, errno, "folder cannot be made");
		restore_warn(rs, key, 1, why.text);
		rs->dead.n = 0;
		rc = buf_append(&rs->dead, key.p, key.n);
		return rc != 0 ? fault_set(f, rc, "out of memory") :
		    why.code == FAULT_SPACE ? fault_set(f, FAULT_SPACE, "%s",
			why.text) : 0;
	}
	if (e != NULL) {
		rc = restore_set_folder(rs, d, found, key, e, f);
		restore_count(rs, 0);
	}
	if (rc == 0)
		rc = push(rs, d, key, found);
	if (rc != 0) {
		folder_leave(&rs->folders, d);
		return fault_set(f, rc, "out of memory");
	}
	return 0;
}

/* Leaves folders that key is not in.  True: the innermost is key's folder. */
static bool
leave_to(struct restore *rs, struct bytes key)
{
	struct bytes up = key_parent(key);

	while (rs->nlevels > 1 &&
	    !key_within(up, bytes_of(rs->at.p, top(rs)->key_len)))
		pop(rs);
	return top(rs)->key_len == up.n ||
	    (rs->nlevels == 1 && up.n + (up.n != 0) == rs->strip);
}

/* After lost entries: makes the folders of key that were among them. */
static int
imply(struct restore *rs, struct bytes key, struct fault *f)
{
	size_t at = rs->nlevels == 1 ? rs->strip : top(rs)->key_len + 1;
	int rc = 0;

	for (size_t i = at; rc == 0 && i < key.n && rs->dead.n == 0; i++) {
		if (key.p[i] == 0)
			rc = enter(rs, bytes_of(key.p, i), NULL, f);
	}
	return rc;
}

static int
make_special(int dir, const char *temp, const struct tree_entry *e)
{
	char target[LINK_TARGET_MAX + 1];

	switch (e->type) {
	case ENTRY_SYMLINK:
		memcpy(target, e->target.p, e->target.n);
		target[e->target.n] = '\0';
		return symlinkat(target, dir, temp);
	case ENTRY_FIFO:
		return mknodat(dir, temp, S_IFIFO | 0600, 0);
	case ENTRY_SOCKET:
		return mknodat(dir, temp, S_IFSOCK | 0600, 0);
	case ENTRY_CHAR:
		return mknodat(dir, temp, S_IFCHR | 0600,
		    makedev(e->major, e->minor));
	case ENTRY_BLOCK:
		return mknodat(dir, temp, S_IFBLK | 0600,
		    makedev(e->major, e->minor));
	default:
		errno = EINVAL;
		return -1;
	}
}

static int
special(struct restore *rs, int dir, struct bytes key,
    const struct tree_entry *e, bool *made, struct fault *f)
{
	struct restore_meta meta = restore_meta_of(e, rs->root);
	int err = 0;
	char temp[RESTORE_TEMP_SIZE], name[KEY_NAME_MAX + 1];
	struct fault why = { 0 };
	const char *what;
	int rc;

	rs->attrs.n = 0;
	rc = reader_attrs(rs->reader, e, &rs->attrs, &why);
	if (rc != 0 && !fetch_is_local(rc)) {
		*f = why;
		return rc;
	}
	if (rc != 0) {
		rs->attrs.n = 0;
		restore_warn(rs, key, 0, why.text);
	}
	meta.attrs = buf_bytes(&rs->attrs);
	restore_name(key, name);
	restore_temp_name(temp);
	if (make_special(dir, temp, e) != 0) {
		(void)restore_fault(&why, errno, "cannot be made");
		restore_warn(rs, key, 1, why.text);
		return why.code == FAULT_SPACE ?
		    fault_set(f, FAULT_SPACE, "%s", why.text) : 0;
	}
	what = restore_meta_set_at(dir, temp, &meta, &err);
	if (what != NULL) {
		(void)fault_sys(&why, FAULT_IO, err, "%s not restored", what);
		restore_warn(rs, key, 0, why.text);
	}
	err = restore_temp_place(dir, temp, name, rs->o->overwrite);
	if (err != 0) {
		(void)unlinkat(dir, temp, 0);
		(void)restore_fault(&why, err, "cannot be made");
		restore_warn(rs, key, 1, why.text);
		return 0;
	}
	restore_count(rs, 0);
	*made = true;
	return 0;
}

int
restore_special(struct restore *rs, int dir, struct bytes key,
    const struct tree_entry *e, struct restore_link *link, struct fault *f)
{
	bool made = false;
	int rc = special(rs, dir, key, e, &made, f);

	if (link != NULL)
		atomic_store(&link->state, made ? RESTORE_LINK_DONE :
		                                  RESTORE_LINK_FAILED);
	return rc;
}

/* Whether an entry needs nothing, because of what is at its place.  That the
 * first of a hard link's names is there, or is not, goes to link. */
static bool
spared(struct restore *rs, struct bytes key, const struct tree_entry *e,
    struct restore_link *link)
{
	enum restore_found found = top(rs)->found ?
	    restore_found(rs, top(rs)->d->fd, key, e) : RESTORE_NOTHING;

	if (found != RESTORE_NOTHING && link != NULL)
		atomic_store(&link->state, found == RESTORE_SAME ?
		    RESTORE_LINK_DONE : RESTORE_LINK_FAILED);
	return found != RESTORE_NOTHING;
}

static int
one_entry(struct restore *rs, const struct tour_item *it, struct fault *f)
{
	struct restore_link *link = NULL;
	struct bytes key = it->key;
	int rc;

	if (rs->dead.n != 0 && key_within(key, buf_bytes(&rs->dead))) {
		pthread_mutex_lock(&rs->lock);
		rs->res->failed++;
		pthread_mutex_unlock(&rs->lock);
		return 0;
	}
	rs->dead.n = 0;
	if (it->orphan && !it->after_lost) {
		restore_warn(rs, key, 1, "its folder is not in the tree");
		return 0;
	}
	if (!leave_to(rs, key)) {
		rc = imply(rs, key, f);
		if (rc != 0)
			return rc;
		if (rs->dead.n != 0)
			return 0;
	}
	if (it->e->type == ENTRY_FOLDER)
		return enter(rs, key, it->e, f);
	if (it->e->link != 0) {
		rc = restore_link_begin(rs, key, it->raw, &link);
		if (rc == 1)
			return 0;
		if (rc != 0)
			return fault_set(f, rc, "out of memory");
	}
	if (spared(rs, key, it->e, link))
		return 0;
	return it->e->type == ENTRY_FILE ?
	    restore_file_plan(rs, top(rs)->d, key, it->e, link, f) :
	    restore_special(rs, top(rs)->d->fd, key, it->e, link, f);
}

static int
walk(struct restore *rs, struct bytes base, struct fault *f)
{
	struct tour *t defer(tour_closep) = NULL;
	const atomic_bool *stop = rs->space->ses->stop;
	struct tour_item it = { 0 };
	struct fault why = { 0 };
	int rc = tour_open(rs->reader, base, &t, f);

	if (rc != 0 && fetch_is_local(rc) && base.n != 0) {
		restore_warn(rs, base, 1, f->text);
		*f = (struct fault){ 0 };
		return 0;
	}
	if (rc != 0)
		return rc;
	while ((rc = tour_next(t, &it, &why)) > 0) {
		if (stop != NULL && atomic_load(stop))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		if (rc == TOUR_LOST) {
			restore_warn(rs, it.key, it.lost != 0 ? it.lost : 1,
			    why.text);
			continue;
		}
		/* A folder is worth fetching the index in long runs. */
		rs->reader->bulk |= it.e->type == ENTRY_FOLDER;
		rc = one_entry(rs, &it, f);
		if (rc != 0)
			return rc;
	}
	if (rc != 0)
		*f = why;
	return rc;
}

int
restore_walk(struct restore *rs, struct bytes base, struct fault *f)
{
	size_t up = key_parent(base).n;
	int rc;

	rs->strip = up + (up != 0);
	rs->dead.n = 0;
	rs->at.n = 0;
	rc = walk(rs, base, f);
	while (rs->nlevels > 1)
		pop(rs);
	return rc;
}
