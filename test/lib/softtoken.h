// SPDX-License-Identifier: Apache-2.0
/* A SoftHSM token in a folder of its own, for tests and benches. */
#ifndef SKERRY_TEST_SOFTTOKEN_H
#define SKERRY_TEST_SOFTTOKEN_H

#include <stdbool.h>

#define SOFTTOKEN_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define SOFTTOKEN_LABEL "skerry test"
#define SOFTTOKEN_PIN "4711-0815"

/* Makes folder and token, and points SOFTHSM2_CONF at it; false: there is no
 * SoftHSM here.  The folder's path is kept in dir. */
bool softtoken_make(char dir[static 64]);

/* Removes the folder. */
void softtoken_remove(const char *dir);

#endif
