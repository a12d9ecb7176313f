// SPDX-License-Identifier: Apache-2.0
#include "client/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

bool
terminal_redraws(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

/* Byte by byte: nothing of a secret stays in a stdio buffer. */
static int
read_line(int fd, char *out, size_t size, struct fault *f)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		if (got < 0)
			return fault_sys(f, FAULT_IO, errno, "terminal");
		if (got == 0 || c == '\n')
			break;
		if (n + 1 >= size)
			return fault_set(f, FAULT_LIMIT,
			    "terminal: the line is too long");
		out[n++] = c;
	}
	out[n] = '\0';
	return 0;
}

static int
ask(const char *prompt, const char *instead, int *out, struct fault *f)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return fault_set(f, FAULT_USAGE,
		    "no terminal to ask at: %s", instead);
	if (dprintf(fd, "%s", prompt) < 0) {
		(void)close(fd);
		return fault_sys(f, FAULT_IO, errno, "terminal");
	}
	*out = fd;
	return 0;
}

int
terminal_secret(const char *prompt, char *out, size_t size, struct fault *f)
{
	struct termios before, quiet;
	int fd defer(fd_close) = -1;
	int rc = ask(prompt, "--recovery-in FILE has the code in a file", &fd,
	    f);

	if (rc != 0)
		return rc;
	if (tcgetattr(fd, &before) != 0)
		return fault_sys(f, FAULT_IO, errno, "terminal");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return fault_sys(f, FAULT_IO, errno, "terminal");
	rc = read_line(fd, out, size, f);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)dprintf(fd, "\n");
	return rc;
}

int
terminal_confirm(const char *question, bool *yes, struct fault *f)
{
	char line[64];
	int fd defer(fd_close) = -1;
	int rc = ask(question, "--yes goes on without asking", &fd, f);

	if (rc == 0)
		rc = read_line(fd, line, sizeof(line), f);
	if (rc == 0)
		*yes = strcasecmp(line, "y") == 0 ||
		    strcasecmp(line, "yes") == 0;
	return rc;
}
