// SPDX-License-Identifier: Apache-2.0
/*
 * The file that has a witness's name and signing key, three lines:
 *
 *	skerry witness key v1
 *	<name>
 *	<seed, base64>
 */
#ifndef SKERRY_WITNESS_KEYFILE_H
#define SKERRY_WITNESS_KEYFILE_H

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"
#include "tlog/note.h"

/* A new key in a new file that only its owner may read; durable.  FAULT_EXISTS
 * where path is taken, FAULT_USAGE for a name that cannot be. */
int keyfile_make(const char *path, const char *name, struct note_key *out,
    struct fault *f) must_check;

/* key belongs in secret memory.  FAULT_CONFIG. */
int keyfile_read(const char *path, struct sign_key *key, struct note_key *pub,
    struct fault *f) must_check;

#endif
