// SPDX-License-Identifier: Apache-2.0
#include "authority/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority/boot.h"
#include "authority/link.h"
#include "authority/role.h"
#include "base/clock.h"
#include "base/logline.h"
#include "net/sock.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
#define STEADY_MS 60000 /* a role that ran so long begins anew */
#define START_MS 60000
#define END_MS 30000
#define SEND_BUFFER 1048576

/* Ends of a link: [0] one role's, [1] the other's.  The parent keeps all of
 * them, so that a role that is started again finds what it had. */
struct child {
	pid_t pid;       /* 0: not running */
	int status;      /* pipe that says that it is ready, or -1 */
	bool ready;
	int64_t started; /* ms */
	int64_t again;   /* ms when to start it again; 0: not */
	int backoff;     /* ms */
};

struct parent {
	const struct config *cfg;
	char ids[32]; /* "uid:gid" or "" */
	int listen, metrics, log[2], signals, null;
	int ask[2], answer[2]; /* pipes ledger -> keys, keys -> ledger */
	int pair[2];            /* front, ledger */
	int post[2];            /* ledger, courier */
	struct child child[ROLE_COUNT];
	uint16_t port, metrics_port;
	bool announced, ending;
};

/* Descriptors of the parent lie above all that a role is given, so putting
 * them in place never overwrites one that is still wanted. */
static int
raise_fd(int *fd)
{
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, 100);

	if (up < 0)
		return -1;
	(void)close(*fd);
	*fd = up;
	return 0;
}

static int
make_socket(int fd[2], struct fault *f)
{
	int size = SEND_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "socketpair");
	for (int k = 0; k < 2; k++) {
		(void)setsockopt(fd[k], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size));
		if (raise_fd(&fd[k]) != 0)
			return fault_sys(f, FAULT_INTERNAL, errno, "dup");
	}
	return 0;
}

static bool
wanted(const struct parent *p, enum role r)
{
	return r != ROLE_COURIER || p->cfg->witnesses_count != 0;
}

static int
make_links(struct parent *p, struct fault *f)
{
	int rc;

	if (pipe2(p->log, O_CLOEXEC) != 0 ||
	    pipe2(p->ask, O_CLOEXEC | O_DIRECT) != 0 ||
	    pipe2(p->answer, O_CLOEXEC | O_DIRECT) != 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "pipe");
	rc = make_socket(p->pair, f);
	if (rc == 0 && wanted(p, ROLE_COURIER))
		rc = make_socket(p->post, f);
	if (rc != 0)
		return rc;
	for (int k = 0; k < 2; k++)
		if (raise_fd(&p->log[k]) != 0 || raise_fd(&p->ask[k]) != 0 ||
		    raise_fd(&p->answer[k]) != 0)
			return fault_sys(f, FAULT_INTERNAL, errno, "dup");
	if (fcntl(p->log[0], F_SETFL, O_NONBLOCK) != 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "fcntl");
	p->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (p->null < 0 || raise_fd(&p->null) != 0 ||
	    raise_fd(&p->listen) != 0 ||
	    (p->metrics >= 0 && raise_fd(&p->metrics) != 0))
		return fault_sys(f, FAULT_INTERNAL, errno, "dup");
	return 0;
}

/* In the child: each descriptor at its number, without close-on-exec. */
static void
place(const struct parent *p, enum role r)
{
	if (r == ROLE_KEYS) {
		(void)dup2(p->ask[0], ROLE_FD_KEYS_READ);
		(void)dup2(p->answer[1], ROLE_FD_KEYS_WRITE);
		return;
	}
	if (r == ROLE_COURIER) {
		(void)dup2(p->post[1], ROLE_FD_ASKED);
		return;
	}
	if (r == ROLE_LEDGER) {
		(void)dup2(p->answer[0], ROLE_FD_KEYS_READ);
		(void)dup2(p->ask[1], ROLE_FD_KEYS_WRITE);
		if (wanted(p, ROLE_COURIER))
			(void)dup2(p->post[0], ROLE_FD_COURIER);
	} else {
		(void)dup2(p->listen, ROLE_FD_LISTEN);
		if (p->metrics >= 0)
			(void)dup2(p->metrics, ROLE_FD_METRICS);
		else
			(void)close(ROLE_FD_METRICS);
	}
	(void)dup2(p->pair[r == ROLE_LEDGER], ROLE_FD_LINK);
}

static void
become(const struct parent *p, enum role r, int boot, int status, pid_t self)
{
	char self_name[] = "skerry-authority", verb[] = "role", parent[16];
	char *const argv[] = { self_name, verb, (char *)role_name(r),
		(char *)p->ids, parent, NULL };

	(void)snprintf(parent, sizeof(parent), "%d", (int)self);
	/* What this process was started with is not the role's either. */
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)dup2(p->null, 0);
	(void)dup2(p->null, 1);
	(void)dup2(p->log[1], 2);
	(void)dup2(boot, ROLE_FD_BOOT);
	(void)dup2(status, ROLE_FD_STATUS);
	place(p, r);
	/* Nothing of the environment is needed but what sanitizers read. */
	execv("/proc/self/exe", argv);
	_exit(fault_exit(FAULT_INTERNAL));
}

static int
spawn(struct parent *p, enum role r, struct fault *f)
{
	struct child *c = &p->child[r];
	int boot[2] = { -1, -1 }, status[2] = { -1, -1 }, rc;
	pid_t self = getpid();

	if (pipe2(boot, O_CLOEXEC) != 0 || pipe2(status, O_CLOEXEC) != 0 ||
	    raise_fd(&boot[0]) != 0 || raise_fd(&boot[1]) != 0 ||
	    raise_fd(&status[0]) != 0 || raise_fd(&status[1]) != 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "pipe");
	c->pid = fork();
	if (c->pid == 0)
		become(p, r, boot[0], status[1], self);
	(void)close(boot[0]);
	(void)close(status[1]);
	c->status = status[0];
	c->ready = false;
	c->started = clock_ms();
	c->again = 0;
	if (c->pid < 0) {
		c->pid = 0;
		rc = fault_sys(f, FAULT_INTERNAL, errno, "fork");
	} else {
		rc = boot_send(p->cfg, r, boot[1], f);
	}
	(void)close(boot[1]);
	return rc;
}

/* Copies what roles have logged. */
static void
relay_log(const struct parent *p)
{
	char b[4096];
	ssize_t n;

	while ((n = read(p->log[0], b, sizeof(b))) > 0)
		if (write(STDERR_FILENO, b, (size_t)n) < 0)
			return;
}

static void
announce(struct parent *p)
{
	struct logline l;

	for (int r = 0; r < ROLE_COUNT; r++)
		if (wanted(p, r) && !p->child[r].ready)
			return;
	if (p->announced)
		return;
	p->announced = true;
	l = logline_begin(LOGLINE_INFO, "ready");
	logline_str(&l, "name", p->cfg->name);
	logline_u64(&l, "port", (uint64_t)p->port);
	if (p->metrics >= 0)
		logline_u64(&l, "metrics_port", (uint64_t)p->metrics_port);
	logline_end(&l);
}

static void
read_status(struct parent *p, enum role r)
{
	struct child *c = &p->child[r];
	char b;

	if (read(c->status, &b, 1) == 1)
		c->ready = true;
	(void)close(c->status);
	c->status = -1;
	if (!c->ready)
		return;
	if (p->announced) {
		struct logline l = logline_begin(LOGLINE_INFO,
		    "role-restarted");

		logline_str(&l, "role", role_name(r));
		logline_end(&l);
	}
	announce(p);
}

/* Who waits for the dead role's answer is told, so that it need not wait until
 * its time is up. */
static void
notify_peers(const struct parent *p, enum role r)
{
	if (r == ROLE_KEYS)
		link_lost(p->answer[1]);
	if (r == ROLE_COURIER)
		link_lost(p->post[1]);
	if (r == ROLE_LEDGER)
		link_lost(p->pair[1]);
}

/* A role died.  Before the service was ready that is a wrong configuration,
 * and the end: *code is the role's. */
static void
bury(struct parent *p, enum role r, int status, int *code)
{
	struct child *c = &p->child[r];
	bool steady = clock_ms() - c->started > STEADY_MS;
	struct logline l = logline_begin(LOGLINE_ERROR, "role-died");

	c->pid = 0;
	c->ready = false;
	if (c->status >= 0)
		(void)close(c->status);
	c->status = -1;
	if (p->ending)
		return;
	logline_str(&l, "role", role_name(r));
	if (WIFSIGNALED(status))
		logline_u64(&l, "signal", (uint64_t)WTERMSIG(status));
	else
		logline_u64(&l, "status", (uint64_t)WEXITSTATUS(status));
	logline_end(&l);
	notify_peers(p, r);
	if (!p->announced) {
		*code = WIFEXITED(status) && WEXITSTATUS(status) != 0 ?
		    -WEXITSTATUS(status) :
		    FAULT_INTERNAL;
		return;
	}
	c->backoff = steady || c->backoff == 0 ? BACKOFF_FIRST_MS :
	                                         c->backoff * 2;
	if (c->backoff > BACKOFF_MAX_MS)
		c->backoff = BACKOFF_MAX_MS;
	c->again = clock_ms() + c->backoff;
}

static void
reap(struct parent *p, int *code)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (enum role r = 0; r < ROLE_COUNT; r++)
			if (p->child[r].pid == pid)
				bury(p, r, status, code);
}

static void
read_signals(struct parent *p, int *code)
{
	struct signalfd_siginfo s;

	while (read(p->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGCHLD)
			reap(p, code);
		else if (s.ssi_signo != SIGHUP)
			p->ending = true;
	}
}

/* Starts what is due; the time until the next is, or -1. */
static int
start_due(struct parent *p)
{
	int64_t now = clock_ms(), next = -1;

	for (enum role r = 0; r < ROLE_COUNT; r++) {
		struct child *c = &p->child[r];
		struct fault f = { 0 };

		if (c->again == 0)
			continue;
		if (c->again <= now && spawn(p, r, &f) != 0) {
			struct logline l = logline_begin(LOGLINE_ERROR,
			    "role-start");

			logline_fault(&l, &f);
			logline_end(&l);
			if (c->pid == 0)
				c->again = now + BACKOFF_MAX_MS;
		}
		if (c->again != 0 && (next < 0 || c->again - now < next))
			next = c->again - now;
	}
	return next < 0 ? -1 : (int)next;
}

/* One wait for whatever comes first. */
static void
turn(struct parent *p, int ms, int *code)
{
	struct pollfd w[2 + ROLE_COUNT] = {
		{ .fd = p->signals, .events = POLLIN },
		{ .fd = p->log[0], .events = POLLIN },
	};

	for (int r = 0; r < ROLE_COUNT; r++)
		w[2 + r] = (struct pollfd){ .fd = p->child[r].status,
			.events = POLLIN };
	if (poll(w, ARRAY_LEN(w), ms) <= 0)
		return;
	if (w[1].revents != 0)
		relay_log(p);
	for (enum role r = 0; r < ROLE_COUNT; r++)
		if (w[2 + r].revents != 0)
			read_status(p, r);
	if (w[0].revents != 0)
		read_signals(p, code);
}

/* Ends a role and waits; one that does not end in time is killed. */
static void
finish_role(struct parent *p, enum role r, int sig)
{
	int64_t until = clock_ms() + END_MS;
	int code = 0;

	if (p->child[r].pid == 0)
		return;
	(void)kill(p->child[r].pid, sig);
	while (p->child[r].pid != 0 && clock_ms() < until)
		turn(p, 100, &code);
	if (p->child[r].pid == 0)
		return;
	(void)kill(p->child[r].pid, SIGKILL);
	while (p->child[r].pid != 0)
		turn(p, 100, &code);
}

static int
set_signals(struct parent *p, struct fault *f)
{
	sigset_t s;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&s);
	(void)sigaddset(&s, SIGCHLD);
	(void)sigaddset(&s, SIGTERM);
	(void)sigaddset(&s, SIGINT);
	(void)sigaddset(&s, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &s, NULL);
	p->signals = signalfd(-1, &s, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0)
		return fault_sys(f, FAULT_INTERNAL, errno, "signalfd");
	return 0;
}

static int
find_ids(struct parent *p, struct fault *f)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int rc;

	if (p->cfg->user == NULL || geteuid() != 0)
		return 0;
	rc = config_user(p->cfg, &uid, &gid, f);
	if (rc == 0)
		(void)snprintf(p->ids, sizeof(p->ids), "%lu:%lu",
		    (unsigned long)uid, (unsigned long)gid);
	return rc;
}

static int
prepare(struct parent *p, struct fault *f)
{
	int rc = find_ids(p, f);

	if (rc == 0)
		rc = sock_listen(p->cfg->listen, false, &p->listen, &p->port,
		    f);
	if (rc == 0 && p->cfg->metrics != NULL) {
		rc = sock_listen(p->cfg->metrics, true, &p->metrics,
		    &p->metrics_port, f);
		if (rc != 0)
			rc = fault_add(f, rc, "metrics");
	}
	if (rc == 0)
		rc = make_links(p, f);
	if (rc == 0)
		rc = set_signals(p, f);
	return rc;
}

int
parent_run(const struct config *c, struct fault *f)
{
	struct parent p = { .cfg = c, .listen = -1, .metrics = -1 };
	bool whole;
	int code = 0, rc;

	for (int r = 0; r < ROLE_COUNT; r++)
		p.child[r].status = -1;
	rc = prepare(&p, f);
	for (enum role r = 0; rc == 0 && r < ROLE_COUNT; r++)
		rc = !wanted(&p, r) ? 0 : spawn(&p, r, f);
	while (rc == 0 && code == 0 && !p.ending) {
		if (!p.announced && clock_ms() - p.child[0].started > START_MS)
			code = FAULT_INTERNAL;
		turn(&p, p.announced ? start_due(&p) : 1000, &code);
	}
	/* A role that has not started may wait for one that never will. */
	whole = p.announced || p.ending;
	p.ending = true;
	/* The front first: its last requests want the others alive. */
	finish_role(&p, ROLE_FRONT, whole ? SIGTERM : SIGKILL);
	finish_role(&p, ROLE_LEDGER, whole ? SIGUSR1 : SIGKILL);
	finish_role(&p, ROLE_COURIER, whole ? SIGUSR1 : SIGKILL);
	finish_role(&p, ROLE_KEYS, whole ? SIGUSR1 : SIGKILL);
	if (p.log[0] > 0)
		relay_log(&p);
	if (code != 0)
		return fault_set(f, code, "a role did not start");
	return rc;
}
