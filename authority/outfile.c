// SPDX-License-Identifier: Apache-2.0
#include "authority/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

static int
write_all(int fd, struct bytes b)
{
	while (b.n > 0) {
		ssize_t n = write(fd, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		b.p += n;
		b.n -= (size_t)n;
	}
	return fsync(fd) != 0 ? errno : 0;
}

static void
sync_folder(const char *path)
{
	char copy[4200];
	int dir;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		(void)fsync(dir);
		(void)close(dir);
	}
}

int
outfile_write(const char *path, mode_t mode, struct bytes b,
    struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int e;

	if (fd < 0)
		return fault_sys(f, fault_from_errno(errno), errno, "make %s",
		    path);
	e = write_all(fd, b);
	if (close(fd) != 0 && e == 0)
		e = errno;
	if (e != 0) {
		(void)unlink(path);
		return fault_sys(f, fault_from_errno(e), e, "write %s", path);
	}
	sync_folder(path);
	return 0;
}

int
outfile_rename(const char *from, const char *to, struct fault *f)
{
	if (rename(from, to) != 0)
		return fault_sys(f, fault_from_errno(errno), errno,
		    "rename %s", from);
	sync_folder(to);
	return 0;
}
