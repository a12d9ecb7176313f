// SPDX-License-Identifier: Apache-2.0
#include "depot/dirfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
dirfs_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static int
fail(struct fault *f, const char *what, const char *name)
{
	int err = errno;

	return fault_sys(f, fault_from_errno(err), err, "%s %s", what, name);
}

int
dirfs_open(int at, const char *path, int *fd_out, struct fault *f)
{
	int fd = openat(at, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail(f, "open", path);
	*fd_out = fd;
	return 0;
}

int
dirfs_make(int at, const char *name, struct fault *f)
{
	if (mkdirat(at, name, 0700) != 0 && errno != EEXIST)
		return fail(f, "make", name);
	return dirfs_sync(at, name, f);
}

int
dirfs_sync(int fd, const char *what, struct fault *f)
{
	if (fsync(fd) != 0)
		return fail(f, "sync", what);
	return 0;
}

int
dirfs_write(int fd, const void *p, size_t n, struct fault *f)
{
	const char *q = p;

	while (n != 0) {
		ssize_t w = write(fd, q, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return fail(f, "write", "upload");
		q += w;
		n -= (size_t)w;
	}
	return 0;
}

int
dirfs_empty(int at, const char *path, struct fault *f)
{
	int fd, rc = dirfs_open(at, path, &fd, f);
	struct dirent *e;
	DIR *d;

	if (rc != 0)
		return rc;
	d = fdopendir(fd);
	if (d == NULL) {
		(void)close(fd);
		return fail(f, "read", path);
	}
	while (rc == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    unlinkat(dirfd(d), e->d_name, 0) != 0 && errno != ENOENT)
			rc = fail(f, "remove", e->d_name);
	(void)closedir(d);
	return rc;
}
