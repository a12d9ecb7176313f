// SPDX-License-Identifier: Apache-2.0
/* Extended attributes of what lies on the device. */
#ifndef SKERRY_CLIENT_ENGINE_XATTRS_H
#define SKERRY_CLIENT_ENGINE_XATTRS_H

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

/* Appends all attributes, encoded as spec/30-tree.md says; none on a file
 * system that has none.  FAULT_PARTIAL (f says why), FAULT_MEMORY. */
int xattrs_read_fd(int fd, struct buf *out, struct fault *f) must_check;

/* The same of name in the folder dir, itself if it is a symlink. */
int xattrs_read_at(int dir, const char *name, struct buf *out,
    struct fault *f) must_check;

#endif
