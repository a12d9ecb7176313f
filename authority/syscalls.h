// SPDX-License-Identifier: Apache-2.0
/* The system calls that each role may make. */
#ifndef SKERRY_AUTHORITY_SYSCALLS_H
#define SKERRY_AUTHORITY_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "authority/role.h"

/* Points *out at the list (static), returns its length. */
size_t syscalls_of(enum role r, const int **out);

/* The same for a role with a PKCS#11 module in it; sockets: those as well. */
size_t syscalls_of_module(bool sockets, const int **out);

#endif
