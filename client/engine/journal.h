// SPDX-License-Identifier: Apache-2.0
/*
 * Which chunks the depot has acknowledged that no commit names yet.  A file in
 * the space's cache folder, sealed under the space key; a put that follows an
 * interrupted one finds the chunks here and does not send them again.  Losing
 * it costs an upload, never data.
 *
 *   file   = record ...           a torn last record is ignored; there is
 *                                 none before others
 *   record = u32 n, salt [32], AEAD(HKDF(space key, salt, "skerry/1 journal"),
 *            0, u32 n, n index entries of 96 bytes)
 */
#ifndef SKERRY_CLIENT_ENGINE_JOURNAL_H
#define SKERRY_CLIENT_ENGINE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"
#include "object/index.h"

struct journal;

/* Opens or makes the file in the folder dir (not taken), in the place of what
 * has its name and is none.  key is borrowed.  *out is NULL where there is
 * no room for it, or the file system is read-only: a cache is not a must.
 * Holds the file's lock: FAULT_CONFLICT while another put runs. */
int journal_open(int dir, const struct space_key *key, struct journal **out,
    struct fault *f) must_check;

/* Calls each for every entry that is there, oldest first; stops at what does
 * not open.  each's first nonzero result is returned. */
int journal_read(struct journal *j,
    int (*each)(void *arg, const struct index_entry *e), void *arg) must_check;

/* Appends; best effort.  Any thread. */
void journal_add(struct journal *j, const struct index_entry *e, size_t n);

/* Empties it: a commit names all of it. */
void journal_clear(struct journal *j);

/* The parser of one record: entries of it to each.  Returns the bytes that the
 * record took, 0 where it is torn or does not open, or each's result. */
long journal_record(const struct space_key *key, struct bytes in,
    int (*each)(void *arg, const struct index_entry *e), void *arg) must_check;

void journal_close(struct journal *j);
void journal_closep(struct journal **j);

#endif
