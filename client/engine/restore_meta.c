// SPDX-License-Identifier: Apache-2.0
#include "client/engine/restore_meta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "object/attrs.h"

#define USER "user."
#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct restore_meta
restore_meta_of(const struct tree_entry *e, bool root)
{
	return (struct restore_meta){ .root = root,
		.no_mode = e->type == ENTRY_SYMLINK,
		.mode = root ? e->mode : e->mode & ~(S_ISUID | S_ISGID),
		.uid = e->uid,
		.gid = e->gid,
		.mtime = { .tv_sec = (time_t)e->mtime_sec,
			.tv_nsec = (long)e->mtime_nsec } };
}

/* Keeps the first failure. */
static void
note(const char **what, int *err, const char *now, int failed)
{
	if (failed != 0 && *what == NULL) {
		*what = now;
		*err = errno;
	}
}

/* fd < 0: by path. */
static int
set_attr(int fd, const char *path, const char *name, struct bytes value)
{
	const void *p = value.n == 0 ? "" : (const void *)value.p;

	return fd >= 0 ? fsetxattr(fd, name, p, value.n, 0) :
	                 lsetxattr(path, name, p, value.n, 0);
}

/* Whether the owner of a file may set it, and it is about that file alone. */
static bool
is_owners(const char *name)
{
	return strncmp(name, USER, strlen(USER)) == 0 ||
	    strcmp(name, ACCESS) == 0 || strcmp(name, DEFAULT) == 0;
}

/* What is new in a folder with a default access list has it for its own. */
static void
disinherit(int fd, const char *path)
{
	static const char *const list[] = { ACCESS, DEFAULT };

	if ((fd >= 0 ? flistxattr(fd, NULL, 0) :
	               llistxattr(path, NULL, 0)) == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		(void)(fd >= 0 ? fremovexattr(fd, list[i]) :
		                 lremovexattr(path, list[i]));
}

/* Returns the mode that goes with what could be set: where there is an access
 * list, the group's bits are what it gives to anybody in it, and not what it
 * gives to the group. */
static mode_t
set_attrs(int fd, const char *path, const struct restore_meta *m,
    const char **what, int *err)
{
	struct attrs_iter it = attrs_begin(m->attrs);
	struct attrs_item item;
	mode_t mode = m->mode;
	char name[256];

	if (!m->found)
		disinherit(fd, path);
	while (attrs_next(&it, &item) == 1) {
		int failed;

		if (item.name.n >= sizeof(name))
			continue;
		memcpy(name, item.name.p, item.name.n);
		name[item.name.n] = '\0';
		if (!m->root && !is_owners(name))
			continue;
		failed = set_attr(fd, path, name, item.value);
		note(what, err, "extended attributes", failed);
		if (failed != 0 && strcmp(name, ACCESS) == 0)
			mode &= ~(mode_t)S_IRWXG;
	}
	return mode;
}

const char *
restore_meta_set(int fd, const struct restore_meta *m, int *err)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_NOW }, m->mtime };
	const char *what = NULL;
	mode_t mode;

	/* A change of owner clears setuid and capabilities: it comes first. */
	if (m->root)
		note(&what, err, "owner", fchown(fd, m->uid, m->gid));
	mode = set_attrs(fd, NULL, m, &what, err);
	note(&what, err, "mode", fchmod(fd, mode));
	note(&what, err, "time", futimens(fd, t));
	return what;
}

const char *
restore_meta_set_at(int dir, const char *name, const struct restore_meta *m,
    int *err)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_NOW }, m->mtime };
	const char *what = NULL;
	char path[64 + 256];
	mode_t mode;

	if (m->root)
		note(&what, err, "owner", fchownat(dir, name, m->uid, m->gid,
		    AT_SYMLINK_NOFOLLOW));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%.255s", dir,
	    name);
	mode = set_attrs(-1, path, m, &what, err);
	if (!m->no_mode)
		note(&what, err, "mode", fchmodat(dir, name, mode, 0));
	note(&what, err, "time", utimensat(dir, name, t, AT_SYMLINK_NOFOLLOW));
	return what;
}
