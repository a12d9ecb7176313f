// SPDX-License-Identifier: Apache-2.0
/*
 * Walks a file or folder on the device in the order of tree keys: names of a
 * folder sorted by bytes, each followed by what is below it.  Symlinks are not
 * followed.  Works by folder descriptors, so paths may be longer than PATH_MAX.
 */
#ifndef SKERRY_CLIENT_ENGINE_WALK_H
#define SKERRY_CLIENT_ENGINE_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/exclude.h"

#define WALK_HIDDEN 2 /* folders, at most */

struct walk;

/* An open folder.  By any thread. */
struct walk_folder;

struct walk_item {
	struct bytes key; /* base key, and the names below; borrowed */
	struct walk_folder *folder; /* that holds it; borrowed */
	int dir;                    /* its descriptor */
	const char *name;           /* in it; borrowed */
	struct stat st;
};

/* What is as if it were not there.  The source itself always is. */
struct walk_rules {
	const struct exclude *exclude; /* prepared; NULL: none; borrowed */
	bool caches; /* in a folder with a valid EXCLUDE_TAG, all but that */
	bool one_file_system; /* what is in a folder of another than the
	                       * source's */
};

enum walk_result {
	WALK_END,
	WALK_ITEM,
	WALK_UNREADABLE, /* the fault says why; only the item's key is set: of
	                  * a folder that cannot be read and was given before,
	                  * or of what cannot be looked at */
	WALK_TOO_LONG,   /* only the key of the folder is set, in which there is
	                  * something whose key would be too long */
};

/* path: the source; base: the key that it gets.  The source itself is the first
 * item.  FAULT_NOT_FOUND, FAULT_DENIED, FAULT_IO, FAULT_MEMORY. */
int walk_open(const char *path, struct bytes base, struct walk **out,
    struct fault *f) must_check;

/* The open folder dir, and what is below, is as if it were not there.  -1: no
 * folder. */
void walk_hide(struct walk *w, int dir);

/* To be told before the first item. */
void walk_leave_out(struct walk *w, const struct walk_rules *rules);

/* Names that the rules left out; what is below one is not counted, and all
 * that is in a folder of another file system is one. */
uint64_t walk_excluded(const struct walk *w);

/* The next item, valid until the next call; enum walk_result or FAULT_*. */
int walk_next(struct walk *w, struct walk_item *out,
    struct fault *f) must_check;

/* Keeps it open beyond the next call, until it is left as often. */
void walk_folder_hold(struct walk_folder *d);
void walk_folder_leave(struct walk_folder *d);

void walk_close(struct walk *w);
void walk_closep(struct walk **w);

#endif
