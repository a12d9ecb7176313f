// SPDX-License-Identifier: Apache-2.0
/* Files that commands make: new, durable. */
#ifndef SKERRY_AUTHORITY_OUTFILE_H
#define SKERRY_AUTHORITY_OUTFILE_H

#include <sys/types.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

/* Nothing is overwritten: FAULT_EXISTS.  Also fault_from_errno()'s. */
int outfile_write(const char *path, mode_t mode, struct bytes b,
    struct fault *f) must_check;

/* Puts it in the place of to, durably.  fault_from_errno()'s. */
int outfile_rename(const char *from, const char *to, struct fault *f)
	must_check;

#endif
