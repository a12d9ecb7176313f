// SPDX-License-Identifier: Apache-2.0
/* What a command of the engine warned of, for a test to look into. */
#ifndef SKERRY_TEST_LIB_WARNED_H
#define SKERRY_TEST_LIB_WARNED_H

#include <stdio.h>
#include <string.h>

#include "client/path.h"

static char warned[16384]; /* a line each; the test empties it */

static void
on_warn(void *arg, struct bytes key, const char *text)
{
	size_t n = strlen(warned);
	char path[PATH_SHOW_MAX];

	(void)arg;
	path_show(key, path);
	(void)snprintf(warned + n, sizeof(warned) - n, "%s: %s\n", path,
	    text);
}

#endif
