// SPDX-License-Identifier: Apache-2.0
#include "authority/syscalls.h"

#include <seccomp.h>

#include "base/attr.h"

#define CALL(name) SCMP_SYS(name)

/* Memory, time, ends, signals: every program. */
#define COMMON                                                              \
	CALL(brk), CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect),  \
	    CALL(madvise), CALL(mlock), CALL(munlock), CALL(clock_gettime), \
	    CALL(gettimeofday), CALL(time), CALL(getrandom), CALL(futex),   \
	    CALL(exit), CALL(exit_group), CALL(rt_sigreturn),               \
	    CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(sigaltstack),    \
	    CALL(restart_syscall), CALL(getpid), CALL(gettid),              \
	    CALL(tgkill), CALL(read), CALL(write), CALL(writev),            \
	    CALL(close), CALL(poll), CALL(ppoll), CALL(ioctl),              \
	    CALL(sched_yield), CALL(set_robust_list), CALL(rseq)

static const int keys[] = { COMMON };

/* A PKCS#11 module: files and devices below the paths that the configuration
 * gives it, which Landlock sees to, and threads of its own. */
#define MODULE                                                              \
	COMMON, CALL(openat), CALL(open), CALL(fstat), CALL(newfstatat),    \
	    CALL(stat), CALL(lstat), CALL(statx), CALL(lseek),              \
	    CALL(pread64), CALL(pwrite64), CALL(readv), CALL(fsync),        \
	    CALL(fdatasync), CALL(ftruncate), CALL(unlink), CALL(unlinkat), \
	    CALL(rename), CALL(renameat), CALL(renameat2), CALL(mkdir),     \
	    CALL(mkdirat), CALL(rmdir), CALL(getdents64), CALL(getdents),   \
	    CALL(fcntl), CALL(flock), CALL(access), CALL(faccessat),        \
	    CALL(faccessat2), CALL(getcwd), CALL(readlink),                 \
	    CALL(readlinkat), CALL(fchmod), CALL(umask), CALL(getuid),      \
	    CALL(geteuid), CALL(getgid), CALL(getegid), CALL(uname),        \
	    CALL(sysinfo), CALL(getrusage), CALL(sched_getaffinity),        \
	    CALL(nanosleep), CALL(clock_nanosleep), CALL(clock_getres),     \
	    CALL(clone), CALL(clone3), CALL(dup), CALL(pipe2),              \
	    CALL(eventfd2), CALL(epoll_create1), CALL(epoll_ctl),           \
	    CALL(epoll_wait), CALL(epoll_pwait), CALL(select),              \
	    CALL(pselect6)

static const int module[] = { MODULE };

static const int module_sockets[] = {
	MODULE, CALL(socket), CALL(connect), CALL(sendto), CALL(recvfrom),
	CALL(sendmsg), CALL(recvmsg), CALL(sendmmsg), CALL(shutdown),
	CALL(setsockopt), CALL(getsockopt), CALL(getsockname),
	CALL(getpeername), CALL(timerfd_create), CALL(timerfd_settime),
};

/* SQLite and epoch secrets: files below two folders, which Landlock sees to. */
static const int ledger[] = {
	COMMON, CALL(openat), CALL(open), CALL(fstat), CALL(newfstatat),
	CALL(stat), CALL(lstat), CALL(statx), CALL(lseek), CALL(pread64),
	CALL(pwrite64), CALL(fsync), CALL(fdatasync), CALL(ftruncate),
	CALL(fallocate), CALL(unlink), CALL(unlinkat), CALL(fcntl),
	CALL(access), CALL(faccessat), CALL(faccessat2), CALL(getcwd),
	CALL(readlink), CALL(readlinkat), CALL(geteuid), CALL(getuid),
	CALL(fchmod), CALL(fchown), CALL(utimensat), CALL(utimes),
	CALL(nanosleep), CALL(clock_nanosleep),
	/* the log's folder */
	CALL(flock), CALL(syncfs), CALL(sync_file_range), CALL(renameat),
	CALL(renameat2), CALL(mkdirat), CALL(getdents64),
};

/* Threads that connect to witnesses. */
static const int courier[] = {
	COMMON, CALL(socket), CALL(connect), CALL(bind), CALL(sendto),
	CALL(recvfrom), CALL(sendmsg), CALL(recvmsg), CALL(sendmmsg),
	CALL(shutdown), CALL(setsockopt), CALL(getsockopt),
	CALL(getsockname), CALL(getpeername), CALL(socketpair),
	CALL(openat), CALL(fstat), CALL(newfstatat), CALL(stat), CALL(statx),
	CALL(lseek), CALL(fcntl), CALL(clone), CALL(clone3), CALL(prctl),
	CALL(eventfd2), CALL(pipe2), CALL(uname), CALL(getuid), CALL(geteuid),
	CALL(sched_getaffinity), CALL(nanosleep), CALL(clock_nanosleep),
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
	CALL(readv), CALL(select), CALL(pselect6), CALL(access),
	CALL(readlink), CALL(getppid),
};

/* Threads that serve connections which come from a socket that listens. */
static const int front[] = {
	COMMON, CALL(accept), CALL(accept4), CALL(recvfrom), CALL(recvmsg),
	CALL(sendto), CALL(sendmsg), CALL(shutdown), CALL(setsockopt),
	CALL(getsockopt), CALL(getsockname), CALL(getpeername),
	CALL(epoll_create1), CALL(epoll_create), CALL(epoll_ctl),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(eventfd2), CALL(pipe2),
	CALL(fcntl), CALL(clone), CALL(clone3), CALL(prctl),
	CALL(sched_getaffinity), CALL(fstat), CALL(newfstatat), CALL(lseek),
	CALL(getuid), CALL(geteuid), CALL(getrusage), CALL(clock_nanosleep),
	CALL(nanosleep), CALL(select), CALL(pselect6), CALL(readv),
	/* the log's public files */
	CALL(openat2), CALL(pread64), CALL(sendfile), CALL(dup),
};

size_t
syscalls_of(enum role r, const int **out)
{
	switch (r) {
	case ROLE_KEYS:
		*out = keys;
		return ARRAY_LEN(keys);
	case ROLE_LEDGER:
		*out = ledger;
		return ARRAY_LEN(ledger);
	case ROLE_COURIER:
		*out = courier;
		return ARRAY_LEN(courier);
	default:
		*out = front;
		return ARRAY_LEN(front);
	}
}

size_t
syscalls_of_module(bool sockets, const int **out)
{
	*out = sockets ? module_sockets : module;
	return sockets ? ARRAY_LEN(module_sockets) : ARRAY_LEN(module);
}
