// SPDX-License-Identifier: Apache-2.0
/* Says at once what a command is waiting for.  The one thing that is printed
 * while a request is under way, so it has no command to hand it to. */
#ifndef SKERRY_CLIENT_NOTICE_H
#define SKERRY_CLIENT_NOTICE_H

#include <stdbool.h>

#include "base/fault.h"

/* Nothing is said unless this was called with true: somebody watches. */
void notice_set(bool on);

/* A request that failed so is sent again.  Said once in a command, whatever the
 * number of threads that meet it. */
void notice_again(const struct fault *why);

/* Ends the line of a progress bar, where there may be one. */
void notice_clear_line(void);

#endif
