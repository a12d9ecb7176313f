// SPDX-License-Identifier: Apache-2.0
/*
 * A depot's folder (spec/40-depot.md, Directory backend) without a depot: for
 * tests, benches and a disk that is at hand.
 */
#ifndef SKERRY_STORE_STORE_DIR_H
#define SKERRY_STORE_STORE_DIR_H

#include "store/store.h"

/* Makes dir where it is missing (its parent must be there).  FAULT_IO and the
 * like. */
int store_dir_open(const char *dir, const uint8_t prefix[static ID_LEN],
    struct store **out, struct fault *f) must_check;

#endif
