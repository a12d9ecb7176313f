// SPDX-License-Identifier: Apache-2.0
#include "client/agentd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/frame.h"
#include "crypt/secret.h"

#define TICK_MS 2000       /* how often folder and socket are looked at */
#define FIRST_LEASE_MS 10000

struct agent {
	const char *dir, *socket;
	ino_t dir_ino, socket_ino;
	struct lease *lease; /* secret memory; has_lease: filled */
	bool has_lease;
	int64_t ends_ms; /* of the lease, or of waiting for the first one */
	bool leave;
};

static volatile sig_atomic_t told_to_leave;

static void
on_term(int sig)
{
	(void)sig;
	told_to_leave = 1;
}

/* A lease runs on while the machine sleeps. */
static int64_t
boot_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static ino_t
inode_of(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 ? sb.st_ino : 0;
}

static enum lease_type
take_lease(struct agent *a, const struct lease *in)
{
	memcpy(a->lease, in, sizeof(*in));
	a->has_lease = true;
	a->ends_ms = boot_ms() + (int64_t)in->seconds * 1000;
	return LEASE_OK;
}

static enum lease_type
give_lease(struct agent *a, const struct lease_message *q)
{
	int64_t left = (a->ends_ms - boot_ms()) / 1000;

	if (!a->has_lease || left < 1 ||
	    memcmp(q->space, a->lease->space, ID_LEN) != 0 ||
	    memcmp(q->device, a->lease->device, ID_LEN) != 0)
		return LEASE_NONE;
	a->lease->seconds = (uint32_t)left;
	return LEASE_LEASE;
}

static void
serve(struct agent *a, int fd)
{
	struct lease *in defer(secret_freep) = secret_new(sizeof(*in));
	struct lease_message q = { .lease = in }, answer = { 0 };
	bool drop = false;

	if (in == NULL || !frame_same_user(fd) || frame_receive(fd, &q) != 0)
		return;
	switch (q.type) {
	case LEASE_PUT:
		answer.type = take_lease(a, in);
		break;
	case LEASE_GET:
		answer.type = give_lease(a, &q);
		answer.lease = a->lease;
		break;
	case LEASE_DROP:
		/* Wiped before the caller is told so. */
		secret_wipe(a->lease, sizeof(*a->lease));
		a->has_lease = false;
		answer.type = LEASE_OK;
		drop = true;
		break;
	default:
		answer.type = LEASE_REFUSED;
		break;
	}
	if (drop)
		(void)unlink(a->socket);
	(void)!frame_send(fd, &answer);
	a->leave |= drop;
}

/* An agent without its socket is out of reach: skerry lock does not find it. */
static bool
forsaken(const struct agent *a)
{
	return inode_of(a->dir) != a->dir_ino ||
	    inode_of(a->socket) != a->socket_ino;
}

static void
loop(struct agent *a)
{
	while (!a->leave && told_to_leave == 0 && !forsaken(a)) {
		struct pollfd p = { .fd = 0, .events = POLLIN };
		int64_t left = a->ends_ms - boot_ms();
		int fd;

		if (left <= 0)
			return;
		if (poll(&p, 1, (int)(left < TICK_MS ? left : TICK_MS)) <= 0)
			continue;
		fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		serve(a, fd);
		(void)close(fd);
	}
}

static void
set_signals(void)
{
	const struct sigaction term = { .sa_handler = on_term };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)sigaction(SIGTERM, &term, NULL);
	(void)sigaction(SIGINT, &ignore, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static int
is_listening(void)
{
	int yes = 0;
	socklen_t n = sizeof(yes);

	return getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes;
}

int
agentd_run(const char *dir, const char *socket, struct fault *f)
{
	struct lease *lease defer(secret_freep) = NULL;
	struct agent a = { .dir = dir, .socket = socket };

	if (!is_listening())
		return fault_set(f, FAULT_USAGE,
		    "agent: is started by other commands");
	set_signals();
	(void)close_range(3, ~0U, 0);
	(void)umask(077);
	if (chdir("/") != 0)
		return fault_sys(f, FAULT_IO, errno, "/");
	a.lease = lease = secret_new(sizeof(*lease));
	if (lease == NULL)
		return fault_set(f, FAULT_MEMORY, "agent: out of memory");
	a.dir_ino = inode_of(dir);
	a.socket_ino = inode_of(socket);
	a.ends_ms = boot_ms() + FIRST_LEASE_MS;
	if (a.dir_ino != 0)
		loop(&a);
	secret_wipe(lease, sizeof(*lease));
	/* Not the socket of an agent that came later. */
	if (a.socket_ino != 0 && inode_of(socket) == a.socket_ino)
		(void)unlink(socket);
	return 0;
}
