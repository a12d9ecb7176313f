// SPDX-License-Identifier: Apache-2.0
/*
 * Temporary names in the folder that a file is restored into: nothing stands
 * under its real name before it is whole.
 */
#ifndef SKERRY_CLIENT_ENGINE_RESTORE_TEMP_H
#define SKERRY_CLIENT_ENGINE_RESTORE_TEMP_H

#include <stdbool.h>

#define RESTORE_TEMP_SIZE 32

/* A new name. */
void restore_temp_name(char name[static RESTORE_TEMP_SIZE]);

/* A new file under a new name, locked while it is open.  -1: errno. */
int restore_temp_open(int dir, char name[static RESTORE_TEMP_SIZE]);

/* Gives temp its real name; replace: even where there is one already (which
 * is no folder).  0, or an errno, and temp is still there. */
int restore_temp_place(int dir, const char *temp, const char *name,
    bool replace);

/* Removes what killed ones left in dir; what others are writing now stays. */
void restore_temp_clean(int dir);

#endif
