// SPDX-License-Identifier: Apache-2.0
/*
 * Listing and counting.  The 256 folders of a prefix are in the order of ids,
 * so that only one is read at a time, and of that one only the lowest ids are
 * kept: memory does not grow with the number of objects.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "depot/dirfs.h"
#include "depot/store_dir_impl.h"

#define KEEP_MAX (2 * (STORE_LIST_MAX + 1))

struct fan_id {
	uint8_t b[ID_LEN];
};

struct fan {
	DIR *dir;
	uint8_t n; /* which of the 256 */
	int err;   /* errno of a reading that failed */
};

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

static void
fan_closep(struct fan *fan)
{
	if (fan->dir != NULL)
		(void)closedir(fan->dir);
}

/* FAULT_NOT_FOUND when there is no such folder. */
static int
fan_open(int prefix, unsigned n, struct fan *out, struct fault *f)
{
	char name[3];
	int fd, rc;

	(void)snprintf(name, sizeof(name), "%02x", n & 0xff);
	rc = dirfs_open(prefix, name, &fd, f);
	if (rc != 0)
		return rc;
	out->dir = fdopendir(fd);
	if (out->dir == NULL) {
		rc = fault_sys(f, FAULT_IO, errno, "read %s", name);
		(void)close(fd);
		return rc;
	}
	out->n = (uint8_t)n;
	return 0;
}

/* The next name that is an object's; false at the end. */
static bool
fan_next(struct fan *fan, struct fan_id *out)
{
	struct dirent *e;

	while ((errno = 0, e = readdir(fan->dir)) != NULL)
		if (hex_id_parse(e->d_name, strlen(e->d_name), out->b) == 0 &&
		    out->b[0] == fan->n)
			return true;
	fan->err = errno;
	return false;
}

/* A folder that could be read in part only would pass for a smaller one. */
static int
fan_finish(const struct fan *fan, struct fault *f)
{
	if (fan->err == 0)
		return 0;
	return fault_sys(f, FAULT_IO, fan->err, "read %02x", fan->n);
}

static int
fan_size(const struct fan *fan, const struct fan_id *id, uint64_t *out)
{
	char name[HEX_ID_LEN + 1];
	struct stat st;

	hex_id_format(id->b, name);
	if (fstatat(dirfd(fan->dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fault_from_errno(errno);
	*out = (uint64_t)st.st_size;
	return 0;
}

/* Keeps the lowest max ids above after, sorted; returns how many. */
static size_t
fan_lowest(struct fan *fan, const uint8_t *after, size_t max,
    struct fan_id keep[static KEEP_MAX])
{
	struct fan_id id;
	size_t n = 0;

	while (fan_next(fan, &id)) {
		if (after != NULL && compare_ids(id.b, after) <= 0)
			continue;
		keep[n++] = id;
		if (n == KEEP_MAX) {
			qsort(keep, n, sizeof(keep[0]), compare_ids);
			n = max;
		}
	}
	qsort(keep, n, sizeof(keep[0]), compare_ids);
	return n < max ? n : max;
}

struct page {
	struct store_item *items;
	size_t n, max;
	bool more;
};

/* Adds those of ids that are still there. */
static int
page_add(struct page *page, const struct fan *fan, const struct fan_id *ids,
    size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i++) {
		struct store_item *item;
		int rc;

		if (page->n == page->max) {
			page->more = true;
			return 0;
		}
		item = &page->items[page->n];
		memcpy(item->id, ids[i].b, ID_LEN);
		rc = fan_size(fan, &ids[i], &item->size);
		if (rc == FAULT_NOT_FOUND)
			continue;
		if (rc != 0)
			return fault_set(f, rc, "size of an object");
		page->n++;
	}
	return 0;
}

static int
list_fan(int prefix, unsigned n, const uint8_t *after, struct page *page,
    struct fault *f)
{
	struct fan fan defer(fan_closep) = { .dir = NULL };
	struct fan_id keep[KEEP_MAX], last;
	int rc = fan_open(prefix, n, &fan, f);

	if (rc != 0)
		return rc == FAULT_NOT_FOUND ? 0 : rc;
	for (;;) {
		size_t want = page->max - page->n + 1;
		size_t got = fan_lowest(&fan, after, want, keep);

		rc = fan_finish(&fan, f);
		if (rc == 0)
			rc = page_add(page, &fan, keep, got, f);
		if (rc != 0 || got < want || page->more)
			return rc;
		/* Some were deleted meanwhile: others may follow. */
		last = keep[got - 1];
		after = last.b;
		rewinddir(fan.dir);
	}
}

int
store_dir_list(struct store *s, const uint8_t prefix[ID_LEN],
    const uint8_t *after, size_t max, struct store_item *out, size_t *n_out,
    bool *more_out, struct fault *f)
{
	struct page page = { .items = out, .max = max };
	int dir defer(dirfs_closep) = -1;
	char p[HEX_ID_LEN + 1];
	int rc;

	hex_id_format(prefix, p);
	rc = dirfs_open(store_dir_of(s)->v1, p, &dir, f);
	if (rc == FAULT_NOT_FOUND) {
		*n_out = 0;
		*more_out = false;
		return 0;
	}
	for (unsigned n = after == NULL ? 0 : after[0];
	     rc == 0 && n < USAGE_FANS && !page.more; n++)
		rc = list_fan(dir, n, after, &page, f);
	if (rc != 0)
		return rc;
	*n_out = page.n;
	*more_out = page.more;
	return 0;
}

/* Adds up one folder; found says whether it is there. */
static int
count_fan(int prefix, unsigned n, uint64_t *bytes, bool *found,
    struct fault *f)
{
	struct fan fan defer(fan_closep) = { .dir = NULL };
	struct fan_id id;
	int rc = fan_open(prefix, n, &fan, f);

	*bytes = 0;
	*found = rc == 0;
	if (rc != 0)
		return rc == FAULT_NOT_FOUND ? 0 : rc;
	while (fan_next(&fan, &id)) {
		uint64_t size = 0;

		rc = fan_size(&fan, &id, &size);
		if (rc != 0 && rc != FAULT_NOT_FOUND)
			return fault_set(f, rc, "size of an object");
		*bytes += size;
	}
	return fan_finish(&fan, f);
}

/* Nothing comes, but something may go while a folder is read: then it is read
 * again. */
static int
add_fan(struct usage *u, int prefix, unsigned n, bool *found, struct fault *f)
{
	bool disturbed = true;
	uint64_t bytes;

	while (disturbed) {
		int rc;

		(void)pthread_mutex_lock(&u->lock);
		u->disturbed = false;
		(void)pthread_mutex_unlock(&u->lock);
		rc = count_fan(prefix, n, &bytes, found, f);
		if (rc != 0)
			return rc;
		(void)pthread_mutex_lock(&u->lock);
		disturbed = u->disturbed;
		if (!disturbed) {
			u->bytes += bytes;
			atomic_store(&u->folders, n + 1);
		}
		(void)pthread_mutex_unlock(&u->lock);
	}
	return 0;
}

/* From the start, where an earlier try failed. */
static void
forget_count(struct usage *u)
{
	(void)pthread_mutex_lock(&u->lock);
	u->bytes = 0;
	atomic_store(&u->folders, 0);
	(void)pthread_mutex_unlock(&u->lock);
}

/* A process that was killed may have made folders and not synced.  Those that
 * are not known to be durable are made again when they are needed. */
static int
sync_folders(struct store_dir *d, struct usage *u, int dir,
    const bool found[static USAGE_FANS], struct fault *f)
{
	char p[HEX_ID_LEN + 1];
	int rc;

	hex_id_format(u->prefix, p);
	rc = dirfs_sync(d->v1, p, f);
	if (rc == 0)
		rc = dirfs_sync(dir, p, f);
	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&u->folder_lock);
	memcpy(u->durable, found, sizeof(u->durable));
	u->prefix_durable = true;
	(void)pthread_mutex_unlock(&u->folder_lock);
	return 0;
}

/* Under count_lock. */
static int
count(struct store_dir *d, struct usage *u, struct fault *f)
{
	int dir defer(dirfs_closep) = -1;
	char p[HEX_ID_LEN + 1];
	bool found[USAGE_FANS] = { false };
	int rc;

	forget_count(u);
	hex_id_format(u->prefix, p);
	rc = dirfs_open(d->v1, p, &dir, f);
	if (rc == FAULT_NOT_FOUND) {
		atomic_store(&u->folders, USAGE_FANS);
		return 0;
	}
	for (unsigned n = 0; rc == 0 && n < USAGE_FANS; n++)
		rc = add_fan(u, dir, n, &found[n], f);
	return rc != 0 ? rc : sync_folders(d, u, dir, found, f);
}

int
store_dir_count(struct store_dir *d, struct usage *u, struct fault *f)
{
	int rc = 0;

	if (usage_known(u))
		return 0;
	(void)pthread_mutex_lock(&u->count_lock);
	if (!usage_known(u))
		rc = count(d, u, f);
	(void)pthread_mutex_unlock(&u->count_lock);
	return rc;
}
