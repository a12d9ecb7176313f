// SPDX-License-Identifier: Apache-2.0
/* The head mirror: one file a prefix, replaced whole, only by a later one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "depot/dirfs.h"
#include "depot/store_dir_impl.h"

#define HEAD_PATH_LEN (HEX_ID_LEN + 5) /* "{p}/head" */

static int
read_head(struct store_dir *d, const char *path, uint8_t out[STORE_HEAD_LEN],
    struct fault *f)
{
	int fd defer(dirfs_closep) = -1;
	uint8_t buf[STORE_HEAD_LEN + 1];
	size_t n = 0;

	fd = openat(d->v1, path, DIRFS_READ);
	if (fd < 0) {
		int err = errno;

		return fault_sys(f, fault_from_errno(err), err, "%s", path);
	}
	while (n < sizeof(buf)) {
		ssize_t r = read(fd, buf + n, sizeof(buf) - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return fault_sys(f, FAULT_IO, errno, "%s", path);
		if (r == 0)
			break;
		n += (size_t)r;
	}
	if (n != STORE_HEAD_LEN)
		return fault_set(f, FAULT_IO, "%s is damaged", path);
	memcpy(out, buf, STORE_HEAD_LEN);
	return 0;
}

static void
head_path(const uint8_t prefix[ID_LEN], char out[HEAD_PATH_LEN + 1])
{
	char p[HEX_ID_LEN + 1];

	hex_id_format(prefix, p);
	(void)snprintf(out, HEAD_PATH_LEN + 1, "%s/head", p);
}

int
store_dir_head_get(struct store *s, const uint8_t prefix[ID_LEN],
    uint8_t out[STORE_HEAD_LEN], struct fault *f)
{
	char path[HEAD_PATH_LEN + 1];

	head_path(prefix, path);
	return read_head(store_dir_of(s), path, out, f);
}

/* Writes the head beside the old one, then gives it the name. */
static int
replace(struct store_dir *d, const char *path,
    const uint8_t head[STORE_HEAD_LEN], struct fault *f)
{
	char tmp[STORE_DIR_TMP_LEN + 1];
	int fd defer(dirfs_closep) = -1;
	int rc = store_dir_tmp(d, tmp, &fd, f);

	if (rc != 0)
		return rc;
	rc = dirfs_write(fd, head, STORE_HEAD_LEN, f);
	if (rc == 0)
		rc = dirfs_sync(fd, "head", f);
	if (rc == 0 && renameat(d->tmp, tmp, d->v1, path) != 0) {
		int err = errno;

		rc = fault_sys(f, fault_from_errno(err), err, "%s", path);
	}
	if (rc != 0)
		(void)unlinkat(d->tmp, tmp, 0);
	return rc;
}

/* 0: newer than the stored one.  FAULT_EXISTS: the same bytes.  Under the head
 * lock. */
static int
judge(struct store_dir *d, const char *path,
    const uint8_t head[STORE_HEAD_LEN], struct fault *f)
{
	uint8_t old[STORE_HEAD_LEN];
	uint64_t old_number, number;
	int rc = store_head_number(head, &number);

	if (rc != 0)
		return fault_set(f, rc, "head");
	rc = read_head(d, path, old, f);
	if (rc == FAULT_NOT_FOUND)
		return 0;
	if (rc != 0)
		return rc;
	if (memcmp(old, head, STORE_HEAD_LEN) == 0)
		return FAULT_EXISTS;
	if (store_head_number(old, &old_number) != 0)
		return fault_set(f, FAULT_IO, "%s is damaged", path);
	if (number <= old_number)
		return fault_set(f, FAULT_CONFLICT, "a later head is stored");
	return 0;
}

/* The prefix's folder is made; again: also where it was known to be there. */
static int
make_prefix(struct store_dir *d, struct usage *u, bool again, struct fault *f)
{
	int rc;

	(void)pthread_mutex_lock(&u->folder_lock);
	if (again)
		usage_forget_folders(u);
	rc = store_dir_make_prefix(d, u, f);
	(void)pthread_mutex_unlock(&u->folder_lock);
	return rc;
}

static int
put_locked(struct store_dir *d, struct usage *u,
    const uint8_t head[STORE_HEAD_LEN], struct fault *f)
{
	int dir defer(dirfs_closep) = -1;
	char path[HEAD_PATH_LEN + 1], p[HEX_ID_LEN + 1];
	int rc = make_prefix(d, u, false, f);

	if (rc != 0)
		return rc;
	head_path(u->prefix, path);
	hex_id_format(u->prefix, p);
	rc = judge(d, path, head, f);
	if (rc == 0)
		rc = replace(d, path, head, f);
	if (rc == FAULT_NOT_FOUND)
		rc = make_prefix(d, u, true, f) == 0 ?
		    replace(d, path, head, f) : rc;
	/* Synced also if it is the same: an earlier try may have failed
	 * between name and sync. */
	if (rc == 0 || rc == FAULT_EXISTS)
		rc = dirfs_open(d->v1, p, &dir, f);
	if (rc == 0)
		rc = dirfs_sync(dir, p, f);
	return rc;
}

int
store_dir_head_put(struct store *s, const uint8_t prefix[ID_LEN],
    const uint8_t head[STORE_HEAD_LEN], struct fault *f)
{
	struct store_dir *d = store_dir_of(s);
	struct usage *u = usage_get(d->usage, prefix);
	int rc;

	if (u == NULL)
		return fault_set(f, FAULT_MEMORY, "usage");
	(void)pthread_mutex_lock(&u->head_lock);
	rc = put_locked(d, u, head, f);
	(void)pthread_mutex_unlock(&u->head_lock);
	return rc;
}
