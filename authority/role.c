// SPDX-License-Identifier: Apache-2.0
#include "authority/role.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "authority/courier.h"
#include "authority/front.h"
#include "authority/keys.h"
#include "authority/ledger.h"
#include "authority/syscalls.h"
#include "base/logline.h"
#include "crypt/secret.h"
#include "sandbox/sandbox.h"

static const struct {
	const char *name;
	int (*run)(struct fault *f);
} roles[ROLE_COUNT] = {
	[ROLE_KEYS] = { "keys", keys_main },
	[ROLE_LEDGER] = { "ledger", ledger_main },
	[ROLE_FRONT] = { "front", front_main },
	[ROLE_COURIER] = { "courier", courier_main },
};

static volatile sig_atomic_t ending;

const char *
role_name(enum role r)
{
	return roles[r].name;
}

static void
on_end(int sig)
{
	(void)sig;
	ending = 1;
}

/*
 * A service manager signals every process of the service at once, while the
 * front still finishes requests: only the parent's SIGUSR1 ends keys and
 * ledger.  It is blocked but for the time of ppoll().
 */
static void
signals_init(enum role r)
{
	struct sigaction end = { .sa_handler = on_end };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)sigaction(SIGINT, &ignore, NULL);
	(void)sigemptyset(&set);
	if (r == ROLE_FRONT) {
		(void)sigaction(SIGUSR1, &end, NULL);
		(void)sigaction(SIGTERM, &end, NULL);
		(void)sigaddset(&set, SIGTERM);
	} else {
		(void)sigaction(SIGTERM, &ignore, NULL);
		(void)sigaction(SIGUSR1, &end, NULL);
	}
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
}

/* ids: "uid:gid" by the parent, or "" to stay. */
static int
drop_ids(const char *ids, struct fault *f)
{
	char *end;
	unsigned long uid, gid;

	if (ids[0] == '\0')
		return 0;
	uid = strtoul(ids, &end, 10);
	if (*end != ':')
		return fault_set(f, FAULT_INTERNAL, "ids");
	gid = strtoul(end + 1, NULL, 10);
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return fault_sys(f, FAULT_CONFIG, errno, "drop ids");
	if (setuid(0) == 0)
		return fault_set(f, FAULT_INTERNAL, "ids came back");
	return 0;
}

/* A role does not outlive the parent, which alone can mend its links.  Comes
 * after the change of ids, which resets it. */
static int
follow_parent(const char *parent, struct fault *f)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "prctl");
	if (getppid() != (pid_t)strtol(parent, NULL, 10))
		return fault_set(f, FAULT_INTERRUPTED, "the parent is gone");
	return 0;
}

int
role_run(const char *name, const char *ids, const char *parent)
{
	struct fault f = { 0 };
	enum role r = 0;
	int rc;

	while (r < ROLE_COUNT && strcmp(roles[r].name, name) != 0)
		r++;
	if (r == ROLE_COUNT)
		return fault_exit(FAULT_USAGE);
	(void)close_range(r == ROLE_KEYS || r == ROLE_COURIER ? ROLE_FD_LINK :
	    ROLE_FD_COURIER + (r == ROLE_LEDGER), ~0U, 0);
	signals_init(r);
	rc = secret_init();
	if (rc != 0)
		(void)fault_set(&f, rc, "secret memory");
	if (rc == 0)
		rc = drop_ids(ids, &f);
	if (rc == 0)
		rc = follow_parent(parent, &f);
	if (rc == 0)
		rc = roles[r].run(&f);
	if (rc != 0 && rc != FAULT_INTERRUPTED) {
		struct logline l = logline_begin(LOGLINE_ERROR, "role-failed");

		logline_str(&l, "role", name);
		logline_fault(&l, &f);
		logline_end(&l);
	}
	return fault_exit(rc);
}

int
role_boot_read(struct buf *out, struct fault *f)
{
	uint8_t piece[4096];
	int rc = 0;
	ssize_t n;

	while ((n = read(ROLE_FD_BOOT, piece, sizeof(piece))) > 0 && rc == 0)
		rc = buf_append(out, piece, (size_t)n);
	explicit_bzero(piece, sizeof(piece));
	if (n < 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "boot message");
	if (rc != 0)
		return fault_set(f, rc, "boot message");
	(void)close(ROLE_FD_BOOT);
	return 0;
}

void
role_boot_put(struct wr *w, struct bytes b)
{
	wr_u32(w, (uint32_t)b.n);
	wr_copy(w, b.p, b.n);
}

struct bytes
role_boot_field(struct rd *r)
{
	return rd_take(r, rd_u32(r));
}

char *
role_boot_text(struct rd *r)
{
	struct bytes b = role_boot_field(r);

	return r->failed ? NULL : strndup((const char *)b.p, b.n);
}

static void
warn(const struct fault *f)
{
	struct logline l = logline_begin(LOGLINE_WARN, "sandbox");

	logline_fault(&l, f);
	logline_end(&l);
}

static int
paths_open(const struct role_reach *reach, struct sandbox_path *p,
    struct fault *f)
{
	for (size_t i = 0; i < reach->n; i++) {
		p[i].access = SANDBOX_READ |
		    (reach->read ? 0 : SANDBOX_WRITE) |
		    (reach->module ? SANDBOX_DEVICE : 0);
		p[i].fd = open(reach->path[i], O_PATH | O_CLOEXEC);
		if (p[i].fd < 0)
			return fault_sys(f, FAULT_CONFIG, errno, "open %s",
			    reach->path[i]);
	}
	return 0;
}

static int
confine_paths(const struct role_reach *reach, bool *closed, struct fault *f)
{
	struct sandbox_path p[ROLE_PATHS_MAX];
	int rc;

	if (reach->n > ROLE_PATHS_MAX)
		return fault_set(f, FAULT_CONFIG, "at most %d paths",
		    ROLE_PATHS_MAX);
	for (size_t i = 0; i < reach->n; i++)
		p[i].fd = -1;
	rc = paths_open(reach, p, f);
	if (rc == 0)
		rc = sandbox_landlock(p, reach->n, f);
	for (size_t i = 0; i < reach->n; i++)
		if (p[i].fd >= 0)
			(void)close(p[i].fd);
	*closed = rc == 0;
	return rc;
}

int
role_confine(enum role r, const char *const *dir, size_t n, struct fault *f)
{
	const struct role_reach reach = { .path = dir, .n = n };

	return role_confine_to(r, &reach, f);
}

int
role_confine_to(enum role r, const struct role_reach *reach, struct fault *f)
{
	unsigned denied = 0;
	bool closed = false;
	const int *calls;
	size_t n = reach->module ? syscalls_of_module(reach->sockets, &calls) :
	                           syscalls_of(r, &calls);
	int rc = confine_paths(reach, &closed, f);

	if (rc == FAULT_VERSION)
		warn(f);
	else if (rc != 0)
		return rc;
	if (closed)
		denied |= SANDBOX_NO_OPEN;
	rc = reach->tcp ? 0 : sandbox_no_tcp(f);
	if (rc == FAULT_VERSION)
		warn(f);
	else if (rc != 0)
		return rc;
	rc = sandbox_seccomp(calls, n, f);
	if (rc == FAULT_VERSION)
		warn(f);
	else if (rc != 0)
		return rc;
	else
		denied |= SANDBOX_NO_EXEC | SANDBOX_NO_PTRACE |
		    (reach->sockets ? 0 : SANDBOX_NO_SOCKET);
	return sandbox_check(denied, f);
}

int
role_ready(struct fault *f)
{
	if (write(ROLE_FD_STATUS, "R", 1) != 1)
		return fault_sys(f, FAULT_INTERNAL, errno, "status");
	(void)close(ROLE_FD_STATUS);
	return 0;
}

int
role_wait(int fd, int ms, struct fault *f)
{
	const struct timespec t = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t none;

	(void)sigemptyset(&none);
	while (!ending) {
		int k = ppoll(&p, 1, ms < 0 ? NULL : &t, &none);

		if (k >= 0)
			return 0;
		if (errno != EINTR)
			return fault_sys(f, FAULT_INTERNAL, errno, "poll");
	}
	return FAULT_INTERRUPTED;
}
