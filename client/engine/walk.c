// SPDX-License-Identifier: Apache-2.0
#include "client/engine/walk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object/limits.h"

struct walk_folder {
	int fd;
	atomic_uint holders;
};

/*
 * A folder that is being walked.  Invariant: its names are sorted, names[at] is
 * the next to give; key and path are cut back to key_len and path_len for each
 * of them.
 */
struct level {
	struct walk_folder *folder; /* held */
	size_t key_len;  /* of the folder's own key */
	size_t path_len; /* of its path; 0: the source */
	char **name;     /* owned; point into text */
	char *text;      /* owned */
	size_t n, at;
};

struct walk {
	struct buf key;
	struct buf path; /* below the source, a NUL at its end not counted */
	struct level *level; /* stack; owned */
	size_t depth, cap;

	struct walk_folder *parent; /* of the source; held */
	char *base_name;  /* of the source in it; owned */
	bool begun;

	/* The item given last, if it is a folder that is to be entered. */
	bool enter;
	struct walk_folder *enter_folder; /* is in; borrowed */
	const char *enter_name;

	struct stat hidden[WALK_HIDDEN];
	size_t nhidden;

	struct walk_rules rules;
	uint64_t excluded;
	dev_t dev; /* of the source */
};

static int
cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes over fd.  NULL: no memory. */
static struct walk_folder *
folder_new(int fd)
{
	struct walk_folder *d = malloc(sizeof(*d));

	if (d == NULL) {
		close(fd);
		return NULL;
	}
	d->fd = fd;
	atomic_init(&d->holders, 1);
	return d;
}

void
walk_folder_hold(struct walk_folder *d)
{
	atomic_fetch_add(&d->holders, 1);
}

void
walk_folder_leave(struct walk_folder *d)
{
	if (d == NULL || atomic_fetch_sub(&d->holders, 1) != 1)
		return;
	close(d->fd);
	free(d);
}

/* Reads all names of l's folder, sorted. */
static int
read_names(struct level *l, struct fault *f)
{
	struct buf text = buf_init(SIZE_MAX / 2);
	int fd = dup(l->folder->fd), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	size_t n = 0;
	char *p;

	if (d == NULL) {
		rc = fault_from_errno(errno);
		if (fd >= 0)
			close(fd);
		return fault_sys(f, rc, errno, "reading the folder");
	}
	errno = 0;
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		rc = buf_append(&text, e->d_name, strlen(e->d_name) + 1);
		n++;
		errno = 0;
	}
	if (rc == 0 && errno != 0)
		rc = fault_sys(f, fault_from_errno(errno), errno,
		    "reading the folder");
	else if (rc != 0)
		(void)fault_set(f, rc, "%s", fault_text(rc));
	closedir(d);
	if (rc == 0) {
		l->name = calloc(n + 1, sizeof(*l->name));
		if (l->name == NULL)
			rc = fault_set(f, FAULT_MEMORY, "out of memory");
	}
	if (rc != 0) {
		buf_wipe(&text);
		return rc;
	}
	p = (char *)text.p;
	for (size_t i = 0; i < n; i++) {
		l->name[i] = p;
		p += strlen(p) + 1;
	}
	l->text = (char *)text.p; /* taken over */
	l->n = n;
	qsort(l->name, n, sizeof(*l->name), cmp_names);
	return 0;
}

static void
level_wipe(struct level *l)
{
	walk_folder_leave(l->folder);
	free(l->name);
	free(l->text);
}

/* Of the names of a cache, leaves its tag. */
static void
leave_cache_out(struct walk *w, struct level *l)
{
	char tag[] = EXCLUDE_TAG, *key = tag;
	char **found = l->n == 0 ? NULL : bsearch(&key, l->name, l->n,
	    sizeof(*l->name), cmp_names);

	if (found == NULL || !exclude_tagged(l->folder->fd))
		return;
	w->excluded += l->n - 1;
	l->name[0] = *found;
	l->n = 1;
}

/*
 * Splits path into a folder descriptor and a last name.  What ends in a slash,
 * "." or ".." is resolved, as is "/": its own name is then given by the kernel.
 */
static int
open_parent(struct walk *w, const char *path, struct fault *f)
{
	size_t n = strlen(path);
	const char *slash;
	char *dir;
	int fd;

	while (n > 1 && path[n - 1] == '/')
		n--;
	w->base_name = strndup(path, n);
	if (w->base_name == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	slash = strrchr(w->base_name, '/');
	dir = slash == NULL ? strdup(".") :
	    strndup(w->base_name, slash == w->base_name ? 1 :
	    (size_t)(slash - w->base_name));
	if (dir == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (slash != NULL)
		memmove(w->base_name, slash + 1, strlen(slash + 1) + 1);
	if (w->base_name[0] == '\0') {
		/* "/" itself; there is a byte for this. */
		w->base_name[0] = '.';
		w->base_name[1] = '\0';
	}
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return fault_sys(f, fault_from_errno(errno), errno, "%s", path);
	w->parent = folder_new(fd);
	return w->parent != NULL ? 0 :
	    fault_set(f, FAULT_MEMORY, "out of memory");
}

int
walk_open(const char *path, struct bytes base, struct walk **out,
    struct fault *f)
{
	struct walk *w defer(walk_closep) = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	w->key = buf_init(KEY_BYTES_MAX);
	w->path = buf_init(SIZE_MAX / 2);
	rc = buf_append(&w->key, base.p, base.n);
	if (rc != 0)
		return fault_set(f, rc, "%s: the path is too long", path);
	rc = open_parent(w, path, f);
	if (rc != 0)
		return rc;
	*out = take(w);
	return 0;
}

/* Goes down into the folder that was given last. */
static int
enter(struct walk *w, struct fault *f)
{
	struct level l = { .key_len = w->key.n, .path_len = w->path.n };
	int rc, fd;

	w->enter = false;
	fd = openat(w->enter_folder->fd, w->enter_name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_sys(f, fault_from_errno(errno), errno,
		    "reading the folder");
	l.folder = folder_new(fd);
	if (l.folder == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = read_names(&l, f);
	if (rc == 0 && w->depth == w->cap) {
		size_t cap = w->cap == 0 ? 32 : 2 * w->cap;
		struct level *p = realloc(w->level, cap * sizeof(*p));

		if (p == NULL) {
			rc = fault_set(f, FAULT_MEMORY, "out of memory");
		} else {
			w->level = p;
			w->cap = cap;
		}
	}
	if (rc != 0) {
		level_wipe(&l);
		return rc;
	}
	if (w->rules.caches)
		leave_cache_out(w, &l);
	w->level[w->depth++] = l;
	return 0;
}

static bool
is_hidden(const struct walk *w, const struct stat *st)
{
	for (size_t i = 0; i < w->nhidden; i++)
		if (st->st_ino == w->hidden[i].st_ino &&
		    st->st_dev == w->hidden[i].st_dev)
			return true;
	return false;
}

/* Gives one item; 0 or an errno. */
static int
give(struct walk *w, struct walk_folder *in, const char *name,
    struct walk_item *out)
{
	out->key = buf_bytes(&w->key);
	if (fstatat(in->fd, name, &out->st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (S_ISDIR(out->st.st_mode) && is_hidden(w, &out->st))
		return ENOENT;
	out->folder = in;
	out->dir = in->fd;
	out->name = name;
	w->enter = S_ISDIR(out->st.st_mode);
	w->enter_folder = in;
	w->enter_name = name;
	return 0;
}

/* Makes w->key that of name in l. */
static int
set_key(struct walk *w, const struct level *l, const char *name,
    struct fault *f)
{
	int rc = 0;

	w->key.n = l->key_len;
	if (l->key_len != 0)
		rc = buf_append(&w->key, "", 1);
	if (rc == 0)
		rc = buf_append(&w->key, name, strlen(name));
	return rc == 0 ? 0 : fault_set(f, rc, rc == FAULT_LIMIT ?
	    "the path of something in it is too long" : "out of memory");
}

/* Makes w->path that of name in l.  Of any length: what is left out may be too
 * long for a key. */
static int
set_path(struct walk *w, const struct level *l, const char *name,
    struct fault *f)
{
	int rc = 0;

	w->path.n = l->path_len;
	if (l->path_len != 0)
		rc = buf_append(&w->path, "/", 1);
	if (rc == 0)
		rc = buf_append(&w->path, name, strlen(name) + 1);
	if (rc != 0)
		return fault_set(f, rc, "%s", fault_text(rc));
	w->path.n--;
	return 0;
}

static bool
is_excluded(struct walk *w, bool folder)
{
	if (!exclude_match(w->rules.exclude, (const char *)w->path.p,
	    w->path.n, folder))
		return false;
	w->excluded++;
	return true;
}

/* What is in the item's folder is left out. */
static void
leave_file_system_out(struct walk *w, const struct walk_item *item)
{
	if (!w->rules.one_file_system || !w->enter ||
	    item->st.st_dev == w->dev)
		return;
	w->enter = false;
	w->excluded++;
}

void
walk_leave_out(struct walk *w, const struct walk_rules *rules)
{
	w->rules = *rules;
}

uint64_t
walk_excluded(const struct walk *w)
{
	return w->excluded;
}

void
walk_hide(struct walk *w, int dir)
{
	assert(w->nhidden < WALK_HIDDEN);
	if (dir >= 0 && fstat(dir, &w->hidden[w->nhidden]) == 0)
		w->nhidden++;
}

int
walk_next(struct walk *w, struct walk_item *out, struct fault *f)
{
	int rc;

	if (!w->begun) {
		w->begun = true;
		rc = give(w, w->parent, w->base_name, out);
		if (rc != 0)
			return fault_sys(f, fault_from_errno(rc), rc, "%s",
			    w->base_name);
		w->dev = out->st.st_dev;
		return WALK_ITEM;
	}
	if (w->enter) {
		rc = enter(w, f);
		if (rc == FAULT_MEMORY)
			return rc;
		if (rc != 0) {
			out->key = buf_bytes(&w->key);
			return WALK_UNREADABLE;
		}
	}
	while (w->depth > 0) {
		struct level *l = &w->level[w->depth - 1];
		const char *name;

		if (l->at == l->n) {
			level_wipe(l);
			w->depth--;
			continue;
		}
		name = l->name[l->at++];
		rc = set_path(w, l, name, f);
		if (rc != 0)
			return rc;
		if (is_excluded(w, false))
			continue; /* and is not even looked at */
		rc = set_key(w, l, name, f);
		if (rc == FAULT_LIMIT) {
			w->key.n = l->key_len;
			out->key = buf_bytes(&w->key);
			return WALK_TOO_LONG;
		}
		if (rc != 0)
			return rc;
		rc = give(w, l->folder, name, out);
		if (rc == ENOENT)
			continue; /* it has gone in the meantime */
		if (rc == 0 && w->enter && is_excluded(w, true)) {
			w->enter = false;
			continue;
		}
		if (rc == 0) {
			leave_file_system_out(w, out);
			return WALK_ITEM;
		}
		(void)fault_sys(f, fault_from_errno(rc), rc, "looking at it");
		return WALK_UNREADABLE;
	}
	return WALK_END;
}

void
walk_close(struct walk *w)
{
	if (w == NULL)
		return;
	while (w->depth > 0)
		level_wipe(&w->level[--w->depth]);
	free(w->level);
	free(w->base_name);
	walk_folder_leave(w->parent);
	buf_wipe(&w->key);
	buf_wipe(&w->path);
	free(w);
}

void
walk_closep(struct walk **w)
{
	walk_close(*w);
}
