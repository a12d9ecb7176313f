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

/* A packet has one or more requests, or as many answers, each with its u16
 * length in front.  Takes the next one.  FAULT_MALFORMED. */
int keymsg_next(struct bytes *packet, struct bytes *out) must_check;
int keymsg_add(struct buf *packet, struct bytes one) must_check;

/* What a client is told: fault_text(), but where the keys do not answer. */
const char *keymsg_text(int code);

/* The ledger's end of the link. */
struct keymsg_line {
	struct link link;
	struct keymsg_round *round; /* under way, or NULL */
};

/* By the ledger.  What the keys role answered, or FAULT_AUTHORITY where it does
 * not answer. */
int keymsg_admit(struct keymsg_line *l, const struct keymsg_admit *m,
    uint8_t out[static WRAP_LEN]) must_check;
/* note: the log's last checkpoint, signed by the keys role, or nothing.  *out:
 * the last tree that the keys role knows of.  FAULT_TRUST. */
int keymsg_resume(struct keymsg_line *l, struct bytes note, int wait_ms,
    struct keymsg_tree *out) must_check;
/* Appends the checkpoint's note.  FAULT_NOT_FOUND: resume first. */
int keymsg_sign(struct keymsg_line *l, const struct keymsg_sign *m,
    struct buf *note) must_check;

#define KEYMSG_WAIT_MS 5000 /* for the answers to a packet */
int keymsg_secret(struct keymsg_line *l, const struct keymsg_space *of,
    uint8_t out[static WRAP_LEN]) must_check;
/* out gets m->n + WRAP_OVERHEAD bytes. */
int keymsg_cover(struct keymsg_line *l, const struct keymsg_cover *m,
    uint8_t *out) must_check;
/* out gets m->n - WRAP_OVERHEAD bytes. */
int keymsg_uncover(struct keymsg_line *l, const struct keymsg_cover *m,
    uint8_t *out) must_check;
/*
 * Many requests, of which several are on their way at once: they are put, and
 * what each was answered is got in the order in which they were put.  What else
 * is asked of keys meanwhile comes behind those on their way, whose answers are
 * kept; there is one round at a time.
 */
#define KEYMSG_MANY 4   /* in a packet; so many answers fit into one, too */
#define KEYMSG_PACKETS 8 /* on their way; the pipes have room for twice that */

struct keymsg_round {
	struct keymsg_line *line;
	struct buf ask, got; /* a packet to be sent; those that came */
	size_t asks, at;     /* in ask; what of got was handed out */
	size_t packets;      /* on their way */
	int rc; /* of the link: nothing comes any more */
};

struct keymsg_round keymsg_round(struct keymsg_line *l);
void keymsg_round_wipe(struct keymsg_round *r);

/* Whether the next packet waits for answers. */
bool keymsg_round_full(const struct keymsg_round *r);

/* What fails here is told by keymsg_round_get(). */
void keymsg_round_release(struct keymsg_round *r,
    const struct keymsg_release *m);
void keymsg_round_capability(struct keymsg_round *r,
    const struct keymsg_capability *m);

/* Whether keymsg_round_get() would wait. */
bool keymsg_round_waits(struct keymsg_round *r);

/* What keys answered to the next one, its data borrowed until anything is put
 * or got; or FAULT_AUTHORITY. */
int keymsg_round_get(struct keymsg_round *r, struct bytes *out) must_check;

int keymsg_receipt(struct keymsg_line *l, const struct keymsg_receipt *m,
    uint8_t out[static RECEIPT_LEN]) must_check;

#endif
