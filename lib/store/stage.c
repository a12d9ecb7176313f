// SPDX-License-Identifier: Apache-2.0
#include "store/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

void
stage_init(struct stage *s, int dir)
{
	s->dir = dir;
	s->n = 0;
}

static void
tmp_path(size_t i, char out[static STAGE_PATH_MAX])
{
	(void)snprintf(out, STAGE_PATH_MAX, "tmp/%zu", i);
}

int
stage_put(struct stage *s, const char *path, struct bytes data,
    struct fault *f)
{
	struct stage_file *file;
	char tmp[STAGE_PATH_MAX];

	if (s->n == STAGE_MAX || strlen(path) >= STAGE_PATH_MAX)
		return fault_set(f, FAULT_LIMIT, "%s", path);
	file = &s->file[s->n];
	(void)snprintf(file->path, sizeof(file->path), "%s", path);
	file->made = file->last = false;
	tmp_path(s->n, tmp);
	file->fd = openat(s->dir, tmp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file->fd < 0)
		return fd_fault(tmp, f);
	s->n++;
	return fd_write(file->fd, data) != 0 ? fd_fault(path, f) : 0;
}

int
stage_put_last(struct stage *s, const char *path, struct bytes data,
    struct fault *f)
{
	int rc = stage_put(s, path, data, f);

	if (rc == 0)
		s->file[s->n - 1].last = true;
	return rc;
}

/* Makes the folders of path; *made: there was one to make. */
static int
make_parents(int dir, const char *path, bool *made, struct fault *f)
{
	char part[STAGE_PATH_MAX];

	*made = false;
	for (const char *p = strchr(path, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - path),
		    path);
		if (mkdirat(dir, part, 0755) == 0)
			*made = true;
		else if (errno != EEXIST)
			return fd_fault(part, f);
	}
	return 0;
}

static int
sync_folder(int dir, const char *path, struct fault *f)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return fd_fault(path, f);
	rc = fsync(fd) != 0 ? fd_fault(path, f) : 0;
	(void)close(fd);
	return rc;
}

/* Whether a file before the i-th had the folder path[0..len) synced. */
static bool
seen(const struct stage *s, size_t i, size_t len)
{
	for (size_t j = 0; j < i; j++) {
		const char *other = s->file[j].path;

		if (s->file[j].last == s->file[i].last &&
		    strncmp(other, s->file[i].path, len) == 0 &&
		    other[len] == '/' && (s->file[j].made ||
		    strchr(other + len + 1, '/') == NULL))
			return true;
	}
	return false;
}

/* The folder of each file, and all above it where one was made; each once. */
static int
sync_folders(const struct stage *s, bool last, struct fault *f)
{
	bool top = false;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		const char *path = s->file[i].path;
		size_t len = strlen(path);
		bool more = s->file[i].last == last;

		while (rc == 0 && more && --len > 0) {
			char folder[STAGE_PATH_MAX];

			if (path[len] != '/')
				continue;
			more = s->file[i].made;
			if (seen(s, i, len))
				continue;
			(void)snprintf(folder, sizeof(folder), "%.*s",
			    (int)len, path);
			rc = sync_folder(s->dir, folder, f);
		}
		if (len == 0)
			top = true;
	}
	return rc != 0 || !top ? rc : sync_folder(s->dir, ".", f);
}

/* Names them, and makes that durable. */
static int
name_files(struct stage *s, bool last, struct fault *f)
{
	char tmp[STAGE_PATH_MAX];
	int rc;

	for (size_t i = 0; i < s->n; i++) {
		struct stage_file *file = &s->file[i];

		if (file->last != last)
			continue;
		rc = make_parents(s->dir, file->path, &file->made, f);
		if (rc != 0)
			return rc;
		tmp_path(i, tmp);
		if (renameat(s->dir, tmp, s->dir, file->path) != 0)
			return fd_fault(file->path, f);
	}
	return sync_folders(s, last, f);
}

int
stage_commit(struct stage *s, struct fault *f)
{
	int rc;

	/* With all blocks on their way, one commit of the file system's journal
	 * takes them together. */
	for (size_t i = 0; i < s->n; i++)
		(void)sync_file_range(s->file[i].fd, 0, 0,
		    SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; i < s->n; i++)
		if (fdatasync(s->file[i].fd) != 0)
			return fd_fault(s->file[i].path, f);
	rc = name_files(s, false, f);
	if (rc == 0)
		rc = name_files(s, true, f);
	if (rc == 0)
		stage_abort(s);
	return rc;
}

void
stage_abort(struct stage *s)
{
	while (s->n > 0)
		(void)close(s->file[--s->n].fd);
}

int
stage_clean(int dir, struct fault *f)
{
	struct dirent *e;
	DIR *d;
	int fd;

	/* Folders may be there that a process made which was killed before it
	 * synced them; from here on only new ones need that. */
	if (syncfs(dir) != 0)
		return fd_fault("syncfs", f);
	if (mkdirat(dir, "tmp", 0700) != 0 && errno != EEXIST)
		return fd_fault("tmp", f);
	fd = openat(dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		int rc = fd_fault("tmp", f);

		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(fd, e->d_name, 0);
	(void)closedir(d);
	return 0;
}

int
stage_read(int dir, const char *path, struct buf *out, struct fault *f)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	uint8_t block[16384];
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return fd_fault(path, f);
	while (rc == 0 && (n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		rc = n < 0 ? fd_fault(path, f) :
		    buf_append(out, block, (size_t)n);
	}
	if (rc == FAULT_LIMIT || rc == FAULT_MEMORY)
		(void)fault_set(f, rc, "%s: %s", path, fault_text(rc));
	(void)close(fd);
	return rc;
}

int
stage_peek(const struct stage *s, const char *path, struct buf *out,
    struct fault *f)
{
	char tmp[STAGE_PATH_MAX];
	size_t i = 0;

	while (i < s->n && strcmp(s->file[i].path, path) != 0)
		i++;
	tmp_path(i, tmp);
	return i < s->n ? stage_read(s->dir, tmp, out, f) : FAULT_NOT_FOUND;
}
