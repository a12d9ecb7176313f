// SPDX-License-Identifier: Apache-2.0
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Newer than the headers that this builds with; the kernel's ABI decides. */
#define FS_REFER (1ULL << 13)    /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#define NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */

struct ruleset {
	uint64_t fs;
	uint64_t net;
};

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_CHANGE                                                        \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	    LANDLOCK_ACCESS_FS_MAKE_REG)
#define FS_OF_FILE                                                           \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |      \
	    FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_ALL ((1ULL << 13) - 1) /* every right of ABI 1 */

static int
abi(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return v < 0 ? 0 : (int)v;
}

static int
ruleset_new(const struct ruleset *r)
{
	/* A kernel before ABI 4 knows the first field only. */
	size_t n = r->net == 0 ? sizeof(r->fs) : sizeof(*r);

	return (int)syscall(SYS_landlock_create_ruleset, r, n, 0);
}

static int
restrict_self(int fd, struct fault *f)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		return fault_sys(f, FAULT_IO, errno, "landlock");
	return 0;
}

static uint64_t
rights_of(unsigned access, uint64_t handled)
{
	uint64_t r = 0;

	if ((access & SANDBOX_READ) != 0)
		r |= FS_READ;
	if ((access & SANDBOX_WRITE) != 0)
		r |= FS_CHANGE | FS_REFER | FS_TRUNCATE;
	if ((access & SANDBOX_SOCKET) != 0)
		r |= LANDLOCK_ACCESS_FS_MAKE_SOCK |
		    LANDLOCK_ACCESS_FS_REMOVE_FILE;
	if ((access & SANDBOX_DEVICE) != 0)
		r |= FS_IOCTL_DEV;
	return r & handled;
}

static int
add_path(int rs, const struct sandbox_path *p, uint64_t handled,
    struct fault *f)
{
	struct landlock_path_beneath_attr a = {
		.allowed_access = rights_of(p->access, handled),
		.parent_fd = p->fd,
	};
	struct stat st;

	/* What only a folder has is refused for a file. */
	if (fstat(p->fd, &st) != 0)
		return fault_sys(f, FAULT_IO, errno, "landlock: a path");
	if (!S_ISDIR(st.st_mode))
		a.allowed_access &= FS_OF_FILE;
	if (syscall(SYS_landlock_add_rule, rs, LANDLOCK_RULE_PATH_BENEATH, &a,
		0) != 0)
		return fault_sys(f, FAULT_IO, errno, "landlock: add a path");
	return 0;
}

int
sandbox_landlock(const struct sandbox_path *paths, size_t n, struct fault *f)
{
	struct ruleset r = { .fs = FS_ALL | FS_REFER };
	int v = abi(), fd, rc = 0;

	/* ABI 1 forbids every rename to another folder, which a store needs. */
	if (v < 2)
		return fault_set(f, FAULT_VERSION,
		    "this kernel has no Landlock of ABI 2 or later");
	if (v >= 3)
		r.fs |= FS_TRUNCATE;
	if (v >= 5)
		r.fs |= FS_IOCTL_DEV;
	fd = ruleset_new(&r);
	if (fd < 0)
		return fault_sys(f, FAULT_IO, errno, "landlock");
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_path(fd, &paths[i], r.fs, f);
	if (rc == 0)
		rc = restrict_self(fd, f);
	(void)close(fd);
	return rc;
}

int
sandbox_no_tcp(struct fault *f)
{
	/* A rule set that does not mention FS_REFER forbids it, so this one
	 * handles it and allows it everywhere. */
	struct ruleset r = { .fs = FS_REFER,
		.net = NET_BIND_TCP | NET_CONNECT_TCP };
	struct landlock_path_beneath_attr all = { .allowed_access = FS_REFER };
	int fd, rc = 0;

	if (abi() < 4)
		return fault_set(f, FAULT_VERSION,
		    "this kernel has no Landlock of ABI 4 or later");
	all.parent_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = ruleset_new(&r);
	if (all.parent_fd < 0 || fd < 0 ||
	    syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH,
		&all, 0) != 0)
		rc = fault_sys(f, FAULT_IO, errno, "landlock");
	if (rc == 0)
		rc = restrict_self(fd, f);
	if (all.parent_fd >= 0)
		(void)close(all.parent_fd);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int
sandbox_seccomp(const int *syscalls, size_t n, struct fault *f)
{
	scmp_filter_ctx ctx;
	int rc = 0;

	if (SANITIZED)
		return fault_set(f, FAULT_VERSION,
		    "system calls are not filtered in a build with sanitizers");
	/* ENOSYS, since the C library falls back on older calls at it. */
	ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (ctx == NULL)
		return fault_set(f, FAULT_INTERNAL, "seccomp_init");
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, syscalls[i], 0);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0)
		return fault_sys(f, FAULT_INTERNAL, -rc, "seccomp");
	return 0;
}

static int
still(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_INTERNAL, "sandbox: %s still works", what);
}

int
sandbox_check(unsigned denied, struct fault *f)
{
	if ((denied & SANDBOX_NO_OPEN) != 0) {
		int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			(void)close(fd);
			return still(f, "open");
		}
	}
	/* Arguments that can do nothing even where the call is let through. */
	if ((denied & SANDBOX_NO_EXEC) != 0 &&
	    (syscall(SYS_execve, NULL, NULL, NULL) == 0 || errno != ENOSYS))
		return still(f, "execve");
	if ((denied & SANDBOX_NO_PTRACE) != 0 &&
	    (syscall(SYS_ptrace, -1L, 0L, 0L, 0L) == 0 || errno != ENOSYS))
		return still(f, "ptrace");
	if ((denied & SANDBOX_NO_SOCKET) != 0) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0) {
			(void)close(fd);
			return still(f, "socket");
		}
	}
	return 0;
}
