// SPDX-License-Identifier: Apache-2.0
/* What is at an entry's place already.  A restore that was broken off goes on:
 * files get their names when all in them is done, their times included. */
#include "client/engine/restore_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool
same_target(int dir, const char *name, struct bytes target)
{
	char there[LINK_TARGET_MAX + 1];
	ssize_t n = readlinkat(dir, name, there, sizeof(there));

	return n >= 0 && (size_t)n == target.n &&
	    memcmp(there, target.p, target.n) == 0;
}

static bool
same(int dir, const char *name, const struct stat *st,
    const struct tree_entry *e)
{
	switch (e->type) {
	case ENTRY_FILE:
		return S_ISREG(st->st_mode) && st->st_size >= 0 &&
		    (uint64_t)st->st_size == e->size &&
		    st->st_mtim.tv_sec == (time_t)e->mtime_sec &&
		    st->st_mtim.tv_nsec == (long)e->mtime_nsec;
	case ENTRY_SYMLINK:
		return S_ISLNK(st->st_mode) &&
		    same_target(dir, name, e->target);
	case ENTRY_FIFO:
		return S_ISFIFO(st->st_mode);
	case ENTRY_SOCKET:
		return S_ISSOCK(st->st_mode);
	case ENTRY_CHAR:
		return S_ISCHR(st->st_mode) &&
		    st->st_rdev == makedev(e->major, e->minor);
	case ENTRY_BLOCK:
		return S_ISBLK(st->st_mode) &&
		    st->st_rdev == makedev(e->major, e->minor);
	default:
		return false;
	}
}

enum restore_found
restore_found(struct restore *rs, int dir, struct bytes key,
    const struct tree_entry *e)
{
	char name[KEY_NAME_MAX + 1];
	struct fault why;
	struct stat st;

	restore_name(key, name);
	if (rs->o->overwrite ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return RESTORE_NOTHING;
	if (same(dir, name, &st, e)) {
		restore_kept(rs, e->size);
		return RESTORE_SAME;
	}
	(void)restore_fault(&why, EEXIST, "");
	restore_warn(rs, key, 1, why.text);
	return RESTORE_OTHER;
}
