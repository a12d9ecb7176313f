// SPDX-License-Identifier: Apache-2.0
/* The side of the commands; the agent's own side is agentd.c. */
#include "client/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/frame.h"
#include "client/state.h"
#include "crypt/secret.h"
#include "net/text.h"

#define SELF "/proc/self/exe"
#define FOLDER_SOCKET "agent.sock"
#define FOLDER_MAX 512
#define BACKLOG 8

/* Where the socket is: an open folder (to be closed) and a name in it. */
struct place {
	int dir;
	char name[64];
	char path[FOLDER_MAX + 64];
};

static void
close_place(struct place *p)
{
	fd_close(&p->dir);
}

static bool
off(void)
{
	const char *v = getenv("SKERRY_AGENT");

	return v != NULL && strcmp(v, "off") == 0;
}

/* skerry in $XDG_RUNTIME_DIR, if it is ours alone; -1: none. */
static int
runtime_folder(char out[static FOLDER_MAX])
{
	const char *v = getenv("XDG_RUNTIME_DIR");
	struct stat sb;
	int fd;

	if (v == NULL || v[0] != '/' ||
	    snprintf(out, FOLDER_MAX, "%s/skerry", v) >= FOLDER_MAX)
		return -1;
	if (mkdir(out, 0700) != 0 && errno != EEXIST)
		return -1;
	fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	if (fstat(fd, &sb) != 0 || sb.st_uid != geteuid() ||
	    (sb.st_mode & 077) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
find_place(const struct state *st, struct place *p, struct fault *f)
{
	char folder[FOLDER_MAX], device[TEXT_HEX_SIZE(ID_LEN)];

	p->dir = runtime_folder(folder);
	if (p->dir >= 0) {
		text_hex(st->device, ID_LEN, device, sizeof(device));
		(void)snprintf(p->name, sizeof(p->name), "%s.sock", device);
	} else {
		if (strlen(st->dir) >= sizeof(folder))
			return fault_set(f, FAULT_LIMIT, "%s: too long",
			    st->dir);
		(void)snprintf(folder, sizeof(folder), "%s", st->dir);
		(void)snprintf(p->name, sizeof(p->name), FOLDER_SOCKET);
		p->dir = fcntl(st->fd, F_DUPFD_CLOEXEC, 3);
		if (p->dir < 0)
			return fault_sys(f, FAULT_IO, errno, "%s", st->dir);
	}
	(void)snprintf(p->path, sizeof(p->path), "%s/%s", folder, p->name);
	return 0;
}

/* By the open folder: a path of any length fits into 108 bytes so. */
static struct sockaddr_un
address_of(const struct place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s",
	    p->dir, p->name);
	return a;
}

static int
fail(const struct place *p, struct fault *f)
{
	int err = errno;

	return fault_sys(f, fault_from_errno(err), err, "agent at %s", p->path);
}

/* A connection, or FAULT_NOT_FOUND where no agent listens. */
static int
dial(const struct place *p, int *out, struct fault *f)
{
	struct sockaddr_un a = address_of(p);
	int fd defer(fd_close) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(p, f);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return fault_set(f, FAULT_NOT_FOUND, "no agent runs");
		return fail(p, f);
	}
	if (!frame_same_user(fd))
		return fault_set(f, FAULT_TRUST,
		    "agent at %s: belongs to another user", p->path);
	*out = fd;
	fd = -1;
	return 0;
}

/* One question and its answer; answer->lease is the caller's storage. */
static int
ask(const struct state *st, const struct lease_message *question,
    struct lease_message *answer, struct fault *f)
{
	struct place p defer(close_place) = { .dir = -1 };
	int fd defer(fd_close) = -1;
	int rc = find_place(st, &p, f);

	if (rc == 0)
		rc = dial(&p, &fd, f);
	if (rc != 0)
		return rc;
	rc = frame_send(fd, question);
	if (rc == 0)
		rc = frame_receive(fd, answer);
	/* An agent that is just leaving is none. */
	if (rc == FAULT_IO)
		return fault_set(f, FAULT_NOT_FOUND, "no agent runs");
	return rc == 0 ? 0 : fault_add(f, rc, "agent at %s", p.path);
}

static int
listen_at(const struct place *p, int *out, struct fault *f)
{
	struct sockaddr_un a = address_of(p);
	int fd defer(fd_close) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(p, f);
	if (unlinkat(p->dir, p->name, 0) != 0 && errno != ENOENT)
		return fail(p, f);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    fchmodat(p->dir, p->name, 0600, 0) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return fail(p, f);
	*out = fd;
	fd = -1;
	return 0;
}

/* In the grandchild: becomes the agent.  Only calls that are safe after a fork
 * of a process with threads. */
static void
become_agent(int listener, char *const argv[])
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(listener, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0)
		_exit(1);
	(void)close_range(3, ~0U, 0);
	(void)execv(SELF, argv);
	_exit(1);
}

/* Twice forked, so that the agent is no child of the caller, in a session of
 * its own; the socket listens before this returns. */
static int
start(const struct state *st, struct fault *f)
{
	struct place p defer(close_place) = { .dir = -1 };
	int listener defer(fd_close) = -1;
	int rc = find_place(st, &p, f), status;
	char *const argv[] = { (char *)"skerry", (char *)"agent",
		(char *)"--home", st->dir, (char *)"--socket", p.path, NULL };
	pid_t pid;

	if (rc == 0)
		rc = listen_at(&p, &listener, f);
	if (rc != 0)
		return rc;
	pid = fork();
	if (pid < 0)
		return fail(&p, f);
	if (pid == 0) {
		if (setsid() < 0 || (pid = fork()) < 0)
			_exit(1);
		if (pid == 0)
			become_agent(listener, argv);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(&p, f);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fault_set(f, FAULT_INTERNAL, "agent: did not start");
	return 0;
}

int
agent_put(const struct state *st, const struct lease *lease, struct fault *f)
{
	struct lease_message question = { .type = LEASE_PUT,
		.lease = (struct lease *)(uintptr_t)lease };
	struct lease *scrap defer(secret_freep) = NULL;
	struct lease_message answer = { 0 };
	int rc;

	if (off())
		return 0;
	scrap = secret_new(sizeof(*scrap));
	if (scrap == NULL)
		return fault_set(f, FAULT_MEMORY, "agent: out of memory");
	answer.lease = scrap;
	rc = ask(st, &question, &answer, f);
	if (rc == FAULT_NOT_FOUND) {
		rc = start(st, f);
		if (rc == 0)
			rc = ask(st, &question, &answer, f);
	}
	if (rc == 0 && answer.type != LEASE_OK)
		return fault_set(f, FAULT_INTERNAL, "agent: refused the lease");
	return rc;
}

int
agent_get(const struct state *st, struct lease *out, struct fault *f)
{
	struct lease_message question = { .type = LEASE_GET };
	struct lease_message answer = { .lease = out };
	int rc;

	memcpy(question.space, st->binding.space, ID_LEN);
	memcpy(question.device, st->device, ID_LEN);
	rc = ask(st, &question, &answer, f);
	if (rc != 0)
		return rc;
	if (answer.type != LEASE_LEASE)
		return fault_set(f, FAULT_NOT_FOUND, "no lease is held");
	/* An agent that answers for somebody else is not believed. */
	if (memcmp(out->space, st->binding.space, ID_LEN) != 0 ||
	    memcmp(out->account, st->binding.account, ID_LEN) != 0 ||
	    memcmp(out->device, st->device, ID_LEN) != 0) {
		secret_wipe(out, sizeof(*out));
		return fault_set(f, FAULT_NOT_FOUND,
		    "agent: holds another space's lease");
	}
	return 0;
}

int
agent_drop(const struct state *st, bool *had, struct fault *f)
{
	struct lease_message question = { .type = LEASE_DROP };
	struct lease *scrap defer(secret_freep) = secret_new(sizeof(*scrap));
	struct lease_message answer = { .lease = scrap };
	int rc;

	if (scrap == NULL)
		return fault_set(f, FAULT_MEMORY, "agent: out of memory");
	rc = ask(st, &question, &answer, f);
	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return rc;
	*had = rc == 0;
	return 0;
}
