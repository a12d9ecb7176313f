// SPDX-License-Identifier: Apache-2.0
/*
 * Creating an object.  The order makes the promise of [depot] true: the file is
 * synced before it gets its name, the name is given without replacing, and the
 * folder is synced before anything is answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "depot/dirfs.h"
#include "depot/store_dir_impl.h"

/* Writing back starts while the rest is still arriving. */
#define FLUSH_EVERY (4 << 20)
#define COMPARE_LEN 16384

struct store_upload {
	struct store_dir *d;
	struct usage *usage;
	struct store_name name;
	struct store_dir_path path;
	uint64_t len, arrived, written, flushed;
	uint64_t reserved;
	char tmp[STORE_DIR_TMP_LEN + 1]; /* "" when there is no file */
	int fd;         /* the file in tmp; -1: object is there already */
	int there;      /* that object; -1: it is not */
	bool differs;   /* from that object */
	uint8_t *block; /* borrowed; what arrived and is not written */
	size_t filled;  /* bytes of block */
};

/* The file and the reservation go; twice does no harm. */
static void
undo(struct store_upload *u)
{
	dirfs_closep(&u->fd);
	dirfs_closep(&u->there);
	u->fd = u->there = -1;
	blocks_give(u->d->blocks, take(u->block));
	if (u->tmp[0] != '\0')
		(void)unlinkat(u->d->tmp, u->tmp, 0);
	u->tmp[0] = '\0';
	(void)pthread_mutex_lock(&u->usage->lock);
	u->usage->reserved -= u->reserved;
	(void)pthread_mutex_unlock(&u->usage->lock);
	u->reserved = 0;
}

void
store_dir_put_abort(struct store_upload *u)
{
	if (u == NULL)
		return;
	undo(u);
	free(u);
}

static void
abortp(struct store_upload **u)
{
	store_dir_put_abort(*u);
}

/* The object of that name, of the same length.  FAULT_MISSING. */
static int
open_there(struct store_upload *u, struct fault *f)
{
	struct stat st;

	u->there = openat(u->d->v1, u->path.object, DIRFS_READ);
	if (u->there < 0 && errno == ENOENT)
		return fault_set(f, FAULT_MISSING, "%s", u->path.object);
	if (u->there < 0 || fstat(u->there, &st) != 0) {
		int err = errno;

		return fault_sys(f, fault_from_errno(err), err, "%s",
		    u->path.object);
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != u->len)
		return fault_set(f, FAULT_EXISTS, "%s", u->path.object);
	return 0;
}

/* Sees whether the object is there, and takes its length of the quota if not.
 * Under the usage's lock. */
static int
admit(struct store_upload *u, uint64_t quota, struct fault *f)
{
	int rc = open_there(u, f);

	if (rc != FAULT_MISSING)
		return rc;
	rc = usage_reserve(u->usage, u->len, quota);
	if (rc != 0)
		return fault_set(f, rc, "quota is used up");
	u->reserved = u->len;
	return 0;
}

/* Room is taken now, so that a full disk refuses before the bytes come. */
static int
allocate(struct store_upload *u, struct fault *f)
{
	int err;

	if (u->len == 0)
		return 0;
	do
		err = fallocate(u->fd, 0, 0, (off_t)u->len) == 0 ? 0 : errno;
	while (err == EINTR);
	if (err == 0 || err == EOPNOTSUPP || err == ENOSYS)
		return 0;
	return fault_sys(f, fault_from_errno(err), err, "allocate");
}

bool
store_dir_put_ready(struct store *s, const uint8_t prefix[ID_LEN])
{
	const struct usage *u = usage_get(store_dir_of(s)->usage, prefix);

	return u == NULL || usage_known(u);
}

int
store_dir_put_begin(struct store *s, const struct store_name *name,
    uint64_t len, uint64_t quota, struct store_upload **out, struct fault *f)
{
	struct store_dir *d = store_dir_of(s);
	struct store_upload *u defer(abortp) = NULL;
	struct usage *usage = usage_get(d->usage, name->prefix);
	int rc;

	if (usage == NULL || (u = calloc(1, sizeof(*u))) == NULL)
		return fault_set(f, FAULT_MEMORY, "upload");
	u->d = d;
	u->usage = usage;
	u->name = *name;
	u->len = len;
	u->fd = u->there = -1;
	store_dir_path(name, &u->path);

	rc = store_dir_count(d, usage, f);
	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&usage->lock);
	rc = admit(u, quota, f);
	(void)pthread_mutex_unlock(&usage->lock);
	if (rc == 0 && u->there < 0)
		rc = store_dir_tmp(d, u->tmp, &u->fd, f);
	if (rc == 0 && u->fd >= 0)
		rc = allocate(u, f);
	if (rc != 0)
		return rc;
	*out = take(u);
	return 0;
}

/* Whether n bytes from at on are those of p. */
static int
same_bytes(int fd, uint64_t at, const uint8_t *p, size_t n, bool *out)
{
	uint8_t got[COMPARE_LEN];

	while (n != 0) {
		ssize_t k = pread(fd, got, n < sizeof(got) ? n : sizeof(got),
		    (off_t)at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return FAULT_IO;
		if (k == 0 || memcmp(got, p, (size_t)k) != 0) {
			*out = false;
			return 0;
		}
		p += k;
		n -= (size_t)k;
		at += (uint64_t)k;
	}
	*out = true;
	return 0;
}

/* Compares what arrives with the object that has the name already. */
static int
write_there(struct store_upload *u, const uint8_t *p, size_t n,
    struct fault *f)
{
	bool same = true;

	if (!u->differs && same_bytes(u->there, u->arrived, p, n, &same) != 0)
		return fault_sys(f, FAULT_IO, errno, "%s", u->path.object);
	u->differs |= !same;
	return 0;
}

static int
write_out(struct store_upload *u, const uint8_t *p, size_t n, struct fault *f)
{
	int rc = dirfs_write(u->fd, p, n, f);

	if (rc != 0)
		return rc;
	u->written += n;
	if (u->written - u->flushed >= FLUSH_EVERY) {
		(void)sync_file_range(u->fd, (off_t)u->flushed,
		    (off_t)(u->written - u->flushed), SYNC_FILE_RANGE_WRITE);
		u->flushed = u->written;
	}
	return 0;
}

static int
write_block(struct store_upload *u, struct fault *f)
{
	size_t n = u->filled;

	u->filled = 0;
	return n == 0 ? 0 : write_out(u, u->block, n, f);
}

static int
write_new(struct store_upload *u, const uint8_t *p, size_t n, struct fault *f)
{
	int rc = 0;

	if (u->arrived == 0)
		u->block = blocks_take(u->d->blocks);
	if (u->block == NULL)
		return write_out(u, p, n, f);
	while (n != 0 && rc == 0) {
		size_t room = BLOCK_LEN - u->filled;
		size_t k = n < room ? n : room;

		memcpy(u->block + u->filled, p, k);
		u->filled += k;
		p += k;
		n -= k;
		if (u->filled == BLOCK_LEN)
			rc = write_block(u, f);
	}
	return rc;
}

int
store_dir_put_write(struct store_upload *u, const void *p, size_t n,
    struct fault *f)
{
	int rc;

	if (n > u->len - u->arrived)
		return fault_set(f, FAULT_LIMIT, "upload is longer than said");
	rc = u->there >= 0 ? write_there(u, p, n, f) : write_new(u, p, n, f);
	if (rc != 0)
		undo(u);
	u->arrived += n;
	return rc;
}

/* What lost a race is compared with what won it. */
static int
compare_files(struct store_upload *u, struct fault *f)
{
	uint8_t ours[COMPARE_LEN];
	bool same = true;
	uint64_t at = 0;

	while (same && at < u->len) {
		ssize_t k = pread(u->fd, ours, sizeof(ours), (off_t)at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0 || same_bytes(u->there, at, ours, (size_t)k,
			&same) != 0)
			return fault_sys(f, FAULT_IO, k == 0 ? EIO : errno,
			    "%s", u->path.object);
		at += (uint64_t)k;
	}
	u->differs = !same;
	return 0;
}

/* Whether the object that it was compared with still has the name. */
static bool
still_there(const struct store_upload *u)
{
	struct stat named, opened;

	return fstatat(u->d->v1, u->path.object, &named,
	           AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstat(u->there, &opened) == 0 && named.st_ino == opened.st_ino;
}

/* 0 when the object that is there has the same bytes, and durably so. */
static int
compare(struct store_upload *u, struct fault *f)
{
	int fan defer(dirfs_closep) = -1;
	int rc = 0;

	if (u->there < 0) {
		rc = open_there(u, f);
		if (rc == 0)
			rc = compare_files(u, f);
	} else if (!still_there(u)) {
		rc = fault_set(f, FAULT_MISSING, "%s", u->path.object);
	}
	if (rc != 0)
		return rc;
	if (u->differs)
		return fault_set(f, FAULT_EXISTS, "%s", u->path.object);
	/* Whoever created it may not have synced the folder yet. */
	rc = dirfs_open(u->d->v1, u->path.fan, &fan, f);
	if (rc == 0)
		rc = dirfs_sync(fan, u->path.fan, f);
	return rc;
}

/* Under the usage's folder_lock. */
static int
make_fan(struct store_upload *u, struct fault *f)
{
	int prefix defer(dirfs_closep) = -1;
	uint8_t n = u->name.id[0];
	char fan[3];
	int rc = store_dir_make_prefix(u->d, u->usage, f);

	if (rc != 0 || u->usage->durable[n])
		return rc;
	(void)snprintf(fan, sizeof(fan), "%02x", n);
	rc = dirfs_open(u->d->v1, u->path.prefix, &prefix, f);
	if (rc == 0)
		rc = dirfs_make(prefix, fan, f);
	u->usage->durable[n] = rc == 0;
	return rc;
}

/* again: also where it was known to be there. */
static int
make_folders(struct store_upload *u, bool again, struct fault *f)
{
	int rc;

	(void)pthread_mutex_lock(&u->usage->folder_lock);
	if (again)
		usage_forget_folders(u->usage);
	rc = make_fan(u, f);
	(void)pthread_mutex_unlock(&u->usage->folder_lock);
	return rc;
}

/* The name appears and the usage grows in one step.  FAULT_EXISTS when the name
 * is taken; FAULT_NOT_FOUND when its folder is not there. */
static int
give_name(struct store_upload *u, struct fault *f)
{
	int err = 0;

	(void)pthread_mutex_lock(&u->usage->lock);
	/* [depot] never over another object */
	if (renameat2(u->d->tmp, u->tmp, u->d->v1, u->path.object,
		RENAME_NOREPLACE) != 0) {
		err = errno;
	} else {
		u->tmp[0] = '\0';
		u->usage->bytes += u->len;
		u->usage->reserved -= u->reserved;
		u->reserved = 0;
	}
	(void)pthread_mutex_unlock(&u->usage->lock);
	return err == 0 ? 0 : fault_sys(f, fault_from_errno(err), err,
	    "name %s", u->path.object);
}

static int
publish(struct store_upload *u, struct fault *f)
{
	int rc = make_folders(u, false, f);

	if (rc == 0)
		rc = give_name(u, f);
	if (rc != FAULT_NOT_FOUND)
		return rc;
	rc = make_folders(u, true, f);
	return rc != 0 ? rc : give_name(u, f);
}

int
store_dir_put_commit(struct store_upload *upload, enum store_put *out,
    struct fault *f)
{
	struct store_upload *u defer(abortp) = upload;
	int fan defer(dirfs_closep) = -1;
	int rc = FAULT_EXISTS;

	if (u->arrived != u->len)
		return fault_set(f, FAULT_MALFORMED, "upload is too short");
	if (u->fd >= 0) {
		rc = write_block(u, f);
		if (rc == 0)
			rc = dirfs_sync(u->fd, "upload", f); /* [depot] */
		if (rc == 0)
			rc = publish(u, f);
	}
	if (rc == FAULT_EXISTS) {
		rc = compare(u, f);
		if (rc == 0)
			*out = STORE_SAME;
		return rc;
	}
	if (rc == 0)
		rc = dirfs_open(u->d->v1, u->path.fan, &fan, f);
	if (rc == 0)
		rc = dirfs_sync(fan, u->path.fan, f);
	if (rc == 0)
		*out = STORE_CREATED;
	return rc;
}
