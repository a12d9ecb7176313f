// SPDX-License-Identifier: Apache-2.0
/*
 * What the ledger keeps: accounts, device chains, spaces, keyslots, heads,
 * enrolments, nonces.  One struct of callbacks, so that an embedded database
 * and a server look alike.  Every call is inside a transaction begun by the
 * caller; any may answer FAULT_SPACE (disk full), FAULT_IO, FAULT_MEMORY,
 * FAULT_INTERNAL, which may have ended the transaction: ask active().
 */
#ifndef SKERRY_AUTHORITY_DB_H
#define SKERRY_AUTHORITY_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "authority/pace.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/hpke.h"
#include "crypt/keys.h"
#include "crypt/wrap.h"
#include "object/chain.h"
#include "object/custody.h"
#include "object/head.h"
#include "tlog/leaf.h"
#include "object/receipt.h"

#define DB_NAME_MAX 64    /* characters of a residency's or depot's name */
#define DB_NONCE_LEN 16
#define DB_HASH_LEN 32
#define DB_SLOTS_MAX 64   /* keyslots of a kind in one space */
#define DB_SPACES_MAX 64  /* spaces of an account */
#define DB_ENROLMENTS_MAX 65536
#define DB_SEALED_LEN (KEY_LEN + HPKE_OVERHEAD)
#define DB_BLOB_MAX 128       /* bytes of a keyslot */
#define DB_EPOCHS_MAX 8       /* live at once */
#define DB_LEFT_MAX 63        /* epochs of a custody that is left */
#define DB_BLOBS_MAX 4194304  /* bytes of an epoch's keyslots */

struct db_device {
	uint8_t id[ID_LEN], account[ID_LEN];
	struct sign_pub sign;
	struct box_pub box;
	bool recovery, live;
};

struct db_space {
	uint8_t id[ID_LEN], account[ID_LEN], prefix[ID_LEN];
	char residency[DB_NAME_MAX + 1], depot[DB_NAME_MAX + 1];
};

enum db_kind {
	DB_AUTHORITY = 1,
	DB_RECOVERY = 2,
	DB_SHARE = 3,  /* these two have tables … */
	DB_DEVICE = 4, /* … and calls of their own */
};

struct db_slot {
	uint32_t epoch;
	size_t n;
	uint8_t blob[DB_BLOB_MAX];
};

/* A share of a split key, or a key that only one device opens. */
struct db_share {
	uint32_t epoch, serial; /* serial: of the set that it came with … */
	uint8_t mark[8];        /* … and the start of that set's hash */
	uint8_t index;
	uint8_t blob[WRAP_LEN];
};

/* Which shares are wanted: those of sets with a serial, or of that one of them
 * which is known to be in force (or NULL). */
struct db_share_of {
	const uint8_t *space; /* [ID_LEN] */
	uint32_t serial;
	const struct custody *in_force;
};

struct db_device_slot {
	uint32_t epoch;
	uint8_t device[ID_LEN];
	size_t n;
	uint8_t blob[DB_BLOB_MAX];
};

struct db_head {
	uint64_t number; /* 0: none yet, and the rest is not set */
	uint8_t head[HEAD_LEN];
};

struct db_enrolment {
	uint8_t device[ID_LEN];
	struct sign_pub sign;
	struct box_pub box;
	int64_t expires;
};

/* What lets as many accounts be made as it has uses. */
struct db_invitation {
	uint8_t id[ID_LEN]; /* the operator's name for it, random */
	int64_t uses, expires;
};

/* An entry of the log: what goes there, and what its owner is told of it. */
struct db_leaf {
	uint64_t index;
	uint8_t type;            /* enum leaf_type */
	uint8_t subject[ID_LEN]; /* space; the account, of types 1 to 3; the
	                          * request, of 7 */
	struct bytes entry, body;
};

/* Which entries are wanted: at most max from an index on. */
struct db_leaf_of {
	uint8_t subject[2][ID_LEN];
	uint64_t from;
	size_t max;
};

typedef int db_leaf_fn(void *arg, const struct db_leaf *leaf);
typedef int db_invitation_fn(void *arg, const struct db_invitation *i);
typedef int db_left_fn(void *arg, uint32_t epoch, struct bytes blob);

struct db {
	/* begin takes the write lock at once.  commit is durable on return. */
	int (*begin)(struct db *db, struct fault *f);
	int (*commit)(struct db *db, struct fault *f);
	void (*abort)(struct db *db);
	bool (*active)(struct db *db);
	/* A point inside the transaction, and its end: what was done since is
	 * kept, or undone. */
	int (*mark)(struct db *db, struct fault *f);
	int (*keep)(struct db *db, struct fault *f);
	int (*back)(struct db *db, struct fault *f);

	/* FAULT_EXISTS: seen since forget. */
	int (*nonce_add)(struct db *db, const uint8_t keyid[static ID_LEN],
	    const uint8_t nonce[static DB_NONCE_LEN], int64_t turn,
	    struct fault *f);
	/* The last turn that one was seen in; 0 where there is none. */
	int (*nonce_last)(struct db *db, int64_t *turn, struct fault *f);
	/* Forgets nonces seen before that turn, and enrolments and invitations
	 * that expired before that time. */
	int (*forget)(struct db *db, int64_t turn, int64_t expired,
	    struct fault *f);

	/* How the clock went.  FAULT_NOT_FOUND: nothing was stored yet. */
	int (*pace_get)(struct db *db, struct pace_kept *out, struct fault *f);
	int (*pace_set)(struct db *db, const struct pace_kept *k,
	    struct fault *f);

	/* request is the hash of the body that made it.  FAULT_EXISTS. */
	int (*account_add)(struct db *db, const uint8_t id[static ID_LEN],
	    const uint8_t request[static DB_HASH_LEN], struct fault *f);
	/* FAULT_NOT_FOUND. */
	int (*account_get)(struct db *db, const uint8_t id[static ID_LEN],
	    uint8_t request[static DB_HASH_LEN], struct fault *f);

	/* Entries of the account's chain from seq on, appended back to back. */
	int (*chain_get)(struct db *db, const uint8_t account[static ID_LEN],
	    uint32_t seq, struct buf *out, struct fault *f);
	/* FAULT_EXISTS where seq is taken. */
	int (*chain_add)(struct db *db, const uint8_t account[static ID_LEN],
	    uint32_t seq, const uint8_t entry[static CHAIN_ENTRY_LEN],
	    struct fault *f);

	/* FAULT_EXISTS where it is in any account. */
	int (*device_add)(struct db *db, const struct db_device *d,
	    struct fault *f);
	int (*device_revoke)(struct db *db, const uint8_t id[static ID_LEN],
	    struct fault *f);
	/* FAULT_NOT_FOUND. */
	int (*device_get)(struct db *db, const uint8_t id[static ID_LEN],
	    struct db_device *out, struct fault *f);

	/* FAULT_EXISTS; FAULT_LIMIT past DB_SPACES_MAX of an account. */
	int (*space_add)(struct db *db, const struct db_space *s,
	    struct fault *f);
	/* FAULT_NOT_FOUND. */
	int (*space_get)(struct db *db, const uint8_t id[static ID_LEN],
	    struct db_space *out, struct fault *f);
	/* By id. */
	int (*space_list)(struct db *db, const uint8_t account[static ID_LEN],
	    struct db_space *out, size_t *n, struct fault *f);

	int (*slot_add)(struct db *db, const uint8_t space[static ID_LEN],
	    enum db_kind kind, const struct db_slot *slot, struct fault *f);
	/* Another blob in the place of one that is there: FAULT_NOT_FOUND. */
	int (*slot_set)(struct db *db, const uint8_t space[static ID_LEN],
	    enum db_kind kind, const struct db_slot *slot, struct fault *f);
	/* By epoch.  FAULT_LIMIT past DB_SLOTS_MAX, as of the other lists. */
	int (*slot_list)(struct db *db, const uint8_t space[static ID_LEN],
	    enum db_kind kind, struct db_slot *out, size_t *n,
	    struct fault *f);

	int (*head_get)(struct db *db, const uint8_t space[static ID_LEN],
	    struct db_head *out, struct fault *f);
	/* Puts h where the current number is h->number - 1, else
	 * FAULT_CONFLICT. */
	int (*head_move)(struct db *db, const uint8_t space[static ID_LEN],
	    const struct db_head *h, struct fault *f);

	/* Keeps the older one where there is one; *out is what is kept.  Past
	 * DB_ENROLMENTS_MAX the one that expires first makes room if it does
	 * so before some time, else FAULT_LIMIT. */
	int (*enrolment_add)(struct db *db, const struct db_enrolment *e,
	    int64_t spare, struct db_enrolment *out, struct fault *f);
	/* FAULT_NOT_FOUND. */
	int (*enrolment_get)(struct db *db, const uint8_t id[static ID_LEN],
	    struct db_enrolment *out, struct fault *f);

	/* hash: of its code.  FAULT_EXISTS. */
	int (*invitation_add)(struct db *db, const struct db_invitation *i,
	    const uint8_t hash[static DB_HASH_LEN], struct fault *f);
	/* One use less of one that has not expired; the last drops it.
	 * FAULT_NOT_FOUND where there is none. */
	int (*invitation_use)(struct db *db,
	    const uint8_t hash[static DB_HASH_LEN], int64_t now,
	    struct fault *f);
	/* FAULT_NOT_FOUND. */
	int (*invitation_drop)(struct db *db, const uint8_t id[static ID_LEN],
	    struct fault *f);
	/* Calls each for those that have not expired, the first to do so first,
	 * until it fails.  each may not use db. */
	int (*invitation_each)(struct db *db, int64_t now,
	    db_invitation_fn *each, void *arg, struct fault *f);

	/* The custody sets of a space.  FAULT_EXISTS where the serial is
	 * taken and replace is not set. */
	int (*custody_add)(struct db *db, const struct custody *c,
	    bool replace, struct fault *f);
	/* The latest one: FAULT_NOT_FOUND. */
	int (*custody_get)(struct db *db, const uint8_t space[static ID_LEN],
	    struct custody *out, struct fault *f);
	/* Whether the space was made here, whatever home an operator's set in
	 * force names: only there is the set of serial 1, and the head. */
	int (*custody_home)(struct db *db, const uint8_t space[static ID_LEN],
	    bool *out, struct fault *f);
	/* Those after a serial, at most max, each with its u16 length in
	 * front. */
	int (*custody_list)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t after, size_t max, struct buf *out, struct fault *f);
	/* The announced one: set (NULL: none any more), FAULT_NOT_FOUND. */
	int (*announced_set)(struct db *db, const uint8_t space[static ID_LEN],
	    const struct custody *c, struct fault *f);
	int (*announced_get)(struct db *db, const uint8_t space[static ID_LEN],
	    struct custody *out, struct fault *f);

	/* By epoch.  To add: FAULT_LIMIT past DB_SLOTS_MAX. */
	int (*share_add)(struct db *db, const uint8_t space[static ID_LEN],
	    const struct db_share *s, struct fault *f);
	int (*share_list)(struct db *db, const struct db_share_of *of,
	    struct db_share *out, size_t *n, struct fault *f);
	/* FAULT_LIMIT past DB_SLOTS_MAX of a device. */
	int (*device_slot_add)(struct db *db,
	    const uint8_t space[static ID_LEN],
	    const struct db_device_slot *s, struct fault *f);
	/* Of a device, by epoch. */
	int (*device_slot_list)(struct db *db,
	    const uint8_t space[static ID_LEN],
	    const uint8_t device[static ID_LEN], struct db_device_slot *out,
	    size_t *n, struct fault *f);
	/* What a set that comes into force puts an end to: keyslots of kind
	 * authority and device, and shares that came with a set before it or
	 * with another of its serial, not with one after it.  each is called
	 * by epoch, kind and device, until it fails, and may not use db. */
	int (*left_each)(struct db *db, const struct custody *set,
	    db_left_fn *each, void *arg, struct fault *f);
	int (*left_drop)(struct db *db, const struct custody *set,
	    struct fault *f);
	/* Receipts for that, by the set and by epoch.  To list: FAULT_LIMIT
	 * past DB_LEFT_MAX. */
	int (*left_add)(struct db *db, const struct custody *set,
	    uint32_t epoch, const uint8_t in[static RECEIPT_LEN],
	    struct fault *f);
	int (*left_list)(struct db *db, const struct custody *set,
	    uint8_t (*out)[RECEIPT_LEN], size_t *n, struct fault *f);
	/* The log's entries, in the order of the log. */
	int (*leaf_add)(struct db *db, const struct db_leaf *l,
	    struct fault *f);
	/* The first index that none has. */
	int (*leaf_next)(struct db *db, uint64_t *out, struct fault *f);
	/* Calls each for at most max from index on, until it fails; what it is
	 * handed lasts as long as the call.  each may not use db. */
	int (*leaf_each)(struct db *db, uint64_t from, size_t max,
	    db_leaf_fn *each, void *arg, struct fault *f);
	/* The same, only those of two subjects; entries that belong to no space
	 * are none of theirs, whatever ids they chose. */
	int (*leaf_of)(struct db *db, const struct db_leaf_of *of,
	    db_leaf_fn *each, void *arg, struct fault *f);
	/* Calls each for the last one that has this type, subject, body and
	 * public part, if there is one; for no release, of which there may be
	 * millions. */
	int (*leaf_find)(struct db *db, const struct db_leaf *like,
	    struct bytes open, db_leaf_fn *each, void *arg, struct fault *f);
	/* The same of the entries of requests; and all of one request. */
	int (*request_each)(struct db *db, uint64_t from, size_t max,
	    db_leaf_fn *each, void *arg, struct fault *f);
	int (*request_of)(struct db *db, const uint8_t id[static ID_LEN],
	    db_leaf_fn *each, void *arg, struct fault *f);
	/* The log key of a space.  FAULT_EXISTS; FAULT_NOT_FOUND. */
	int (*log_key_add)(struct db *db, const uint8_t space[static ID_LEN],
	    const struct leaf_log_key *key, struct fault *f);
	int (*log_key_get)(struct db *db, const uint8_t space[static ID_LEN],
	    struct leaf_log_key *out, struct fault *f);
	/* The space that an account was enrolled with.  FAULT_NOT_FOUND. */
	int (*space_first)(struct db *db,
	    const uint8_t account[static ID_LEN], uint8_t out[static ID_LEN],
	    struct fault *f);
	/* The authority's own: the desk key, the policy last logged. */
	int (*own_set)(struct db *db, const char *name, struct bytes value,
	    struct fault *f);
	/* Exactly n bytes.  FAULT_NOT_FOUND. */
	int (*own_get)(struct db *db, const char *name, void *out, size_t n,
	    struct fault *f);
	/* Those of a device, in any space. */
	int (*device_slot_forget)(struct db *db,
	    const uint8_t device[static ID_LEN], struct fault *f);
	/* Epochs, with the hash of the body that began them.  FAULT_EXISTS;
	 * FAULT_NOT_FOUND; last is 0 where there was none. */
	int (*epoch_add)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t epoch, const uint8_t request[static DB_HASH_LEN],
	    struct fault *f);
	int (*epoch_get)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t epoch, uint8_t request[static DB_HASH_LEN],
	    struct fault *f);
	int (*epoch_last)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t *last, struct fault *f);
	/* The blobs of an epoch's keyslots, by kind and device; and their
	 * deletion. */
	int (*epoch_blobs)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t epoch, struct buf *out, struct fault *f);
	int (*epoch_drop)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t epoch, struct fault *f);
	/* FAULT_EXISTS; FAULT_NOT_FOUND. */
	int (*receipt_add)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t epoch, const uint8_t in[static RECEIPT_LEN],
	    struct fault *f);
	int (*receipt_get)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t epoch, uint8_t out[static RECEIPT_LEN],
	    struct fault *f);
	/* Whether an epoch ended, or is of a custody that was left and has
	 * nothing here any more. */
	int (*receipt_ends)(struct db *db, const uint8_t space[static ID_LEN],
	    uint32_t epoch, bool *out, struct fault *f);
	/* Outside a transaction: nothing of deleted rows is left in the file
	 * or the write-ahead log. */
	int (*purge)(struct db *db, bool wait, struct fault *f);

	/* Calls each for all spaces' ids, until it fails. */
	int (*space_each)(struct db *db, int (*each)(void *arg,
	    const uint8_t space[static ID_LEN]), void *arg, struct fault *f);

	void (*close)(struct db *db);
};

/* Opens or makes the database in a file.  FAULT_VERSION where a newer release
 * made it, FAULT_IO, FAULT_SPACE.  *out is to be closed. */
int db_sqlite_open(const char *path, struct db **out, struct fault *f)
	must_check;

#endif
