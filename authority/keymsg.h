// SPDX-License-Identifier: Apache-2.0
/*
 * What the ledger asks the keys role, and how: typed fields in a fixed order.
 * The keys role builds what it wraps, seals and signs from these fields; it
 * never signs or opens bytes that somebody hands it.
 */
#ifndef SKERRY_AUTHORITY_KEYMSG_H
#define SKERRY_AUTHORITY_KEYMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "authority/keystore.h"
#include "authority/link.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"
#include "crypt/wrap.h"
#include "tlog/body.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "object/receipt.h"

#define KEYMSG_BLOB_MAX 256

/* Which space key, or which share of it. */
struct keymsg_space {
	uint8_t account[ID_LEN], space[ID_LEN];
	uint32_t epoch;
	uint8_t index; /* of a share; 0: the whole key */
};

/* The secret of the epoch, under which its keyslots are: as the keys role
 * wrapped it.  An epoch from before there were any has none. */
struct keymsg_secret {
	bool has;
	uint8_t wrapped[WRAP_LEN];
};

struct keymsg_admit {
	struct keymsg_space of;
	struct keymsg_secret under;
	uint8_t blob[KEYSTORE_SEALED_LEN]; /* to the intake key */
};

/* Where the log has the entry of it, in the tree signed last. */
struct keymsg_logged {
	struct bytes entry; /* borrowed; at most LEAF_MAX */
	struct leaf_key key;
	uint64_t index;
	struct merkle_proof path;
};

struct keymsg_release {
	struct keymsg_space of;
	struct keymsg_secret under;
	uint8_t wrapped[WRAP_LEN];
	struct sign_pub sign; /* of the device; its id comes from both keys */
	struct box_pub box;
	/* The device's request, for the entry's body. */
	uint64_t created;
	uint8_t nonce[BODY_NONCE_LEN], digest[BODY_DIGEST_LEN];
	uint8_t signature[SIGN_LEN];
	struct keymsg_logged logged;
};

struct keymsg_capability {
	char depot[CAPABILITY_DEPOT_MAX + 1];
	uint8_t prefix[ID_LEN];
	int64_t now; /* refused if it is not the keys role's own time */
};

/* A tree of the log. */
struct keymsg_tree {
	uint64_t size;
	struct merkle_hash root;
};

struct keymsg_sign {
	uint64_t old; /* size of the tree signed last */
	struct keymsg_tree tree;
	struct merkle_proof proof; /* of consistency */
};

/* Of a keyslot that only somebody else can open; kind is bound to it. */
struct keymsg_cover {
	struct keymsg_space of;
	struct keymsg_secret under;
	uint8_t kind;
	size_t n;
	uint8_t blob[KEYMSG_BLOB_MAX];
};

struct keymsg_receipt {
	struct receipt r; /* time: as in a capability */
};

/* Any of them, with the number of the request in front.  PERMIT_* is which. */
struct keymsg {
	unsigned request;
	union {
		struct keymsg_admit admit;
		struct keymsg_release release;
		struct keymsg_capability capability;
		struct keymsg_sign sign;
		struct bytes note; /* resume; borrowed, may be empty */
		struct keymsg_space secret;
		struct keymsg_cover cover; /* and uncover */
		struct keymsg_receipt receipt;
	} u;
};

/* Borrows in.  FAULT_MALFORMED: also where the request is none of these. */
int keymsg_read(struct bytes in, struct keymsg *out) must_check;

/* What a client is told: fault_text(), but where the keys do not answer. */
const char *keymsg_text(int code);

/* By the ledger.  What the keys role answered, or FAULT_AUTHORITY where it does
 * not answer. */
int keymsg_admit(struct link *l, const struct keymsg_admit *m,
    uint8_t out[static WRAP_LEN]) must_check;
int keymsg_release(struct link *l, const struct keymsg_release *m,
    uint8_t out[static KEYSTORE_SEALED_LEN]) must_check;
int keymsg_capability(struct link *l, const struct keymsg_capability *m,
    struct buf *token) must_check;
/* note: the log's last checkpoint, signed by the keys role, or nothing.  *out:
 * the last tree that the keys role knows of.  FAULT_TRUST. */
int keymsg_resume(struct link *l, struct bytes note, int wait_ms,
    struct keymsg_tree *out) must_check;
/* Appends the checkpoint's note.  FAULT_NOT_FOUND: resume first. */
int keymsg_sign(struct link *l, const struct keymsg_sign *m,
    struct buf *note) must_check;

#define KEYMSG_WAIT_MS 5000
int keymsg_secret(struct link *l, const struct keymsg_space *of,
    uint8_t out[static WRAP_LEN]) must_check;
/* out gets m->n + WRAP_OVERHEAD bytes. */
int keymsg_cover(struct link *l, const struct keymsg_cover *m,
    uint8_t *out) must_check;
/* out gets m->n - WRAP_OVERHEAD bytes. */
int keymsg_uncover(struct link *l, const struct keymsg_cover *m,
    uint8_t *out) must_check;
int keymsg_receipt(struct link *l, const struct keymsg_receipt *m,
    uint8_t out[static RECEIPT_LEN]) must_check;

#endif
