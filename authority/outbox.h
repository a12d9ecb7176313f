// SPDX-License-Identifier: Apache-2.0
/*
 * Entries of the log on their way there: each is a row of the database first,
 * in the transaction that does what it says.  spec/60-log.md, Entries and
 * Order.
 */
#ifndef SKERRY_AUTHORITY_OUTBOX_H
#define SKERRY_AUTHORITY_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "authority/db.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "tlog/demand.h"
#include "tlog/leaf.h"

/* What an entry says. */
struct outbox_what {
	uint8_t type;            /* enum leaf_type */
	uint8_t subject[ID_LEN]; /* as in struct db_leaf */
	int64_t time;
	struct bytes open, body; /* borrowed */
};

/* An entry that has a row. */
struct outbox_item {
	uint64_t index;
	struct leaf_key key;
	struct buf entry, body;
};

/* Makes the entry, blinded with log, and its row.  *out is to be wiped. */
int outbox_add(struct db *db, const struct outbox_what *what,
    const struct leaf_log_key *log, struct outbox_item *out,
    struct fault *f) must_check;

/* The last one that says this, whenever it was made.  FAULT_NOT_FOUND. */
int outbox_find(struct db *db, const struct outbox_what *what,
    const struct leaf_log_key *log, struct outbox_item *out,
    struct fault *f) must_check;

void outbox_wipe(struct outbox_item *i);

/* Bodies. */
#define OUTBOX_PAIR_LEN (2 * ID_LEN)
#define OUTBOX_CHAIN_LEN (2 * ID_LEN + 32)

void outbox_pair(const uint8_t account[static ID_LEN],
    const uint8_t space[static ID_LEN], uint8_t out[static OUTBOX_PAIR_LEN]);

/* id: of the space (type 1) or of the device (types 2 and 3). */
void outbox_chain(const uint8_t account[static ID_LEN],
    const uint8_t id[static ID_LEN],
    const uint8_t entry[static CHAIN_ENTRY_LEN],
    uint8_t out[static OUTBOX_CHAIN_LEN]);

/* Type 4, of a set of a space whose log key is known. */
int outbox_custody(struct db *db, const uint8_t account[static ID_LEN],
    const struct custody *c, int64_t now, struct outbox_item *out,
    struct fault *f) must_check;

/* The log key of types 7 and 8, which belong to no space: made when it is first
 * wanted, by whoever has the database. */
int outbox_desk_key(struct db *db, struct leaf_log_key *out,
    struct fault *f) must_check;

/* Type 7: the state of a request. */
int outbox_demand(struct db *db, const struct demand *d, struct bytes text,
    int64_t now, struct outbox_item *out, struct fault *f) must_check;

#endif
