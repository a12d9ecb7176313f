// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

unsigned long
fd_raise(void)
{
	struct rlimit r, raised;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return RLIM_INFINITY;
	raised = (struct rlimit){ r.rlim_max, r.rlim_max };
	return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? r.rlim_max :
							r.rlim_cur;
}

void
fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

int
fd_write(int fd, struct bytes data)
{
	while (data.n > 0) {
		ssize_t n = write(fd, data.p, data.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data = bytes_of(data.p + n, data.n - (size_t)n);
	}
	return 0;
}

int
fd_fault(const char *what, struct fault *f)
{
	int err = errno;

	return fault_sys(f, fault_from_errno(err), err, "%s", what);
}
