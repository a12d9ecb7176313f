// SPDX-License-Identifier: Apache-2.0
/* The system calls that each role may make. */
#ifndef SKERRY_AUTHORITY_SYSCALLS_H
#define SKERRY_AUTHORITY_SYSCALLS_H

#include <stddef.h>

#include "authority/role.h"

/* Points *out at the list (static), returns its length. */
size_t syscalls_of(enum role r, const int **out);

#endif
