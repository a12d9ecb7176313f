// SPDX-License-Identifier: Apache-2.0
/* Metadata of what is restored: owner, mode, attributes, time. */
#ifndef SKERRY_CLIENT_ENGINE_RESTORE_META_H
#define SKERRY_CLIENT_ENGINE_RESTORE_META_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/bytes.h"
#include "object/entry.h"

struct restore_meta {
	bool root; /* owner and all attributes; else user.* and access lists
	            * only, and neither setuid nor setgid */
	bool found; /* it was there before: its access lists are its own */
	bool no_mode; /* symlinks */
	uint16_t mode;
	uint32_t uid, gid;
	struct timespec mtime;
	struct bytes attrs; /* borrowed */
};

/* All but attrs, of what is new. */
struct restore_meta restore_meta_of(const struct tree_entry *e, bool root);

/* Sets everything on an open file or folder, going on after a failure.  NULL,
 * or what could not be set first, and its errno. */
const char *restore_meta_set(int fd, const struct restore_meta *m, int *err);

/* The same of a name in a folder, itself, not what it points to. */
const char *restore_meta_set_at(int dir, const char *name,
    const struct restore_meta *m, int *err);

#endif
