// SPDX-License-Identifier: Apache-2.0
/* The public files of the log, as any web server would serve them:
 * spec/60-log.md, Files. */
#ifndef SKERRY_AUTHORITY_FRONT_LOG_H
#define SKERRY_AUTHORITY_FRONT_LOG_H

#include <stddef.h>

#include <microhttpd.h>

#include "base/attr.h"
#include "base/fault.h"

#define FRONT_LOG_PREFIX "/log/"

/* The folder of the public files below that of the log, made where it is
 * missing; *path is to be freed.  Before the confinement. */
int front_log_open(const char *log, char **path, int *fd, struct fault *f)
	must_check;

/* The response to a path below the prefix.  FAULT_NOT_FOUND: there is no such
 * file; FAULT_AUTHORITY: it cannot be read now. */
int front_log_response(int dir, const char *path, struct MHD_Response **out)
	must_check;

#endif
