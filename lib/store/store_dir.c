// SPDX-License-Identifier: Apache-2.0
/* spec/40-depot.md, Directory backend. */
#include "store/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/rd.h"
#include "crypt/secret.h"
#include "net/text.h"

#define PATH_LEN 160
#define HEAD_NUMBER_AT 8 /* u64 number: spec/30-tree.md, Head */

struct store_dir {
	struct store store;
	char *dir;
	uint8_t prefix[ID_LEN];
	int fd; /* of dir */
};

static struct store_dir *
of(struct store *s)
{
	return (struct store_dir *)s;
}

static int
make_folder(int at, const char *path, struct fault *f)
{
	if (mkdirat(at, path, 0700) != 0 && errno != EEXIST)
		return fd_fault(path, f);
	return 0;
}

static int
sync_folder(int at, const char *path, struct fault *f)
{
	int fd defer(fd_close) = openat(at, path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return fd_fault(path, f);
	return 0;
}

/* A new file in tmp with these bytes, on the disk; its path to name. */
static int
write_tmp(const struct store_dir *s, struct bytes data, char name[static 64],
    struct fault *f)
{
	uint8_t random[ID_LEN];
	char hex[2 * ID_LEN + 1];
	int fd defer(fd_close) = -1;

	secret_random(random, sizeof(random));
	text_hex(random, sizeof(random), hex, sizeof(hex));
	(void)snprintf(name, 64, "tmp/%s", hex);
	fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fd_fault(name, f);
	if (fd_write(fd, data) != 0 || fsync(fd) != 0)
		return fd_fault(name, f);
	return 0;
}

static int
same_bytes(const struct store_dir *s, const char *path, struct bytes data)
{
	int fd defer(fd_close) = openat(s->fd, path, O_RDONLY | O_CLOEXEC);
	uint8_t part[4096];
	size_t at = 0;

	if (fd < 0)
		return 0;
	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0)
			return 0;
		if (n == 0)
			return at == data.n;
		if ((size_t)n > data.n - at ||
		    memcmp(part, data.p + at, (size_t)n) != 0)
			return 0;
		at += (size_t)n;
	}
}

static void
folder_of(const struct store_dir *s, const uint8_t *object,
    char out[static PATH_LEN])
{
	char prefix[2 * ID_LEN + 1], first[3];

	text_hex(s->prefix, ID_LEN, prefix, sizeof(prefix));
	text_hex(object, 1, first, sizeof(first));
	(void)snprintf(out, PATH_LEN, "v1/%s/%s", prefix, first);
}

static void
path_of(const struct store_dir *s, const uint8_t object[static ID_LEN],
    char out[static PATH_LEN])
{
	char prefix[2 * ID_LEN + 1], first[3], id[2 * ID_LEN + 1];

	text_hex(s->prefix, ID_LEN, prefix, sizeof(prefix));
	text_hex(object, 1, first, sizeof(first));
	text_hex(object, ID_LEN, id, sizeof(id));
	(void)snprintf(out, PATH_LEN, "v1/%s/%s/%s", prefix, first, id);
}

static void
head_path(const struct store_dir *s, char out[static PATH_LEN])
{
	char prefix[2 * ID_LEN + 1];

	text_hex(s->prefix, ID_LEN, prefix, sizeof(prefix));
	(void)snprintf(out, PATH_LEN, "v1/%s/head", prefix);
}

static int
store_dir_put(struct store *base, const uint8_t object[static ID_LEN],
    struct bytes data, struct fault *f)
{
	struct store_dir *s = of(base);
	char path[PATH_LEN], folder[PATH_LEN], tmp[64];
	int rc, err;

	path_of(s, object, path);
	folder_of(s, object, folder);
	rc = make_folder(s->fd, folder, f);
	if (rc != 0)
		return rc;
	rc = write_tmp(s, data, tmp, f);
	if (rc != 0) {
		(void)unlinkat(s->fd, tmp, 0);
		return rc;
	}
	if (renameat2(s->fd, tmp, s->fd, path, RENAME_NOREPLACE) != 0) {
		err = errno;
		(void)unlinkat(s->fd, tmp, 0);
		if (err != EEXIST)
			return fault_sys(f, fault_from_errno(err), err, "%s",
			    path);
		if (!same_bytes(s, path, data))
			return fault_set(f, FAULT_EXISTS,
			    "%s: there already, with other bytes", path);
	}
	rc = sync_folder(s->fd, folder, f);
	folder[strlen(folder) - 3] = '\0';
	return rc != 0 ? rc : sync_folder(s->fd, folder, f);
}

static int
store_dir_get(struct store *base, const uint8_t object[static ID_LEN],
    uint64_t offset, size_t len, uint8_t *out, struct fault *f)
{
	struct store_dir *s = of(base);
	int fd defer(fd_close) = -1;
	char path[PATH_LEN];

	path_of(s, object, path);
	fd = openat(s->fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ?
		    fault_set(f, FAULT_MISSING, "%s: missing", path) :
		    fd_fault(path, f);
	while (len > 0) {
		ssize_t n = pread(fd, out, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fd_fault(path, f);
		if (n == 0)
			return fault_set(f, FAULT_MISSING,
			    "%s: shorter than it should be", path);
		out += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int
store_dir_head_get(struct store *base, uint8_t out[static STORE_HEAD_LEN],
    struct fault *f)
{
	struct store_dir *s = of(base);
	int fd defer(fd_close) = -1;
	uint8_t head[STORE_HEAD_LEN];
	char path[PATH_LEN];
	ssize_t n;

	head_path(s, path);
	fd = openat(s->fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fd_fault(path, f);
	n = read(fd, head, sizeof(head));
	if (n != (ssize_t)sizeof(head))
		return fault_set(f, FAULT_MALFORMED, "%s: not a head", path);
	memcpy(out, head, sizeof(head));
	return 0;
}

static uint64_t
number_of(const uint8_t head[static STORE_HEAD_LEN])
{
	struct rd r = rd_from(head + HEAD_NUMBER_AT, 8);

	return rd_u64(&r);
}

static int
store_dir_head_put(struct store *base,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	struct store_dir *s = of(base);
	uint8_t have[STORE_HEAD_LEN];
	char path[PATH_LEN], tmp[64];
	int rc = store_dir_head_get(base, have, f);

	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return rc;
	if (rc == 0 && memcmp(have, head, sizeof(have)) != 0 &&
	    number_of(head) <= number_of(have))
		return fault_set(f, FAULT_CONFLICT,
		    "head mirror: there is a later one");
	rc = write_tmp(s, bytes_of(head, STORE_HEAD_LEN), tmp, f);
	if (rc != 0) {
		(void)unlinkat(s->fd, tmp, 0);
		return rc;
	}
	head_path(s, path);
	if (renameat(s->fd, tmp, s->fd, path) != 0)
		return fd_fault(path, f);
	path[strlen(path) - strlen("/head")] = '\0';
	return sync_folder(s->fd, path, f);
}

static int
store_dir_dup(struct store *base, struct store **out, struct fault *f)
{
	return store_dir_open(of(base)->dir, of(base)->prefix, out, f);
}

static void
store_dir_close(struct store *base)
{
	struct store_dir *s = of(base);

	fd_close(&s->fd);
	free(s->dir);
	free(s);
}

static const struct store_ops ops = {
	.put = store_dir_put,
	.get = store_dir_get,
	.head_get = store_dir_head_get,
	.head_put = store_dir_head_put,
	.dup = store_dir_dup,
	.close = store_dir_close,
};

static int
make_layout(const struct store_dir *s, struct fault *f)
{
	char prefix[2 * ID_LEN + 1], path[PATH_LEN];
	int rc;

	text_hex(s->prefix, ID_LEN, prefix, sizeof(prefix));
	(void)snprintf(path, sizeof(path), "v1/%s", prefix);
	rc = make_folder(s->fd, "tmp", f);
	if (rc == 0)
		rc = make_folder(s->fd, "v1", f);
	if (rc == 0)
		rc = make_folder(s->fd, path, f);
	if (rc == 0)
		rc = sync_folder(s->fd, "v1", f);
	return rc;
}

int
store_dir_open(const char *dir, const uint8_t prefix[static ID_LEN],
    struct store **out, struct fault *f)
{
	struct store_dir *s;
	int rc = make_folder(AT_FDCWD, dir, f);

	if (rc != 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	s->store.ops = &ops;
	memcpy(s->prefix, prefix, ID_LEN);
	s->dir = strdup(dir);
	s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir == NULL)
		rc = fault_set(f, FAULT_MEMORY, "out of memory");
	else if (s->fd < 0)
		rc = fd_fault(dir, f);
	else
		rc = make_layout(s, f);
	if (rc != 0) {
		store_dir_close(&s->store);
		return rc;
	}
	*out = &s->store;
	return 0;
}
