// SPDX-License-Identifier: Apache-2.0
/* Tree keys: names joined by zero bytes (spec/30-tree.md, Keys). */
#ifndef SKERRY_OBJECT_KEY_H
#define SKERRY_OBJECT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "object/limits.h"

/* 1..KEY_NAME_MAX bytes without 0x00 and 0x2f, and not "." or "..". */
bool key_name_valid(struct bytes name);

/* Names joined by single zero bytes, at most KEY_BYTES_MAX.  The empty key
 * (the root, which has no entry) is not valid. */
bool key_valid(struct bytes key);

/* Sets *out (emptied first) to the key of a relative path "a/b"; "" gives the
 * empty key.  FAULT_MALFORMED for a bad name, a doubled, leading or trailing
 * slash; FAULT_LIMIT, FAULT_MEMORY. */
int key_from_path(struct bytes path, struct buf *out) must_check;

/* Appends the path of a valid key, without NUL.  FAULT_LIMIT, FAULT_MEMORY. */
int key_to_path(struct bytes key, struct buf *out) must_check;

/* Key of the folder that holds key; empty for one at the top. */
struct bytes key_parent(struct bytes key);

/* Last name of key. */
struct bytes key_name(struct bytes key);

/* Names in key; 0 for the empty key. */
size_t key_depth(struct bytes key);

/* key is folder itself or below it; everything is below the empty key. */
bool key_within(struct bytes key, struct bytes folder);

/* Sets *out (emptied first) to the first key after folder and all below it,
 * folder || 0x01, an exclusive bound and not itself a key.  folder is not
 * empty: all keys are below the root. */
int key_end(struct bytes folder, struct buf *out) must_check;

/* In a walk over a whole tree: may key come after prev (empty at the start)?
 * It must be greater, and its folder must have been walked; prev_folder: prev
 * is a folder.  True for every step of a walk: each key has its folders. */
bool key_follows(struct bytes prev, bool prev_folder, struct bytes key);

#endif
