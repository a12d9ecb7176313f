// SPDX-License-Identifier: Apache-2.0
/*
 * A device's standing towards its authority and depot for the length of one
 * command: released space keys, capability, current head, device chain.
 */
#ifndef SKERRY_CLIENT_SESSION_H
#define SKERRY_CLIENT_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "crypt/keys.h"
#include "net/http.h"
#include "object/chain.h"
#include "object/head.h"
#include "store/store.h"

struct authority;
struct custodian;
struct state;

enum session_need {
	SESSION_READ,  /* a live lease will do: no request goes offshore */
	SESSION_WRITE, /* asks the authority, always */
	SESSION_LOCAL, /* asks nobody: a live lease, the head last seen, and
	                * of the depot what is in the cache */
};

struct session_epoch {
	uint32_t epoch;
	struct space_key *key; /* secret memory, owned by the session */
};

struct session {
	struct state *state; /* borrowed */

	uint8_t account[ID_LEN], space[ID_LEN], device[ID_LEN];
	const struct sign_key *sign; /* this device's key; secret memory */
	struct chain *chain;         /* verified and pinned; the state's */

	struct session_epoch *epochs; /* ascending; at least one */
	size_t nepochs;
	/* Of all that any holder has, openable or not; 0 under a lease. */
	uint32_t first_epoch, last_epoch;

	bool has_head; /* false: the space is empty */
	uint8_t head[STORE_HEAD_LEN]; /* as received; not verified here */
	bool head_from_mirror; /* and is later than the one last seen */
	bool home_away; /* others released the keys: for reading only */

	/* Where the authority was asked: the custody as it stands now. */
	const struct custodian *custodian;

	struct store *store; /* this thread's depot; owned; dup for others */

	/* Why the space's cache folder is not used; code 0: it is. */
	struct fault no_cache;

	struct http_wire onshore, offshore; /* what this command moved */
	const atomic_bool *stop;            /* set by SIGINT and SIGTERM */
};

/*
 * Opens a session for the space that state is bound to.  With SESSION_READ and
 * a live lease, keys and capability come from the agent, and the head is the
 * later of the depot's mirror and the one last seen.  Otherwise asks the
 * authority once; what was released goes to the agent for the lease.
 * In split custody all holders are asked at once.  Growth of the chain and
 * changes of the custody are verified and pinned in state before this returns.
 * FAULT_EXPIRED where SESSION_LOCAL finds no lease, or no head was seen.
 * FAULT_CUSTODY, FAULT_AUTHORITY, FAULT_DENIED, FAULT_CLOCK, FAULT_TRUST,
 * FAULT_ROLLBACK, FAULT_CONFIG, FAULT_TAMPERED.
 */
int session_open(struct state *st, enum session_need need,
    const atomic_bool *stop, struct session **out, struct fault *f) must_check;

/* The key of an epoch; NULL if it was not released.  Borrowed. */
static inline const struct space_key *
session_key(const struct session *s, uint32_t epoch)
{
	for (size_t i = 0; i < s->nepochs; i++)
		if (s->epochs[i].epoch == epoch)
			return s->epochs[i].key;
	return NULL;
}

/* Who may have signed that head: a device that is live, or, where it is not
 * from the mirror, was: the authority takes heads from live devices only, and
 * the one last seen was verified then ([tree] Head). */
static inline struct head_lookup
session_signers(const struct session *s)
{
	return (struct head_lookup){ .arg = s->chain,
		.find = s->head_from_mirror ? chain_lookup : chain_lookup_any };
}

/*
 * Moves the space's head from number expect to the given one: at the authority,
 * then, as a courtesy, at the depot's mirror (whose failure is no error).  A
 * lost answer is asked for again.  On FAULT_CONFLICT, s->head holds the head
 * that is there.  On success it is in s->head and remembered as last seen.
 */
int session_move_head(struct session *s, uint64_t expect,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f) must_check;

/* Remembers a head that was verified as last seen; a writer that had not seen
 * it tells the depot's mirror, too.  FAULT_IO, FAULT_SPACE. */
int session_saw_head(struct session *s, uint64_t number, uint32_t epoch,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f) must_check;

/* Number and epoch last seen and verified by this device; 0, 0 at first. */
void session_last_seen(const struct session *s, uint64_t *number,
    uint32_t *epoch);

/* The bytes of that head; NULL where there is none.  Borrowed. */
const uint8_t *session_seen_head(const struct session *s);

/* The head last seen takes the place of the one that is shown, which nobody can
 * follow.  false: it is the same, or there is none. */
bool session_go_back(struct session *s);

/* Asks the authority again: what it releases now, and its head, replace what
 * the session had, in the agent too.  As session_open. */
int session_refresh(struct session *s, struct fault *f) must_check;

/* A key that this device made, for an epoch after all others.  FAULT_LIMIT. */
int session_add_epoch(struct session *s, uint32_t epoch,
    const struct space_key *key, struct fault *f) must_check;

/* The epoch to write in: the head's, or the first where there is none. */
uint32_t session_epoch_now(const struct session *s);

/* The home authority; the session's. */
int session_home(struct session *s, struct authority **out,
    struct fault *f) must_check;

/* The depot's token, for a holder that is new to the space. */
const char *session_capability(const struct session *s);

/* Wipes and frees; NULL is fine.  finish adds what moved, to the last byte, to
 * the totals of the command. */
void session_finish(struct session *s, struct http_wire *onshore,
    struct http_wire *offshore);
void session_close(struct session *s);
void session_closep(struct session **s);

#endif
