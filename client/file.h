// SPDX-License-Identifier: Apache-2.0
/*
 * Small files that are replaced as a whole.  A sealed one has
 *     u8 version (1) || u8 kind || u16 zero || body || check [16]
 * where check is the start of PRF(zero key, all before it): it finds damage,
 * not malice.
 */
#ifndef SKERRY_CLIENT_FILE_H
#define SKERRY_CLIENT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

enum file_kind {
	FILE_DEVICE = 1,
	FILE_BINDING,
	FILE_POLICY,
	FILE_CHAIN,
	FILE_HEAD,
	FILE_PENDING,
	FILE_RECOVERY,
	FILE_CUSTODY = 16,
	FILE_LEAVING,
	FILE_GIVEN,
	FILE_LOGS = 24,
	FILE_LOG_KEY,
	FILE_TRUST,
	FILE_AUDIT,
	FILE_ACCEPTED,
	FILE_TOLD,
};

/* Secrets in a file that others can read are not secrets: FAULT_CONFIG, also
 * for what is no file; FAULT_NOT_FOUND. */
int file_check_mode(int dirfd, const char *name, struct fault *f) must_check;

/* Appends the whole file to out.  FAULT_NOT_FOUND, FAULT_LIMIT, FAULT_IO. */
int file_read(int dirfd, const char *name, struct buf *out,
    struct fault *f) must_check;

/* Durable when it returns: temporary file, fsync, rename, fsync of the folder.
 * Mode 0600. */
int file_write(int dirfd, const char *name, struct bytes data,
    struct fault *f) must_check;

/* Gone for good when it returns; fine if it was not there. */
int file_remove(int dirfd, const char *name, struct fault *f) must_check;

/* The same of sealed files; load appends the body.  FAULT_CONFIG names a file
 * that is damaged, longer than out may be, or that others may read. */
int file_load(int dirfd, const char *name, enum file_kind kind,
    struct buf *out, struct fault *f) must_check;
int file_save(int dirfd, const char *name, enum file_kind kind,
    struct bytes body, struct fault *f) must_check;

/* The body of a sealed file's bytes, borrowed.  FAULT_MALFORMED,
 * FAULT_VERSION. */
int file_parse(struct bytes in, enum file_kind kind,
    struct bytes *out) must_check;

#endif
