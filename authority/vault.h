// SPDX-License-Identifier: Apache-2.0
/*
 * The secrets of epochs, one file for each (space, epoch) in a folder of its
 * own, outside the database and its backups.  A file holds the secret as the
 * keys role wrapped it, so that the file alone is worth nothing, and an old
 * database without the file as little.  authority/DESIGN.md, Epoch secrets.
 */
#ifndef SKERRY_AUTHORITY_VAULT_H
#define SKERRY_AUTHORITY_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "crypt/keys.h"
#include "crypt/wrap.h"

struct vault_name {
	uint8_t space[ID_LEN];
	uint32_t epoch;
};

/* Opens the folder, made where it is missing.  FAULT_CONFIG. */
int vault_open(const char *path, int *fd, struct fault *f) must_check;

/* FAULT_NOT_FOUND, FAULT_IO. */
int vault_get(int fd, const struct vault_name *n,
    uint8_t out[static WRAP_LEN], struct fault *f) must_check;

/* Durable on return; what was there is replaced.  FAULT_SPACE, FAULT_IO. */
int vault_put(int fd, const struct vault_name *n,
    const uint8_t in[static WRAP_LEN], struct fault *f) must_check;

/* Overwrites, removes, makes that durable; 0 where there is none.  FAULT_IO. */
int vault_destroy(int fd, const struct vault_name *n, struct fault *f)
	must_check;

/* Calls each for every file that there is, until it fails; it may destroy what
 * it is called for.  FAULT_IO. */
int vault_each(int fd, int (*each)(void *arg, const struct vault_name *n,
    struct fault *f), void *arg, struct fault *f) must_check;

#endif
