// SPDX-License-Identifier: Apache-2.0
/* The directory backend of spec/40-depot.md: one file per object. */
#ifndef SKERRY_DEPOT_STORE_DIR_H
#define SKERRY_DEPOT_STORE_DIR_H

#include "depot/store.h"

/* Takes the folder for this process alone, lays it out, empties what uploads
 * left behind.  FAULT_CONFLICT when another depot has it.  The store is closed
 * by its close callback. */
int store_dir_open(const char *path, struct store **out,
    struct fault *f) must_check;

/* The folder, for the sandbox; stays the store's. */
int store_dir_fd(const struct store *s);

#endif
