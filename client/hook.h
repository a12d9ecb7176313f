// SPDX-License-Identifier: Apache-2.0
/* The user's command at an alarm. */
#ifndef SKERRY_CLIENT_HOOK_H
#define SKERRY_CLIENT_HOOK_H

#include <stdatomic.h>
#include <stdbool.h>

/* Runs command by the shell with text on its standard input.  Whether it ended
 * well; it is ended with all that it started after 10 minutes, and not waited
 * for once stop is set. */
bool hook_run(const char *command, const char *text, const atomic_bool *stop);

#endif
