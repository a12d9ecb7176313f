// SPDX-License-Identifier: Apache-2.0
/* The space's own entries of one log, as an audit found them, and how far it
 * read: client/DESIGN.md, Log. */
#ifndef SKERRY_CLIENT_AUDITITEM_H
#define SKERRY_CLIENT_AUDITITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/idmap.h"
#include "crypt/keys.h"
#include "net/httpsig.h"
#include "object/limits.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

struct state;

/* What is thought of an entry.  Kept on disk: never renumber. */
#define AUDIT_TABLE(X)                                                        \
	X(GOOD, 0, "good")                                                    \
	X(WITHHELD, 1, "the authority does not open it")                      \
	X(FALSE, 2, "the authority opens it to something else")               \
	X(OTHER, 3, "names another space")                                    \
	X(STRANGER, 4, "to a device that the chain does not have")            \
	X(UNSIGNED, 5, "no device signed the request")                        \
	X(UNASKED, 6, "this device did not ask for it")                       \
	X(REVOKED, 7, "to a device that was revoked")                         \
	X(EARLY, 8, "to a device before it was added")                        \
	X(DOUBLE, 9, "a second release for one request")                      \
	X(ELSEWHERE, 10, "the request was to another authority")              \
	X(CLOCK, 11, "its time is not that of the request")                   \
	X(CHAIN, 12, "of a device entry that the chain does not have")        \
	X(REASON, 13, "released without its user: by a request")              \
	X(POLICY, 14, "not the policy that this device has pinned with its "  \
	    "serial")

enum audit_verdict {
#define X(name, number, text) AUDIT_##name = (number),
	AUDIT_TABLE(X)
#undef X
};

/* Never NULL. */
const char *audititem_text(enum audit_verdict v);

struct audititem {
	uint64_t index, time;
	uint8_t type;
	uint8_t verdict;
	uint32_t epoch;
	uint8_t device[ID_LEN];
	uint8_t nonce[HTTPSIG_NONCE_LEN];
	uint8_t hash[HASH_LEN]; /* of the chain entry or the custody set */
};

struct audititems {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size; /* entries read */
	struct merkle_hash root;
	struct audititem *item; /* owned; indexes ascend */
	size_t n, cap;
	struct idmap first; /* of those that audititem_judged() was told of */
};

/* Of no log yet. */
struct audititems audititem_none(void);
int audititem_add(struct audititems *a, const struct audititem *i) must_check;

/* Item i is judged, and those before it were told: it is to be found, unless
 * one like it was before it, or it is of a device and not good. */
int audititem_judged(struct audititems *a, size_t i) must_check;

/* The first of the same type, epoch, device and nonce; NULL.  What ever number
 * there is, in about the same time. */
const struct audititem *audititem_first(const struct audititems *a,
    const struct audititem *like);
void audititem_wipe(struct audititems *a);

/* The file of that log; an empty list where there is none.  FAULT_CONFIG. */
int audititem_load(const struct state *st, const char *origin,
    struct audititems *out, struct fault *f) must_check;
bool audititem_known(const struct state *st, const char *origin);
int audititem_save(const struct state *st, const struct audititems *a,
    struct fault *f) must_check;

/* The body of that file.  FAULT_MALFORMED, FAULT_MEMORY. */
int audititem_parse(struct bytes body, struct audititems *out) must_check;
int audititem_format(const struct audititems *a, struct buf *out) must_check;

#endif
