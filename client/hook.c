// SPDX-License-Identifier: Apache-2.0
#include "client/hook.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOOK_SECONDS 600
#define SLICE_MS 100

/* A file, so that a hook which does not read is not waited for. */
static int
hook_input(const char *text)
{
	size_t n = strlen(text);
	int fd = memfd_create("alarms", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static pid_t
start_hook(const char *command, int input)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)setpgid(0, 0);
	(void)dup2(input, STDIN_FILENO);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Whether it is done, and well.  One that hangs is not in the way of the next
 * look at the logs; one that goes on when it is time to end is left to it. */
static bool
await_hook(pid_t pid, const atomic_bool *stop)
{
	const struct timespec t = { .tv_nsec = SLICE_MS * 1000000L };
	int status = 0;

	for (long ms = 0; ms < HOOK_SECONDS * 1000; ms += SLICE_MS) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done != 0 && (done > 0 || errno != EINTR))
			return done == pid && status == 0;
		if (atomic_load(stop))
			return true;
		(void)nanosleep(&t, NULL);
	}
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return false;
}

bool
hook_run(const char *command, const char *text, const atomic_bool *stop)
{
	int input = hook_input(text);
	pid_t pid = input < 0 ? -1 : start_hook(command, input);

	if (input >= 0)
		(void)close(input);
	return pid >= 0 && await_hook(pid, stop);
}
