// SPDX-License-Identifier: Apache-2.0
#include "client/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/file.h"
#include "crypt/secret.h"

#define LINE_LEN (RECOVERY_TEXT_LEN + 1)

int
handover_check(struct cli *cli, const char *path)
{
	char copy[PATH_MAX];
	size_t n = path == NULL ? 0 : strlen(path);
	struct stat st;
	int err = 0;

	if (path == NULL)
		return 0;
	if (n == 0 || path[n - 1] == '/' || n >= sizeof(copy))
		return cli_usage(cli, "--recovery-out wants a file");
	memcpy(copy, path, n + 1);
	if (lstat(path, &st) == 0)
		err = EEXIST;
	else if (errno != ENOENT || faccessat(AT_FDCWD, dirname(copy),
		     W_OK | X_OK, AT_EACCESS) != 0)
		err = errno;
	return err == 0 ? 0 : fault_sys(&cli->fault, fault_from_errno(err),
	    err, "--recovery-out: %s", path);
}

/* How much of the line is all that the file has: after a run that was broken
 * off; -1 where it has anything else. */
static ssize_t
has_of(const char *path, const char *line)
{
	struct buf b defer(buf_wipe) = buf_init(LINE_LEN + 1);
	struct fault scrap = { 0 };

	return file_read(AT_FDCWD, path, &b, &scrap) == 0 &&
	    b.n <= LINE_LEN && (b.n == 0 || memcmp(b.p, line, b.n) == 0) ?
	    (ssize_t)b.n : -1;
}

/* The name, too, survives a power cut. */
static bool
sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd defer(fd_close) = -1;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return false;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0;
}

static int
write_line(struct cli *cli, const char *path, const char *line)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = open(path, flags, 0600);
	ssize_t has;
	bool ok;

	if (fd < 0 && errno == EEXIST) {
		has = has_of(path, line);
		if (has == LINE_LEN)
			return 0;
		if (has >= 0 && unlink(path) == 0)
			fd = open(path, flags, 0600);
		else
			errno = EEXIST;
	}
	if (fd < 0)
		return fault_sys(&cli->fault, fault_from_errno(errno), errno,
		    "%s", path);
	ok = write(fd, line, LINE_LEN) == LINE_LEN && fsync(fd) == 0 &&
	    sync_folder(path);
	if (close(fd) == 0 && ok)
		return 0;
	(void)fault_sys(&cli->fault, fault_from_errno(errno), errno, "%s",
	    path);
	(void)unlink(path); /* the same command can go on */
	return cli->fault.code;
}

static int
print(struct cli *cli, const char *text)
{
	if (cli->json)
		(void)printf("{\"recovery_code\":\"%s\",", text);
	cli->begun |= cli->json;
	cli_print(cli, "\nRecovery code (shown once):\n\n    %s\n\n"
	    "Write it on paper and keep it away from your devices.  "
	    "Whoever has it can read\neverything; if all devices are "
	    "lost, nothing else opens your files.\n", text);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return fault_set(&cli->fault, FAULT_IO, "standard output: the "
	    "recovery code could not be printed: run the command again");
}

int
handover_code(struct cli *cli, const struct recovery_code *code,
    const char *path)
{
	char line[LINE_LEN + 1];
	int rc;

	recovery_text(code, line);
	if (path == NULL) {
		rc = print(cli, line);
	} else {
		line[RECOVERY_TEXT_LEN] = '\n';
		rc = write_line(cli, path, line);
		if (rc == 0)
			cli_print(cli, "\nRecovery code in %s: keep it away "
			    "from your devices.  Whoever has it\ncan read "
			    "everything; if all devices are lost, nothing "
			    "else opens your files.\n", path);
	}
	secret_wipe(line, sizeof(line));
	return rc;
}
