// SPDX-License-Identifier: Apache-2.0
/*
 * What an authority says of its log, held against what this device pinned,
 * asked for and trusts: spec/60-log.md, What a client checks.  What does not
 * hold is FAULT_LOG, with a file of evidence where something signed shows it.
 */
#ifndef SKERRY_CLIENT_LOGCHECK_H
#define SKERRY_CLIENT_LOGCHECK_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/answer.h"
#include "client/auditaccept.h"
#include "client/logbody.h"
#include "client/logpin.h"
#include "net/http.h"
#include "net/policy.h"
#include "tlog/note.h"
#include "tlog/trust.h"

struct state;

struct logcheck {
	const struct state *st; /* borrowed, as the rest */
	const struct policy_authority *peer;
	struct http_wire *wire;
	const atomic_bool *stop;
	struct note_key key; /* its name is the origin */
	char vkey[NOTE_VKEY_MAX + 1];
	const struct trust *whom; /* own, or the policy's */
	struct trust *own;        /* the user's; owned, or NULL */
	/* Of an audit, else NULL: what it told, and kept evidence of, before;
	 * and the id of what does not hold now. */
	const struct auditaccept *told;
	uint8_t *broken; /* AUDITACCEPT_ID_LEN */
};

/* Reads the log's key from the policy and whom to trust from the user's file,
 * or the policy.  FAULT_CONFIG, FAULT_LOG where they do not go together. */
int logcheck_open(struct logcheck *lc, struct fault *f) must_check;
void logcheck_close(struct logcheck *lc);

/* A note that was shown, against the trust; *out borrows the note.
 * FAULT_LOG. */
int logcheck_note(const struct logcheck *lc, struct bytes note,
    struct checkpoint *out, struct fault *f) must_check;

/* Whether c may come after pin: as large, and with this proof between them.
 * FAULT_LOG: rollback, split view, a proof that does not hold; note is kept as
 * evidence beside the pinned one.  proof NULL: none was given. */
int logcheck_follows(const struct logcheck *lc, const struct logpin *pin,
    const struct checkpoint *c, struct bytes note,
    const struct merkle_proof *proof, struct fault *f) must_check;

/* Pins c.  FAULT_LOG where another command pinned another tree meanwhile. */
int logcheck_pin(const struct logcheck *lc, const struct checkpoint *c,
    struct bytes note, struct fault *f) must_check;

/* The proofs of any answer but a session's; without the member FAULT_LOG. */
int logcheck_answer(const struct logcheck *lc, const struct answer_log *log,
    struct fault *f) must_check;

/* What a session was asked for, and by which request. */
struct logcheck_asked {
	const uint8_t *account, *space;
	struct httpsig_kept request;
	const char *host;
	const struct logpin *pin; /* whose size was told as log_seen */
};

/* The same of a session: every key that it releases has its own entry.  Leaf
 * keys are left in s->leaf where the log key is not known yet. */
int logcheck_session(const struct logcheck *lc,
    const struct logcheck_asked *asked, struct answer_session *s,
    struct fault *f) must_check;

/* Later, once the log key is known: entries that were left are of it.
 * authority: whose they are.  FAULT_LOG. */
int logcheck_leaves(const struct answer_session *s,
    const struct leaf_log_key *key, const char *authority,
    struct fault *f) must_check;

#endif
