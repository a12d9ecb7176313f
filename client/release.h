// SPDX-License-Identifier: Apache-2.0
/* From what an authority answered to a lease: opens the released keys and
 * checks what is named against the policy.  spec/10-names.md, Release. */
#ifndef SKERRY_CLIENT_RELEASE_H
#define SKERRY_CLIENT_RELEASE_H

#include "base/attr.h"
#include "base/fault.h"
#include "client/answer.h"
#include "client/lease.h"
#include "client/state.h"

/* What comes with the keys: depot, prefix, capability, how long.  out: secret
 * memory; its epochs are none.  FAULT_TRUST (a depot that the residency does
 * not allow). */
int release_begin(const struct state *st, const struct answer_session *in,
    struct lease *out, struct fault *f) must_check;

/* One key or, by kind, share; out: secret memory of KEY_LEN bytes.
 * FAULT_TAMPERED (does not open). */
int release_open(const struct state *st, const struct answer_key *k,
    uint8_t out[static KEY_LEN], struct fault *f) must_check;

/* The depot of a lease, if the pinned policy allows it.  FAULT_TRUST. */
int release_depot(const struct state *st, const char *name,
    const struct policy_depot **out, struct fault *f) must_check;

/* Associated data of a release or, with a NULL device, of an admission; index 0
 * for a whole key. */
#define RELEASE_AAD_MAX (3 * ID_LEN + 4 + 1)
int release_aad(const struct state_binding *b, uint32_t epoch,
    const uint8_t *device, uint8_t index, struct buf *out) must_check;

/* Whom a key is sealed to: a device, as an authority would, or an authority's
 * intake key. */
struct release_to {
	const struct box_pub *box; /* borrowed */
	const uint8_t *device;     /* id; NULL: intake */
	uint32_t epoch;
	uint8_t index; /* of a share; 0 for a whole key */
};

int release_seal(const struct state_binding *b, const struct release_to *to,
    const uint8_t key[static KEY_LEN],
    uint8_t out[static ANSWER_SEALED_LEN]) must_check;

#define RELEASE_SLOTS_MAX 256 /* keyslots that a request has room for */

/* In sealed custody: whether a request has room for the keyslots of so many
 * epochs for all live devices of the chain, and more of them.  FAULT_LIMIT. */
int release_room(const struct chain *c, size_t more, size_t epochs,
    struct fault *f) must_check;

/* Seals a space key to the account's recovery key: spec/10-names.md. */
int release_recovery(const struct state_binding *b, const struct box_pub *to,
    uint32_t epoch, const struct space_key *key,
    uint8_t out[static ANSWER_SEALED_LEN]) must_check;

/* The reverse, with the recovery key; out: secret memory.  FAULT_TAMPERED. */
int release_recovered(const struct state_binding *b, const struct box_key *key,
    uint32_t epoch, const uint8_t in[static ANSWER_SEALED_LEN],
    struct space_key *out) must_check;

#endif
