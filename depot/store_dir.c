// SPDX-License-Identifier: Apache-2.0
/* Opening the folder, reading and removing objects. */
#include "depot/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "depot/dirfs.h"
#include "depot/store_dir_impl.h"

void
store_dir_path(const struct store_name *name, struct store_dir_path *out)
{
	char p[HEX_ID_LEN + 1], o[HEX_ID_LEN + 1];

	hex_id_format(name->prefix, p);
	hex_id_format(name->id, o);
	memcpy(out->prefix, p, sizeof(p));
	(void)snprintf(out->object, sizeof(out->object), "%s/%.2s/%s", p, o,
	    o);
	memcpy(out->fan, out->object, STORE_DIR_FAN_LEN);
	out->fan[STORE_DIR_FAN_LEN] = '\0';
}

int
store_dir_tmp(struct store_dir *d, char name[STORE_DIR_TMP_LEN + 1],
    int *fd_out, struct fault *f)
{
	int fd;

	(void)snprintf(name, STORE_DIR_TMP_LEN + 1, "%016llx",
	    atomic_fetch_add(&d->serial, 1));
	fd = openat(d->tmp, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		int err = errno;

		return fault_sys(f, fault_from_errno(err), err,
		    "create an upload");
	}
	*fd_out = fd;
	return 0;
}

int
store_dir_make_prefix(struct store_dir *d, struct usage *u, struct fault *f)
{
	char p[HEX_ID_LEN + 1];
	int rc;

	if (u->prefix_durable)
		return 0;
	hex_id_format(u->prefix, p);
	rc = dirfs_make(d->v1, p, f);
	u->prefix_durable = rc == 0;
	return rc;
}

static int
dir_get(struct store *s, const struct store_name *name, int *fd_out,
    uint64_t *size_out, struct fault *f)
{
	struct store_dir_path path;
	struct stat st;
	int fd;

	store_dir_path(name, &path);
	fd = openat(store_dir_of(s)->v1, path.object, DIRFS_READ);
	if (fd < 0 || fstat(fd, &st) != 0) {
		int err = errno;

		dirfs_closep(&fd);
		return fault_sys(f, fault_from_errno(err), err, "open %s",
		    path.object);
	}
	if (!S_ISREG(st.st_mode)) {
		(void)close(fd);
		return fault_set(f, FAULT_IO, "%s is not a file", path.object);
	}
	*fd_out = fd;
	*size_out = (uint64_t)st.st_size;
	return 0;
}

/* The name goes and the usage shrinks in one step. */
static int
unlink_object(struct store_dir *d, struct usage *u, uint8_t folder,
    const struct store_dir_path *path, struct fault *f)
{
	struct stat st;
	int err = 0;

	(void)pthread_mutex_lock(&u->lock);
	if (fstatat(d->v1, path->object, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    unlinkat(d->v1, path->object, 0) != 0)
		err = errno;
	else
		usage_removed(u, folder, (uint64_t)st.st_size);
	(void)pthread_mutex_unlock(&u->lock);
	if (err != 0 && err != ENOENT)
		return fault_sys(f, fault_from_errno(err), err, "remove %s",
		    path->object);
	return 0;
}

static int
dir_remove(struct store *s, const struct store_name *name, struct fault *f)
{
	struct store_dir *d = store_dir_of(s);
	struct usage *u = usage_get(d->usage, name->prefix);
	struct store_dir_path path;
	int fan defer(dirfs_closep) = -1;
	int rc;

	if (u == NULL)
		return fault_set(f, FAULT_MEMORY, "usage");
	store_dir_path(name, &path);
	rc = dirfs_open(d->v1, path.fan, &fan, f);
	if (rc == FAULT_NOT_FOUND)
		return 0;
	if (rc == 0)
		rc = unlink_object(d, u, name->id[0], &path, f);
	/* Synced also if it was gone: the one who removed it may not have
	 * got that far. */
	if (rc == 0)
		rc = dirfs_sync(fan, path.fan, f);
	return rc;
}

static void
dir_close(struct store *s)
{
	struct store_dir *d = store_dir_of(s);

	dirfs_closep(&d->root);
	dirfs_closep(&d->v1);
	dirfs_closep(&d->tmp);
	dirfs_closep(&d->lock);
	usage_free(d->usage);
	blocks_free(d->blocks);
	free(d);
}

static const struct store_ops dir_ops = {
	.put_ready = store_dir_put_ready,
	.put_begin = store_dir_put_begin,
	.put_write = store_dir_put_write,
	.put_commit = store_dir_put_commit,
	.put_abort = store_dir_put_abort,
	.get = dir_get,
	.remove = dir_remove,
	.list = store_dir_list,
	.head_put = store_dir_head_put,
	.head_get = store_dir_head_get,
	.close = dir_close,
};

static int
lock_folder(struct store_dir *d, const char *path, struct fault *f)
{
	d->lock = openat(d->root, "lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->lock < 0)
		return fault_sys(f, FAULT_CONFIG, errno, "%s/lock", path);
	if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return fault_set(f, FAULT_CONFLICT,
		    "%s is in use by another depot", path);
	return fault_sys(f, FAULT_CONFIG, errno, "%s/lock", path);
}

static int
lay_out(struct store_dir *d, const char *path, struct fault *f)
{
	int rc = dirfs_open(AT_FDCWD, path, &d->root, f);

	if (rc == 0)
		rc = lock_folder(d, path, f);
	if (rc == 0)
		rc = dirfs_make(d->root, "v1", f);
	if (rc == 0)
		rc = dirfs_make(d->root, "tmp", f);
	if (rc == 0)
		rc = dirfs_open(d->root, "v1", &d->v1, f);
	if (rc == 0)
		rc = dirfs_open(d->root, "tmp", &d->tmp, f);
	if (rc == 0)
		rc = dirfs_empty(d->root, "tmp", f);
	return rc;
}

int
store_dir_open(const char *path, struct store **out, struct fault *f)
{
	struct store_dir *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL)
		return fault_set(f, FAULT_MEMORY, "%s", path);
	d->base.ops = &dir_ops;
	d->root = d->v1 = d->tmp = d->lock = -1;
	d->usage = usage_new();
	d->blocks = blocks_new();
	if (d->usage == NULL || d->blocks == NULL)
		rc = fault_set(f, FAULT_MEMORY, "%s", path);
	else
		rc = lay_out(d, path, f);
	if (rc != 0) {
		dir_close(&d->base);
		return fault_add(f, rc, "store");
	}
	*out = &d->base;
	return 0;
}

int
store_dir_fd(const struct store *s)
{
	return ((const struct store_dir *)s)->root;
}
