// SPDX-License-Identifier: Apache-2.0
#include "witness/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "tlog/line.h"

#define FIRST "skerry witness key v1"
#define FILE_MAX 1024

static int
sync_parent(const char *path, struct fault *f)
{
	char copy[PATH_MAX];
	int fd, rc;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fd_fault(path, f);
	rc = fsync(fd) != 0 ? fd_fault(path, f) : 0;
	(void)close(fd);
	return rc;
}

static int
write_file(const char *path, struct bytes data, struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0)
		return fd_fault(path, f);
	errno = EIO;
	if (write(fd, data.p, data.n) != (ssize_t)data.n || fsync(fd) != 0) {
		rc = fd_fault(path, f);
		(void)unlink(path);
	}
	(void)close(fd);
	return rc != 0 ? rc : sync_parent(path, f);
}

int
keyfile_make(const char *path, const char *name, struct note_key *out,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(FILE_MAX);
	struct sign_key *key defer(secret_freep) = secret_new(sizeof(*key));
	struct sign_pub pub;
	struct note_key k;
	int rc;

	if (key == NULL || buf_reserve(&b, FILE_MAX) != 0)
		return fault_set(f, FAULT_MEMORY, "key");
	sign_new(key, &pub);
	rc = note_key_make(bytes_of(name, strlen(name)), NOTE_COSIGNATURE,
	    &pub, &k);
	if (rc != 0)
		return fault_set(f, FAULT_USAGE,
		    "'%s' cannot be a witness's name", name);
	rc = line_put(&b, FIRST "\n");
	if (rc == 0)
		rc = line_put(&b, name);
	if (rc == 0)
		rc = line_put(&b, "\n");
	if (rc == 0)
		rc = line_b64(bytes_of(key->seed, sizeof(key->seed)), &b);
	if (rc == 0)
		rc = line_put(&b, "\n");
	if (rc != 0)
		return fault_set(f, rc, "key");
	rc = write_file(path, buf_bytes(&b), f);
	if (rc == 0)
		*out = k;
	return rc;
}

int
keyfile_read(const char *path, struct sign_key *key, struct note_key *pub,
    struct fault *f)
{
	uint8_t data[FILE_MAX];
	struct bytes left, first, name, seed;
	struct sign_pub p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int rc = FAULT_CONFIG;

	if (fd < 0)
		return fault_sys(f, FAULT_CONFIG, errno, "%s", path);
	n = read(fd, data, sizeof(data));
	(void)close(fd);
	left = bytes_of(data, n > 0 ? (size_t)n : 0);
	if (line_next(&left, &first) == 0 && line_is(first, FIRST) &&
	    line_next(&left, &name) == 0 && line_next(&left, &seed) == 0 &&
	    left.n == 0 &&
	    line_b64_parse(seed, key->seed, sizeof(key->seed)) == 0) {
		sign_public(key, &p);
		rc = note_key_make(name, NOTE_COSIGNATURE, &p, pub);
	}
	secret_wipe(data, sizeof(data));
	return rc == 0 ? 0 :
	    fault_set(f, FAULT_CONFIG, "%s: not a witness key", path);
}
