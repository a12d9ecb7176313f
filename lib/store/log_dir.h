// SPDX-License-Identifier: Apache-2.0
/*
 * A log in a folder: log/ is what any web server may serve as it is, signed is
 * the latest checkpoint (the truth at a restart), tmp/ and lock are its own.
 */
#ifndef SKERRY_STORE_LOG_DIR_H
#define SKERRY_STORE_LOG_DIR_H

#include "store/log.h"

/* Opens the log, or begins one in a folder that exists.  key: the log's (its
 * name is the origin); signer signs for it.  Tiles that are missing are made
 * from the entries; what a crash left over is removed.  FAULT_CONFLICT: it is
 * open elsewhere.  FAULT_TAMPERED, FAULT_TRUST: it is not what key signed.
 * *out is to be closed. */
int log_dir_open(const char *dir, const struct note_key *key,
    struct log_signer signer, struct log **out, struct fault *f) must_check;

#endif
