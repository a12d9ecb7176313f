// SPDX-License-Identifier: Apache-2.0
#include "client/engine/restore_temp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/secret.h"

#define PREFIX ".skerry-part-"
#define DIGITS 16
#define TRIES 8

static uint32_t session;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
choose_session(void)
{
	secret_random(&session, sizeof(session));
}

void
restore_temp_name(char name[static RESTORE_TEMP_SIZE])
{
	static atomic_uint serial;

	(void)pthread_once(&once, choose_session);
	(void)snprintf(name, RESTORE_TEMP_SIZE, PREFIX "%08x%08x", session,
	    atomic_fetch_add(&serial, 1));
}

int
restore_temp_open(int dir, char name[static RESTORE_TEMP_SIZE])
{
	for (int i = 0; i < TRIES; i++) {
		struct stat st;
		int fd;

		restore_temp_name(name);
		fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (fd < 0 && errno != EEXIST)
			return -1;
		if (fd < 0)
			continue;
		/* A cleaner may have come before the lock.  A file system
		 * without locks has no careful cleaner either. */
		(void)flock(fd, LOCK_EX | LOCK_NB);
		if (fstat(fd, &st) == 0 && st.st_nlink > 0)
			return fd;
		close(fd);
	}
	errno = EBUSY;
	return -1;
}

int
restore_temp_place(int dir, const char *temp, const char *name, bool replace)
{
	if (replace)
		return renameat(dir, temp, dir, name) == 0 ? 0 : errno;
	if (renameat2(dir, temp, dir, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	/* A file system without it. */
	if (linkat(dir, temp, dir, name, 0) != 0)
		return errno;
	(void)unlinkat(dir, temp, 0);
	return 0;
}

static bool
is_temp(const char *name)
{
	size_t n = strlen(PREFIX);

	return strncmp(name, PREFIX, n) == 0 &&
	    strspn(name + n, "0123456789abcdef") == DIGITS &&
	    strlen(name + n) == DIGITS;
}

static void
clean_one(int dir, const char *name)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    S_ISDIR(st.st_mode))
		return;
	if (S_ISREG(st.st_mode)) {
		fd = openat(dir, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 &&
		    errno == EWOULDBLOCK) {
			close(fd);
			return;
		}
		(void)unlinkat(dir, name, 0);
		if (fd >= 0)
			close(fd);
		return;
	}
	(void)unlinkat(dir, name, 0);
}

void
restore_temp_clean(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (is_temp(e->d_name))
			clean_one(dir, e->d_name);
	}
	closedir(d);
}
