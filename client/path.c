// SPDX-License-Identifier: Apache-2.0
#include "client/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/utf8.h"
#include "object/key.h"

/* Appends the names of path, with single slashes between, but for ".". */
static int
tidy(const char *path, struct buf *out)
{
	int rc = 0;

	for (size_t n; *path != '\0' && rc == 0; path += n) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.'))
			continue;
		if (out->n != 0)
			rc = buf_append(out, "/", 1);
		if (rc == 0)
			rc = buf_append(out, path, n);
	}
	return rc;
}

int
path_key(const char *path, struct buf *out, struct fault *f)
{
	struct buf names defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	int rc = tidy(path, &names);

	if (rc == 0)
		rc = key_from_path(buf_bytes(&names), out);
	if (rc == 0)
		return 0;
	return fault_set(f, FAULT_USAGE, "%s: not a path in the space: %s",
	    path, rc != FAULT_MALFORMED ? fault_text(rc) :
	    "a name in it is \"..\", or longer than 255 bytes");
}

void
path_show(struct bytes key, char out[static PATH_SHOW_MAX])
{
	size_t n = 0;

	for (size_t i = 0, k; i < key.n && n < PATH_SHOW_MAX - 8; i += k) {
		k = utf8_len(key.p + i, key.n - i);
		if (k == 1 && key.p[i] == 0) {
			out[n++] = '/';
		} else if (!utf8_harmless(key.p + i, k)) {
			out[n++] = '?';
			k = k == 0 ? 1 : k;
		} else {
			memcpy(out + n, key.p + i, k);
			n += k;
		}
	}
	if (n >= PATH_SHOW_MAX - 8) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	if (key.n == 0)
		out[n++] = '/';
	out[n] = '\0';
}

int
path_fault(const char *path, struct fault *f)
{
	return fault_sys(f, fault_from_errno(errno), errno, "%s", path);
}

int
path_make(const char *path, mode_t mode, struct fault *f)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0)
		return fault_set(f, FAULT_USAGE, "no folder has an empty name");
	if (n >= sizeof(part))
		return fault_set(f, FAULT_LIMIT, "%s: too long", path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, mode) != 0 && errno != EEXIST)
			return path_fault(part, f);
	}
	return 0;
}

int
path_target(const char *path, mode_t mode, int *fd, struct fault *f)
{
	int rc = path_make(path, mode, f);

	if (rc != 0)
		return rc;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 && errno == ENOTDIR)
		return fault_set(f, FAULT_EXISTS, "%s: is there already, and "
		    "is no folder", path);
	return *fd >= 0 ? 0 : path_fault(path, f);
}
