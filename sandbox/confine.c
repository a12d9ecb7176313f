// SPDX-License-Identifier: Apache-2.0
#include "sandbox/confine.h"

#include <seccomp.h>

#include "base/logline.h"
#include "sandbox/sandbox.h"

/* By what needs them.  socket, connect, bind, listen, exec, ptrace, kill of
 * others, mount and the like are not among them. */
static const int calls[] = {
	/* memory, threads, time */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(mlock),
	SCMP_SYS(munlock), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(tgkill), SCMP_SYS(prctl), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
	/* network: connections that arrive */
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendfile),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2), SCMP_SYS(pipe2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	/* files */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fcntl),
	SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(getdents64), SCMP_SYS(mkdirat),
	SCMP_SYS(unlinkat), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fallocate),
	SCMP_SYS(sync_file_range), SCMP_SYS(fadvise64),
};

/* What the kernel or the build lacks is said, and lived without. */
static int
warn(int rc, unsigned *denied, unsigned if_done, const struct fault *f)
{
	struct logline l;

	if (rc == 0)
		*denied |= if_done;
	if (rc != FAULT_VERSION)
		return rc;
	l = logline_begin(LOGLINE_WARN, "sandbox");
	logline_str(&l, "text", f->text);
	logline_end(&l);
	return 0;
}

int
confine(int folder, struct fault *f)
{
	const struct sandbox_path path = { .fd = folder,
		.access = SANDBOX_READ | SANDBOX_WRITE };
	unsigned denied = 0;
	int rc;

	rc = warn(sandbox_landlock(&path, 1, f), &denied, SANDBOX_NO_OPEN, f);
	if (rc == 0)
		rc = warn(sandbox_no_tcp(f), &denied, 0, f);
	if (rc == 0)
		rc = warn(sandbox_seccomp(calls, ARRAY_LEN(calls), f), &denied,
		    SANDBOX_NO_EXEC | SANDBOX_NO_SOCKET | SANDBOX_NO_PTRACE,
		    f);
	if (rc == 0)
		rc = sandbox_check(denied, f);
	return rc;
}
