// SPDX-License-Identifier: Apache-2.0
/*
 * What a device keeps between commands: its keys, the space that it is bound
 * to, the pinned policy and device chain, the head last seen.  client/DESIGN.md
 * has the files and the claims.  Every file is replaced as a whole, and what
 * only grows (chain, head, policy serial) is read again under the lock before
 * it is written, so that two commands at once do not undo each other.
 */
#ifndef SKERRY_CLIENT_STATE_H
#define SKERRY_CLIENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"
#include "net/policy.h"
#include "object/chain.h"
#include "store/store.h"

#define STATE_NAME_MAX 64 /* characters of a name in the policy */
#define STATE_PENDING_MAX 131072

enum state_stage {
	STATE_INIT = 1, /* init has begun: the account may exist or not */
	STATE_ENROL,    /* waits to be approved: no account is known */
	STATE_READY,
	STATE_REVOKED,  /* by its own hand */
};

struct state_binding {
	enum state_stage stage;
	uint8_t account[ID_LEN], space[ID_LEN]; /* zero while STATE_ENROL */
	char authority[STATE_NAME_MAX + 1];
	char residency[STATE_NAME_MAX + 1]; /* "" while STATE_ENROL */
	char depot[STATE_NAME_MAX + 1];     /* the same */
};

struct state_head {
	bool known; /* false: the rest is zero */
	uint64_t number;
	uint32_t epoch;
	uint8_t bytes[STORE_HEAD_LEN];
};

struct state {
	char *dir; /* absolute */
	int fd;    /* of dir */
	int lock_fd; /* of a command that sets the state up; or -1 */

	uint8_t device[ID_LEN];
	struct sign_key *sign; /* secret memory, as box */
	struct box_key *box;
	struct sign_pub sign_pub;
	struct box_pub box_pub;

	struct state_binding binding;
	struct policy *policy; /* verified against the pinned key */
	struct chain chain;    /* as pinned; verified when loaded */
	uint8_t root[HASH_LEN]; /* SHA-256 of its first entry; zero if none */
	struct state_head head;
};

/* The folder: home if not NULL, else $SKERRY_HOME, else skerry in
 * $XDG_DATA_HOME or ~/.local/share.  Freed by the caller.  FAULT_CONFIG. */
int state_home(const char *home, char **out, struct fault *f) must_check;

/*
 * Opens what is there.  FAULT_CONFIG where the folder holds no state, or a file
 * is damaged or readable by others, which it names; FAULT_IO and the like.
 */
int state_open(const char *dir, struct state **out, struct fault *f) must_check;

/*
 * Opens the folder for init and enrol, making it and the device's keys where
 * they are missing.  policy: the signed file; key: to pin, or NULL for its own.
 * Where a policy is pinned already, the rules of state_set_policy hold.  The
 * exclusive lock is held until the state is closed.  FAULT_CONFLICT where
 * another command holds it.
 */
int state_begin(const char *dir, struct bytes policy,
    const struct sign_pub *key, struct state **out, struct fault *f) must_check;

/* Wipes; NULL is fine. */
void state_close(struct state *st);
void state_closep(struct state **st);

/* Takes that lock for a state that was opened.  FAULT_CONFLICT. */
int state_setup(struct state *st, struct fault *f) must_check;

/* FAULT_CONFIG unless the stage is STATE_READY, saying what to do. */
int state_require_ready(const struct state *st, struct fault *f) must_check;

int state_set_binding(struct state *st, const struct state_binding *b,
    struct fault *f) must_check;

/* Takes the binding back: the stage is none again, the keys stay. */
int state_unbind(struct state *st, struct fault *f) must_check;

/* Pins a later policy.  FAULT_TRUST (other signer), FAULT_ROLLBACK (lower
 * serial). */
int state_set_policy(struct state *st, struct bytes file,
    struct fault *f) must_check;

/* The pinned policy's key [32] and file, appended. */
int state_policy_bytes(const struct state *st, struct buf *out,
    struct fault *f) must_check;

/* Verifies entries (back to back) that follow entry number seen, and pins the
 * longer chain.  Entries that are known already must be the same, else
 * FAULT_TRUST; FAULT_TAMPERED and the like from chain_append. */
int state_add_chain(struct state *st, uint32_t seen, struct bytes entries,
    struct fault *f) must_check;

/* The pinned entries, back to back, appended. */
int state_chain_bytes(const struct state *st, struct buf *out,
    struct fault *f) must_check;

/* The lock under which files are replaced; it goes with the descriptor, which
 * the caller closes. */
int state_lock(const struct state *st, int *out, struct fault *f) must_check;

/* Remembers a head unless a later one is known. */
int state_set_head(struct state *st, const struct state_head *head,
    struct fault *f) must_check;

/* What an unfinished command needs again: secret.  get: FAULT_NOT_FOUND. */
enum state_pending {
	STATE_OF_INIT,
	STATE_OF_RECOVERY,
};
int state_set_pending(struct state *st, enum state_pending of,
    struct bytes data, struct fault *f) must_check;
int state_get_pending(struct state *st, enum state_pending of,
    struct buf *out, struct fault *f) must_check;
bool state_has_pending(const struct state *st, enum state_pending of);
/* Whether of a recovery code that was handed over only the change of the
 * space's key is left: then that is what is pending, as the u32 epoch that the
 * code before opened last. */
#define STATE_OWED_LEN 4
bool state_owed(struct state *st, uint32_t *epoch);
int state_drop_pending(struct state *st, enum state_pending of,
    struct fault *f) must_check;

/* The authority and residency of the binding in the policy; where the policy
 * has lost them, FAULT_CONFIG. */
int state_authority(const struct state *st,
    const struct policy_authority **out, struct fault *f) must_check;
int state_depot(const struct state *st, const struct policy_depot **out,
    struct fault *f) must_check;

/* A folder for what can be fetched again, per space and device, 0700: an open
 * descriptor that the caller closes, or a FAULT_*. */
int state_cache_dir(const struct state *st, struct fault *f) must_check;

#endif
