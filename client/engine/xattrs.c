// SPDX-License-Identifier: Apache-2.0
#include "client/engine/xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "object/attrs.h"

#define ATTRS_MAX 1024u /* of one file */

/* One of a descriptor, or of a path that is not followed. */
struct what {
	int fd; /* -1: path */
	const char *path;
};

static ssize_t
list(const struct what *w, char *out, size_t n)
{
	return w->fd >= 0 ? flistxattr(w->fd, out, n) :
	    llistxattr(w->path, out, n);
}

static ssize_t
get(const struct what *w, const char *name, void *out, size_t n)
{
	return w->fd >= 0 ? fgetxattr(w->fd, name, out, n) :
	    lgetxattr(w->path, name, out, n);
}

/* Reads one value behind those in values; 0: it has gone, or is not ours to
 * read. */
static int
read_value(const struct what *w, const char *name, struct buf *values,
    struct attrs_item *item, struct fault *f)
{
	ssize_t n;

	if (values->n > XATTR_MAX) {
		(void)fault_set(f, FAULT_LIMIT, "its attributes are too long");
		return FAULT_PARTIAL;
	}
	if (buf_reserve(values, XATTR_SIZE_MAX) != 0)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	n = get(w, name, values->p + values->n, XATTR_SIZE_MAX);
	if (n < 0 && (errno == ENODATA || errno == EPERM || errno == EACCES))
		return 0;
	if (n < 0) {
		(void)fault_sys(f, FAULT_IO, errno, "attribute %s", name);
		return FAULT_PARTIAL;
	}
	item->name = bytes_of(name, strlen(name));
	/* The buffer may still move: the offset for now. */
	item->value = bytes_of(NULL, (size_t)n);
	values->n += (size_t)n;
	return 1;
}

static int
read_all(const struct what *w, char *names, size_t len, struct buf *out,
    struct fault *f)
{
	struct buf values defer(buf_wipe) = buf_init(XATTR_MAX +
	    XATTR_SIZE_MAX);
	struct attrs_item *item = calloc(ATTRS_MAX, sizeof(*item));
	size_t n = 0, at = 0;
	int rc = 0;

	if (item == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	for (size_t i = 0; i < len && rc >= 0; i += strlen(names + i) + 1) {
		if (n == ATTRS_MAX) {
			(void)fault_set(f, FAULT_LIMIT, "too many attributes");
			rc = FAULT_PARTIAL;
			break;
		}
		rc = read_value(w, names + i, &values, &item[n], f);
		if (rc > 0)
			n++;
	}
	for (size_t i = 0; i < n; i++) {
		item[i].value.p = values.p + at;
		at += item[i].value.n;
	}
	if (rc >= 0 && n > 0) {
		rc = attrs_encode(item, n, out);
		if (rc == FAULT_LIMIT) {
			(void)fault_set(f, rc, "its attributes are too long");
			rc = FAULT_PARTIAL;
		} else if (rc != 0) {
			(void)fault_set(f, rc, "%s", fault_text(rc));
		}
	}
	free(item);
	return rc > 0 ? 0 : rc;
}

static int
read_what(const struct what *w, struct buf *out, struct fault *f)
{
	char small[1024], *names = small;
	ssize_t n = list(w, small, sizeof(small));
	int rc;

	if (n < 0 && errno == ERANGE) {
		names = malloc(XATTR_LIST_MAX);
		if (names == NULL)
			return fault_set(f, FAULT_MEMORY, "out of memory");
		n = list(w, names, XATTR_LIST_MAX);
	}
	if (n < 0 && errno != ENOTSUP) {
		(void)fault_sys(f, FAULT_IO, errno, "listing attributes");
		rc = FAULT_PARTIAL;
	} else {
		rc = n <= 0 ? 0 : read_all(w, names, (size_t)n, out, f);
	}
	if (names != small)
		free(names);
	return rc;
}

int
xattrs_read_fd(int fd, struct buf *out, struct fault *f)
{
	return read_what(&(struct what){ .fd = fd }, out, f);
}

/* Without /proc: this thread goes to the folder, and comes back. */
static int
read_there(int dir, const char *name, struct buf *out, struct fault *f)
{
	int was defer(fd_close) = open(".", O_PATH | O_CLOEXEC), rc;

	if (was < 0 || unshare(CLONE_FS) != 0 || fchdir(dir) != 0) {
		(void)fault_sys(f, FAULT_IO, errno, "its attributes cannot be "
		    "read without /proc");
		return FAULT_PARTIAL;
	}
	rc = read_what(&(struct what){ .fd = -1, .path = name }, out, f);
	if (fchdir(was) != 0)
		return fault_sys(f, FAULT_IO, errno, "the working folder");
	return rc;
}

int
xattrs_read_at(int dir, const char *name, struct buf *out, struct fault *f)
{
	char path[64 + NAME_MAX];
	int rc;

	if (dir == -1)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	rc = read_what(&(struct what){ .fd = -1, .path = path }, out, f);
	if (rc != FAULT_PARTIAL || access("/proc/self/fd", F_OK) == 0)
		return rc;
	*f = (struct fault){ 0 };
	return read_there(dir, name, out, f);
}
