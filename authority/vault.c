// SPDX-License-Identifier: Apache-2.0
#include "authority/vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/secret.h"
#include "net/text.h"
#include "tlog/line.h"

#define NAME_MAX_LEN 64

static void
close_fdp(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static void
name_of(const struct vault_name *n, char out[static NAME_MAX_LEN])
{
	char hex[2 * ID_LEN + 1];

	text_hex(n->space, ID_LEN, hex, sizeof(hex));
	(void)snprintf(out, NAME_MAX_LEN, "%s-%lu", hex,
	    (unsigned long)n->epoch);
}

int
vault_open(const char *path, int *fd, struct fault *f)
{
	int d;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fault_sys(f, FAULT_CONFIG, errno, "make %s", path);
	d = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d < 0)
		return fault_sys(f, FAULT_CONFIG, errno, "open %s", path);
	*fd = d;
	return 0;
}

int
vault_get(int fd, const struct vault_name *n, uint8_t out[static WRAP_LEN],
    struct fault *f)
{
	uint8_t b[WRAP_LEN + 1];
	char name[NAME_MAX_LEN];
	int file defer(close_fdp) = -1;
	ssize_t k;

	name_of(n, name);
	file = openat(fd, name, O_RDONLY | O_CLOEXEC);
	if (file < 0 && errno == ENOENT)
		return fault_set(f, FAULT_NOT_FOUND, "epoch secret: none");
	if (file < 0)
		return fault_sys(f, FAULT_IO, errno, "epoch secret");
	k = read(file, b, sizeof(b));
	if (k < 0)
		return fault_sys(f, FAULT_IO, errno, "epoch secret");
	if (k != WRAP_LEN)
		return fault_set(f, FAULT_IO, "epoch secret: its length");
	for (size_t i = 0; i < WRAP_LEN; i++)
		out[i] = b[i];
	return 0;
}

static int
fill(int file, const uint8_t in[static WRAP_LEN], struct fault *f)
{
	ssize_t k = pwrite(file, in, WRAP_LEN, 0);

	if (k != WRAP_LEN)
		return fault_sys(f, fault_from_errno(k < 0 ? errno : ENOSPC),
		    k < 0 ? errno : ENOSPC, "epoch secret");
	if (fsync(file) != 0)
		return fault_sys(f, FAULT_IO, errno, "epoch secret");
	return 0;
}

int
vault_put(int fd, const struct vault_name *n,
    const uint8_t in[static WRAP_LEN], struct fault *f)
{
	char name[NAME_MAX_LEN];
	int file defer(close_fdp) = -1;
	int rc;

	name_of(n, name);
	file = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	if (file < 0)
		return fault_sys(f, fault_from_errno(errno), errno,
		    "epoch secret");
	rc = fill(file, in, f);
	if (rc == 0 && fsync(fd) != 0)
		rc = fault_sys(f, FAULT_IO, errno, "folder of epoch secrets");
	return rc;
}

int
vault_destroy(int fd, const struct vault_name *n, struct fault *f)
{
	uint8_t noise[WRAP_LEN];
	char name[NAME_MAX_LEN];
	int file defer(close_fdp) = -1;
	int rc;

	name_of(n, name);
	file = openat(fd, name, O_WRONLY | O_CLOEXEC);
	if (file < 0 && errno == ENOENT)
		return 0;
	if (file < 0)
		return fault_sys(f, FAULT_IO, errno, "epoch secret");
	secret_random(noise, sizeof(noise));
	rc = fill(file, noise, f);
	if (rc != 0)
		return rc;
	if (unlinkat(fd, name, 0) != 0 || fsync(fd) != 0)
		return fault_sys(f, FAULT_IO, errno,
		    "folder of epoch secrets");
	return 0;
}

/* The reverse of name_of(). */
static bool
parse_name(const char *name, struct vault_name *out)
{
	size_t n = strlen(name);
	uint64_t epoch;

	if (n < 2 * ID_LEN + 2 || name[2 * ID_LEN] != '-' ||
	    text_hex_parse(name, 2 * ID_LEN, out->space, ID_LEN) != 0 ||
	    line_u64(bytes_of(name + 2 * ID_LEN + 1, n - 2 * ID_LEN - 1),
	        &epoch) != 0 || epoch > UINT32_MAX)
		return false;
	out->epoch = (uint32_t)epoch;
	return true;
}

int
vault_each(int fd, int (*each)(void *arg, const struct vault_name *n,
    struct fault *f), void *arg, struct fault *f)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	const struct dirent *e;
	struct vault_name n;
	int rc = 0;

	if (d == NULL) {
		rc = fault_sys(f, FAULT_IO, errno, "folder of epoch secrets");
		close_fdp(&own);
		return rc;
	}
	for (errno = 0; rc == 0 && (e = readdir(d)) != NULL; errno = 0)
		if (parse_name(e->d_name, &n))
			rc = each(arg, &n, f);
	if (rc == 0 && errno != 0)
		rc = fault_sys(f, FAULT_IO, errno, "folder of epoch secrets");
	(void)closedir(d);
	return rc;
}
