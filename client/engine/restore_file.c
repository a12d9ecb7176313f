// SPDX-License-Identifier: Apache-2.0
/*
 * A file from its first chunk to its name.  It is held by the walk while it is
 * planned and by each chunk that is under way; whoever lets go last sets its
 * metadata and gives it its name.
 */
#include "client/engine/restore_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object/list.h"

/* What may wait in one batch: descriptors of folders and of files of more than
 * one chunk, and attributes. */
#define WAIT_DIRS 32u
#define WAIT_LARGE 24u
#define WAIT_ATTRS 1048576u

struct file {
	struct restore *rs;
	struct folder *dir;        /* in use */
	struct restore_link *link; /* or NULL */
	atomic_uint refs;
	atomic_bool failed;

	pthread_mutex_t lock; /* over fd and temp until the last chunk */
	int fd;
	char temp[RESTORE_TEMP_SIZE];

	/* The kernel lets one write to a file at a time, and the others spin:
	 * they had better sleep. */
	pthread_mutex_t writing;

	bool sparse;
	uint64_t size, holes;
	struct restore_meta meta;
	size_t key_len;
	uint8_t data[]; /* key || attributes */
};

static struct bytes
key_of(const struct file *x)
{
	return bytes_of(x->data, x->key_len);
}

/* Names the first failure of a file. */
static void
fail(struct file *x, const char *text)
{
	if (!atomic_exchange(&x->failed, true))
		restore_warn(x->rs, key_of(x), 1, text);
}

static int
open_temp(struct file *x)
{
	int err = 0;

	pthread_mutex_lock(&x->lock);
	if (x->fd < 0) {
		x->fd = restore_temp_open(x->dir->fd, x->temp);
		err = x->fd < 0 ? errno : 0;
	}
	pthread_mutex_unlock(&x->lock);
	return err;
}

/* A network file system tells of a full disk when what was written to it is
 * closed; fd stays open, for its lock.  0 or an errno. */
static int
close_writes(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 || close(copy) == 0 ? 0 : errno;
}

/* Metadata and name; 0 or an errno. */
static int
finish(struct file *x)
{
	char name[KEY_NAME_MAX + 1];
	const char *what;
	struct fault f;
	int err = open_temp(x);

	if (err != 0)
		return err;
	if (x->sparse && ftruncate(x->fd, (off_t)x->size) != 0)
		return errno;
	what = restore_meta_set(x->fd, &x->meta, &err);
	if (what != NULL) {
		(void)fault_sys(&f, FAULT_IO, err, "%s not restored", what);
		restore_warn(x->rs, key_of(x), 0, f.text);
	}
	err = close_writes(x->fd);
	if (err != 0)
		return err;
	restore_name(key_of(x), name);
	return restore_temp_place(x->dir->fd, x->temp, name,
	    x->rs->o->overwrite);
}

/* Lets go of a file; a FAULT_* that ends everything, or 0. */
static int
drop(struct file *x, struct fault *f)
{
	struct restore *rs = x->rs;
	int err = 0, rc = 0;

	if (atomic_fetch_sub(&x->refs, 1) != 1)
		return 0;
	if (!atomic_load(&x->failed)) {
		err = finish(x);
		if (err == 0) {
			restore_count(rs, x->size);
			progress_add(rs->o->progress, 0, x->holes);
		} else {
			rc = restore_fault(f, err, "cannot be written");
			fail(x, f->text);
		}
	}
	if (x->link != NULL)
		atomic_store(&x->link->state, atomic_load(&x->failed) ?
		    RESTORE_LINK_FAILED : RESTORE_LINK_DONE);
	if (x->fd >= 0) {
		if (atomic_load(&x->failed))
			(void)unlinkat(x->dir->fd, x->temp, 0);
		close(x->fd);
	}
	folder_leave(&rs->folders, x->dir);
	pthread_mutex_destroy(&x->lock);
	pthread_mutex_destroy(&x->writing);
	free(x);
	return rc == FAULT_SPACE ? rc : 0;
}

static int
write_all(int fd, struct iovec *v, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t k = pwritev(fd, v, (int)n, (off_t)at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno;
		at += (uint64_t)k;
		for (; n > 0 && (size_t)k >= v->iov_len; v++, n--)
			k -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (uint8_t *)v->iov_base + k;
			v->iov_len -= (size_t)k;
		}
	}
	return 0;
}

/* Bytes of a file, from at on; FAULT_SPACE, else 0. */
static int
take_bytes(struct file *x, struct iovec *v, size_t n, uint64_t at,
    struct fault *f)
{
	uint64_t bytes = 0;
	int err;

	if (atomic_load(&x->failed))
		return 0;
	for (size_t i = 0; i < n; i++)
		bytes += v[i].iov_len;
	err = open_temp(x);
	if (err == 0) {
		pthread_mutex_lock(&x->writing);
		err = write_all(x->fd, v, n, at);
		pthread_mutex_unlock(&x->writing);
	}
	if (err != 0) {
		int rc = restore_fault(f, err, "cannot be written");

		fail(x, f->text);
		return rc == FAULT_SPACE ? rc : 0;
	}
	progress_add(x->rs->o->progress, 0, bytes);
	return 0;
}

int
restore_file_chunks(void *arg, const struct fetch_want *const *w,
    struct iovec *data, size_t n, int rc, struct fault *f)
{
	struct file *x = w[0]->what;
	int end = 0;

	(void)arg;
	/* What ends everything is said once, at the end. */
	if (rc == 0)
		end = take_bytes(x, data, n, w[0]->at, f);
	else if (fetch_is_local(rc))
		fail(x, f->text);
	else
		atomic_store(&x->failed, true);
	for (; n > 0; n--) {
		struct fault dropped = { 0 };

		rc = drop(x, &dropped);
		if (rc != 0 && end == 0) {
			end = rc;
			*f = dropped;
		}
	}
	return end;
}

static struct file *
new_file(struct restore *rs, struct folder *dir, struct bytes key,
    const struct tree_entry *e)
{
	struct file *x = malloc(sizeof(*x) + key.n + rs->attrs.n);

	if (x == NULL)
		return NULL;
	memset(x, 0, sizeof(*x));
	x->rs = rs;
	x->dir = dir;
	x->fd = -1;
	x->size = e->size;
	atomic_init(&x->refs, 1);
	pthread_mutex_init(&x->lock, NULL);
	pthread_mutex_init(&x->writing, NULL);
	x->meta = restore_meta_of(e, rs->root);
	x->key_len = key.n;
	memcpy(x->data, key.p, key.n);
	if (rs->attrs.n != 0)
		memcpy(x->data + key.n, rs->attrs.p, rs->attrs.n);
	x->meta.attrs = bytes_of(x->data + key.n, rs->attrs.n);
	folder_use(&rs->folders, dir);
	return x;
}

/* Where a data item is; what is wrong with it goes to f. */
static int
find(struct restore *rs, const struct list_item *item, struct index_entry *e,
    struct fault *f)
{
	int rc = reader_find(rs->reader, item->id, e, f);

	if (rc == FAULT_NOT_FOUND)
		return fault_set(f, FAULT_MISSING,
		    "the index does not have a chunk that the tree names");
	if (rc == 0 && (e->kind != SEAL_DATA || e->plain_len != item->length))
		return fault_set(f, FAULT_MALFORMED,
		    "index and tree say different things of a chunk");
	return rc;
}

/* Wants all chunks of the list in rs->list. */
static int
want_all(struct restore *rs, struct file *x, struct fault *f)
{
	struct list_iter it = list_begin(buf_bytes(&rs->list), 0);
	struct list_item item;
	uint64_t at = 0;
	int rc;

	while ((rc = list_next(&it, &item)) == 1) {
		struct index_entry e;

		if (item.hole) {
			x->sparse = true;
			x->holes += item.length;
		} else {
			rc = find(rs, &item, &e, f);
			if (rc != 0)
				return rc;
			atomic_fetch_add(&x->refs, 1);
			rc = fetch_add(rs->fetch, &e, x, at);
			if (rc != 0)
				return fault_set(f, rc, "%s", fault_text(rc));
		}
		at += item.length;
		if (atomic_load(&x->failed))
			return 0;
	}
	if (rc != 0 || at != x->size)
		return fault_set(f, FAULT_MALFORMED, "a bad content list");
	return 0;
}

static void
bound_waiting(struct restore *rs, const struct folder *dir, bool large)
{
	rs->waiting_dirs += dir != rs->last_dir;
	rs->last_dir = dir;
	rs->waiting_large += large;
	rs->waiting_attrs += rs->attrs.n;
	if (rs->waiting_dirs < WAIT_DIRS && rs->waiting_large < WAIT_LARGE &&
	    rs->waiting_attrs < WAIT_ATTRS)
		return;
	fetch_flush(rs->fetch);
	rs->last_dir = NULL;
	rs->waiting_dirs = 0;
	rs->waiting_large = 0;
	rs->waiting_attrs = 0;
}

int
restore_file_plan(struct restore *rs, struct folder *dir, struct bytes key,
    const struct tree_entry *e, struct restore_link *link, struct fault *f)
{
	struct file *x;
	int rc;

	*f = (struct fault){ 0 };
	rs->attrs.n = 0;
	rc = reader_attrs(rs->reader, e, &rs->attrs, f);
	if (rc != 0 && fetch_is_local(rc)) {
		restore_warn(rs, key, 0, f->text);
		rs->attrs.n = 0;
		rc = 0;
	}
	rs->list.n = 0;
	if (rc == 0)
		rc = reader_list(rs->reader, e, &rs->list, f);
	if (rc != 0) {
		if (link != NULL)
			atomic_store(&link->state, RESTORE_LINK_FAILED);
		if (!fetch_is_local(rc))
			return rc;
		restore_warn(rs, key, 1, f->text);
		return 0;
	}
	x = new_file(rs, dir, key, e);
	if (x == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	x->link = link;
	rc = want_all(rs, x, f);
	if (rc != 0 && fetch_is_local(rc)) {
		fail(x, f->text);
		rc = 0;
	} else if (rc != 0) {
		atomic_store(&x->failed, true);
	}
	bound_waiting(rs, dir, rs->list.n > 64);
	if (drop(x, f) == FAULT_SPACE && rc == 0)
		rc = FAULT_SPACE;
	return rc;
}
