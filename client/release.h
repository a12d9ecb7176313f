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

/* out: secret memory.  FAULT_TAMPERED (a release that does not open),
 * FAULT_TRUST (a depot that the residency does not allow). */
int release_open(const struct state *st, const struct answer_session *in,
    struct lease *out, struct fault *f) must_check;

/* The depot of a lease, if the pinned policy allows it.  FAULT_TRUST. */
int release_depot(const struct state *st, const char *name,
    const struct policy_depot **out, struct fault *f) must_check;

/* Associated data of a release or, with a NULL device, of an admission. */
#define RELEASE_AAD_MAX (3 * ID_LEN + 4)
int release_aad(const struct state_binding *b, uint32_t epoch,
    const uint8_t *device, struct buf *out) must_check;

#endif
