// SPDX-License-Identifier: Apache-2.0
/* A list of changes to a tree: keys to set or to delete, kept in one arena. */
#ifndef SKERRY_CLIENT_ENGINE_CHANGES_H
#define SKERRY_CLIENT_ENGINE_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

struct change {
	size_t key, key_len; /* in the arena */
	size_t raw, raw_len; /* encoded entry; raw_len 0: delete */
	bool dropped;        /* taken back; goes with changes_drop */
};

struct changes {
	struct buf arena;
	struct change *p; /* owned */
	size_t n, cap;
};

struct changes changes_init(void);
void changes_wipe(struct changes *c);

/* raw empty: delete.  FAULT_LIMIT, FAULT_MEMORY. */
int changes_add(struct changes *c, struct bytes key,
    struct bytes raw) must_check;

/* By key; of equal keys, the one added last stays. */
void changes_sort(struct changes *c);

/* Removes what is marked as dropped. */
void changes_drop(struct changes *c);

/* In a sorted list: the number of keys below key. */
size_t changes_below(const struct changes *c, struct bytes key);

/* In a sorted list; NULL: not there. */
const struct change *changes_find(const struct changes *c, struct bytes key);

/* Borrowed until the next add. */
struct bytes changes_key(const struct changes *c, const struct change *one);
struct bytes changes_raw(const struct changes *c, const struct change *one);

#endif
