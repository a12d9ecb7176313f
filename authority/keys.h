// SPDX-License-Identifier: Apache-2.0
/*
 * The role that has the keys.  It reads its keyfile from a pipe at the start,
 * and from then on answers the ledger's requests over two pipes.  It has no
 * file and no socket, but for what a token's module is given.
 */
#ifndef SKERRY_AUTHORITY_KEYS_H
#define SKERRY_AUTHORITY_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "authority/keymsg.h"
#include "authority/keystore.h"
#include "authority/permit.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

struct keys_room; /* secret memory for one request */

struct keys {
	struct keystore *store;
	struct permit permit;
	uint32_t lease; /* of a capability, in seconds */
	struct keys_room *room; /* wiped after each request */

	char *host;             /* "@authority" of requests */
	struct note_key log;    /* of the log; its name is the origin */
	bool resumed;           /* tree is the last one signed */
	struct keymsg_tree tree;
};

/* Answers one request of a role: appends code and data to out.  Whatever is
 * asked, this does not fail but for FAULT_MEMORY. */
int keys_answer(struct keys *k, unsigned role, struct bytes ask,
    struct buf *out) must_check;

/* The same for each request of a packet, in order. */
int keys_answer_all(struct keys *k, unsigned role, struct bytes packet,
    struct buf *out) must_check;

/* Takes host (a copy) and makes the log's key of it.  After the store is
 * open. */
int keys_log(struct keys *k, const char *host) must_check;

/* Closes the store and frees the room. */
void keys_wipe(struct keys *k);

/* The process: runs until its pipes close.  Returns a FAULT_*. */
int keys_main(struct fault *f) must_check;

#endif
