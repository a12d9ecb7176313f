// SPDX-License-Identifier: Apache-2.0
/*
 * What this device remembers of the logs of its authorities: the latest
 * checkpoint of each, the log key, the user's own trust file, and the nonces of
 * the requests that it made itself.  client/DESIGN.md, Log.
 */
#ifndef SKERRY_CLIENT_LOGPIN_H
#define SKERRY_CLIENT_LOGPIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "net/httpsig.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

#define LOGPIN_NOTE_MAX 24576 /* bytes of a note that is kept */

struct state;

struct logpin {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size; /* 0: nothing is pinned */
	struct merkle_hash root;
	struct buf note; /* as it was signed; wiped by the caller */
};

/* *out is {0} but origin where nothing is pinned.  FAULT_CONFIG for a damaged
 * file. */
int logpin_get(const struct state *st, const char *origin, struct logpin *out,
    struct fault *f) must_check;
void logpin_wipe(struct logpin *p);

/* Pins p unless a larger tree is pinned: *now, if not NULL, is what is pinned
 * then (the caller's to wipe).  Whether they are consistent is the caller's to
 * know. */
int logpin_set(const struct state *st, const struct logpin *p,
    struct logpin *now, struct fault *f) must_check;

/* The body of the file, for its fuzz target: calls each for every pin, until it
 * returns other than 0.  FAULT_MALFORMED. */
int logpin_parse(struct bytes body,
    int (*each)(void *arg, const struct logpin *p), void *arg) must_check;

/* The space's log key.  FAULT_NOT_FOUND without text where this device does not
 * know it yet. */
int logpin_key(const struct state *st, struct leaf_log_key *out,
    struct fault *f) must_check;
int logpin_set_key(const struct state *st, const struct leaf_log_key *key,
    struct fault *f) must_check;

/* The user's own trust file, appended; nothing where there is none.  set with
 * no bytes removes it. */
int logpin_trust(const struct state *st, struct buf *out,
    struct fault *f) must_check;
int logpin_set_trust(const struct state *st, struct bytes file,
    struct fault *f) must_check;

/* Notes that a request is about to be sent; durable when it returns. */
int logpin_ask(const struct state *st, const struct httpsig *params,
    struct fault *f) must_check;

/* All nonces that were noted, sorted.  nonce: to be freed. */
struct logpin_asked {
	uint8_t (*nonce)[HTTPSIG_NONCE_LEN];
	size_t n;
};
int logpin_asked(const struct state *st, struct logpin_asked *out,
    struct fault *f) must_check;
bool logpin_was_asked(const struct logpin_asked *a,
    const uint8_t nonce[static HTTPSIG_NONCE_LEN]);

/* The bytes of that file; *good: how many of them are whole records.
 * FAULT_CONFIG where more is damaged than a torn last record, FAULT_MEMORY. */
int logpin_asked_parse(struct bytes file, struct logpin_asked *out,
    size_t *good) must_check;

#endif
