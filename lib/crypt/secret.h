// SPDX-License-Identifier: Apache-2.0
/*
 * Start-up of the crypto libraries, secret memory, random bytes.  Secret memory
 * is guarded, locked, not dumped, and zeroed when freed.
 */
#ifndef SKERRY_CRYPT_SECRET_H
#define SKERRY_CRYPT_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* Once per process, before anything else of crypt: initialises the libraries,
 * forbids core dumps and ptrace by others.  FAULT_INTERNAL. */
int secret_init(void) must_check;

/* len bytes of secret memory, zeroed; NULL when there is none. */
void *secret_new(size_t len);

/* Zeroes and frees what secret_new gave; NULL is fine. */
void secret_free(void *p);

/* For defer() on a pointer variable: secret_freep(&p). */
void secret_freep(void *pp);

/* Zeroes memory that is not from secret_new. */
void secret_wipe(void *p, size_t len);

/* Cryptographically secure random bytes; does not fail. */
void secret_random(void *out, size_t len);

/* Constant time. */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
