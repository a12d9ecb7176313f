// SPDX-License-Identifier: Apache-2.0
/*
 * Files that are to appear under a folder, whole and durable, in one round of
 * syncs: stage_put writes each below tmp/, stage_commit syncs them all, gives
 * them their names and syncs the folders; then the same for the name of one
 * that says that the others are there.  The writer of the folder is alone.
 */
#ifndef SKERRY_STORE_STAGE_H
#define SKERRY_STORE_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

#define STAGE_PATH_MAX 96 /* with the NUL */
#define STAGE_MAX 384     /* files at a time; each holds a descriptor */

struct stage_file {
	char path[STAGE_PATH_MAX];
	int fd;
	bool made; /* a folder had to be made for it */
	bool last; /* named when all others are durable */
};

struct stage {
	int dir;  /* the folder, borrowed; has tmp/ */
	size_t n;
	struct stage_file file[STAGE_MAX];
};

void stage_init(struct stage *s, int dir);

/* Writes data to become path (relative, with folders that are made when they
 * are missing).  FAULT_LIMIT, FAULT_SPACE, FAULT_IO, … */
int stage_put(struct stage *s, const char *path, struct bytes data,
    struct fault *f) must_check;

/* The same, for the file that is to be there only when the others are. */
int stage_put_last(struct stage *s, const char *path, struct bytes data,
    struct fault *f) must_check;

/* As stage_read, of what was put and has no name yet.  FAULT_NOT_FOUND. */
int stage_peek(const struct stage *s, const char *path, struct buf *out,
    struct fault *f) must_check;

/* After 0 all that was put is durable, and s is empty.  After a fault any part
 * of it may be there; call stage_abort. */
int stage_commit(struct stage *s, struct fault *f) must_check;

/* Drops what is left. */
void stage_abort(struct stage *s);

/* First of all: empties tmp/, making it where it is missing, and syncs the file
 * system once. */
int stage_clean(int dir, struct fault *f) must_check;

/* Appends the file, at most out's maximum.  FAULT_NOT_FOUND, FAULT_LIMIT. */
int stage_read(int dir, const char *path, struct buf *out, struct fault *f)
	must_check;

#endif
