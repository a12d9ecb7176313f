// SPDX-License-Identifier: Apache-2.0
/*
 * What a witness remembers of each log: the checkpoint that it cosigned last,
 * in a file named by the hash of the log's origin, and the one place that
 * decides whether to cosign the next.  Any thread.
 */
#ifndef SKERRY_WITNESS_STATE_H
#define SKERRY_WITNESS_STATE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"
#include "tlog/note.h"

struct state; /* opaque */

/* Whose cosignatures they are; borrowed till state_close. */
struct state_signer {
	const struct sign_key *key;
	const struct note_key *pub;
};

/* Opens the folder, which must exist, and reads what is known of these logs
 * (verifier keys; several may share an origin).  The witness's own key is
 * borrowed.  FAULT_CONFLICT: another process has it.  FAULT_TAMPERED: a file is
 * not what this witness, or a log, signed.  *out is to be closed. */
int state_open(const char *dir, const struct note_key *logs, size_t n,
    struct state_signer as, struct state **out, struct fault *f) must_check;
void state_close(struct state *s);

/* What state_open would read, with nothing changed; also while another process
 * has it. */
int state_check(const char *dir, const struct note_key *logs, size_t n,
    struct state_signer as, struct fault *f) must_check;

/* For the sandbox. */
int state_fd(const struct state *s);

/* Answers to add-checkpoint, as HTTP has them. */
enum state_answer {
	STATE_COSIGNED = 200,
	STATE_MALFORMED = 400, /* also where old is above the new size */
	STATE_UNTRUSTED = 403,
	STATE_UNKNOWN = 404,
	STATE_CONFLICT = 409,
	STATE_REFUSED = 422,
	STATE_FAILED = 500,    /* f says why; nothing was cosigned */
};

/* Judges a request's body at time now.  On STATE_COSIGNED the new checkpoint is
 * durable, and the cosignature's line is appended to line; on STATE_CONFLICT
 * *size is that of the last one. */
enum state_answer state_add(struct state *s, struct bytes body, uint64_t now,
    struct buf *line, uint64_t *size, struct fault *f);

/* Appends the checkpoint cosigned last of the log whose origin has this
 * SHA-256.  FAULT_NOT_FOUND, FAULT_MEMORY. */
int state_get(struct state *s, const uint8_t hash[static 32],
    struct buf *out) must_check;

#endif
